"""What the views of the dashboards are by definition, in plain Python: rows of silver and gold in, rows of views out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from math import sqrt
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]
_PROMOTION = ("source", "promotion", "category", "mechanic", "channel", "region")


def _sum(values: Iterable[Any]) -> Any:
    """As SQL sums: of what is known, None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _grouped(rows: Iterable[Row], keys: Iterable[str], /, *sums: str, **told: Callable[[list[Row]], Any]) -> list[Row]:
    keys, groups = tuple(keys), defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return [
        dict(zip(keys, values, strict=True))
        | {name: _sum(row[name] for row in found) for name in sums}
        | {name: tell(found) for name, tell in told.items()}
        for values, found in groups.items()
    ]


def _currency(rows: list[Row]) -> str:
    (currency,) = {row["currency"] for row in rows}
    return str(currency)


def _categories(tables: Tables) -> dict[tuple[str, str], str | None]:
    return {(row["source"], row["sku"]): row["category"] for row in tables["silver.products"] if row["valid_to"] is None}


def _last_sales(tables: Tables) -> dict[str, date]:
    last: dict[str, date] = {}
    for row in tables["gold.product_performance"]:
        last[row["source"]] = max(last.get(row["source"], date.min), row["last_sold_on"])
    return last


def _loaded_on(row: Row) -> date:
    return datetime.strptime(row["load_id"][:8], "%Y%m%d").date()


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _sold(tables: Tables) -> list[Row]:
    """The rows of daily sales with their month, category and the place under which their store is shown."""
    categories = _categories(tables)
    places = {(row["source"], row["store_id"]): row for row in tables["gold.stores"]}
    rows = []
    for row in tables["gold.daily_sales"]:
        place = places[row["source"], row["store_id"]]
        told = {"month": row["sold_on"].replace(day=1), "category": categories.get((row["source"], row["sku"])) or "unknown"}
        told |= {"store": place["shown_as"], "state": place["state"], "region": place["region"]}
        rows.append(row | told | {"units_out": row["units"] + row["returned_units"]})
    return rows


def abc(tables: Tables) -> list[Row]:
    rows = [row | {"category": row["category"] or "unknown"} for row in tables["gold.product_performance"]]
    sums = ("units", "net_sales", "margin", "costed_net_sales")
    return _grouped(rows, ("source", "abc_class", "category"), *sums, skus=len, currency=_currency)


def accuracy(tables: Tables) -> list[Row]:
    same = ("source", "category", "made_on", "age_weeks", "units", "forecast_units", "error_units")
    rows = []
    for row in tables["gold.forecast_accuracy"]:
        days = row["series"] * row["days"]
        covered = None if row["coverage"] is None else row["coverage"] * days
        told = {"bias_units": row["forecast_units"] - row["units"], "covered_days": covered, "series_days": days}
        rows.append({name: row[name] for name in same} | told)
    return rows


def demand_fan(tables: Tables) -> list[Row]:
    newest: dict[str, date] = {}
    for row in tables["gold.demand_forecast"]:
        newest[row["source"]] = max(newest.get(row["source"], date.min), row["made_on"])

    def spread(rows: list[Row], end: str, sign: int) -> float:
        return sqrt(sum(max(0.0, sign * (row[f"units_{end}"] - row["units"])) ** 2 for row in rows))

    keys = ("source", "category", "sold_on")
    latest = [row for row in tables["gold.demand_forecast"] if row["made_on"] == newest[row["source"]]]
    ahead = _grouped(latest, keys, "units", below=lambda rows: spread(rows, "low", -1), above=lambda rows: spread(rows, "high", 1))
    told = [
        {key: row[key] for key in (*keys, "units")}
        | {"actual_units": None, "units_low": max(0.0, row["units"] - row["below"]), "units_high": row["units"] + row["above"]}
        for row in ahead
    ]
    weeks = [row for row in _sold(tables) if row["source"] in newest and 0 <= (newest[row["source"]] - row["sold_on"]).days < 8 * 7]
    past = _grouped(weeks, keys, actual_units=lambda rows: sum(row["units_out"] for row in rows))
    return told + [row | {"units": None, "units_low": None, "units_high": None} for row in past]


def freshness(tables: Tables) -> list[Row]:
    days = {row["run_id"]: row["run_date"] for row in tables["gold.pipeline_runs"]}
    rows = []
    for source, sold in _last_sales(tables).items():
        loads = [row for row in tables["silver.fates"] if row["source"] == source]
        loaded = max((days.get(row["load_id"], _loaded_on(row)) for row in loads), default=None)
        ran = max(days.values())
        row = {"source": source, "last_sold_on": sold.isoformat(), "last_loaded_on": loaded and loaded.isoformat()}
        row |= {"last_run_on": ran.isoformat(), "days_since_sale": (ran - sold).days, "days_since_file": loaded and (ran - loaded).days}
        rows.append(row)
    return rows


def orders_by_month(tables: Tables) -> list[Row]:
    places = {(row["source"], row["store_id"]): row for row in tables["gold.stores"]}
    rows = []
    for row in tables["gold.orders_daily"]:
        place = places[row["source"], row["store_id"]]
        told = {"store": place["shown_as"], "state": place["state"], "region": place["region"]}
        rows.append(row | told | {"month": row["sold_on"].replace(day=1)})
    keys = ("source", "month", "store", "state", "region", "channel", "customer_state")
    return _grouped(rows, keys, "orders", "units", "discount", "net_sales", currency=_currency)


def planned_promotions(tables: Tables) -> list[Row]:
    def one(name: str) -> Callable[[list[Row]], str]:
        return lambda rows: rows[0][name] if len({row[name] for row in rows}) == 1 else "several"

    def gain(of: str, than: str) -> Callable[[list[Row]], Any]:
        return lambda rows: _sum(None if row[of] is None or row[than] is None else row[of] - row[than] for row in rows)

    rows = [row | {"promotion": _named(row), "region": row["region"] or "all"} for row in tables["gold.promotion_forecast"]]
    sums = ("baseline_units", "uplift_units", "units", "net_units", "revenue", "net_margin_before_investment")
    return _grouped(
        rows,
        ("source", "promotion", "channel", "region"),
        *sums,
        category=one("category"),
        mechanic=one("mechanic"),
        starts_on=lambda rows: max(row["starts_on"] for row in rows).isoformat(),
        ends_on=lambda rows: max(row["ends_on"] for row in rows).isoformat(),
        incremental_revenue=gain("revenue", "baseline_revenue"),
        incremental_margin=gain("margin", "baseline_margin"),
        currency=_currency,
    )


def _named(row: Row) -> str:
    return f"{row['name']} · {row['promotion_id']}" if row["name"] is not None else row["promotion_id"]


def price_response(tables: Tables) -> list[Row]:
    same = ("source", "category", "evidence", "uplift", "uplift_low", "uplift_high", "elasticity", "elasticity_low", "elasticity_high")
    rows = []
    for row in tables["gold.price_elasticity"]:
        if row["brand"] == "all" and row["discount_share"] > 0 and None not in (row["uplift"], row["elasticity"]):
            weight = row["promotions"] or 1
            told = {"depth": round(row["discount_share"] * 100), "promotions": row["promotions"], "weight": weight}
            told |= {"weighted_uplift": row["uplift"] * weight, "weighted_elasticity": row["elasticity"] * weight}
            rows.append({name: row[name] for name in same} | told)
    return rows


def promotions(tables: Tables) -> list[Row]:
    categories, of_promotion = _categories(tables), defaultdict(set)
    for row in tables["gold.promotion_daily"]:
        of_promotion[row["source"], row["promotion_id"]].add(categories.get((row["source"], row["sku"])) or "unknown")
    same = ["source", "promotion_id", "evidence", "starts_on", "actual_units", "baseline_units"]
    same += [
        f"{part}_units{end}" for part in ("incremental", "cannibalised", "halo", "pulled_forward", "net") for end in ("", "_low", "_high")
    ]
    same += ["actual_revenue", "baseline_revenue", "incremental_revenue", "net_revenue", "discount_given", "investment"]
    same += [f"{part}_margin" for part in ("incremental", "cannibalised", "halo", "pulled_forward")]
    same += ["net_margin", "net_margin_low", "net_margin_high", "currency"]
    rows = []
    for row in tables["gold.promotion_results"]:
        found = of_promotion[row["source"], row["promotion_id"]]
        baseline, margin, invested = row["baseline_units"], row["net_margin"], row["return_on_investment"] is not None
        told = {
            "promotion": _named(row),
            "category": "several" if len(found) > 1 else min(found, default="unknown"),
            "mechanic": "inferred" if row["inferred"] else row["mechanic"] or "unknown",
            "channel": row["channel"] or "all",
            "region": row["region"] or "all",
            "effect": "effective" if row["successful"] else "not shown",
            "promotions": 1,
            "effective_promotions": int(row["successful"]),
            "depth_weight": None if None in (row["discount_share"], baseline) else row["discount_share"] * baseline,
            "depth_units": None if row["discount_share"] is None else baseline,
            "costed_investment": None if margin is None else row["investment"] or 0,
            "margin_before_investment": None if margin is None else margin + (row["investment"] or 0),
            "invested_net_margin": margin if invested else None,
            "investment_with_return": row["investment"] if invested else None,
        }
        for end in ("low", "high"):
            told[f"uplift_{end}"] = row[f"incremental_units_{end}"] / baseline if baseline else None
            told[f"return_{end}"] = row[f"net_margin_{end}"] / row["investment"] if invested else None
        rows.append({name: row[name] for name in same} | told)
    return rows


def _of_promotions(tables: Tables) -> list[Row]:
    """The days of promotions that have results, with what is told of the promotion, and the part of units that is its own."""
    told = {(row["source"], row["promotion_id"]): row for row in promotions(tables)}
    rows = []
    for row in tables["gold.promotion_daily"]:
        if of := told.get((row["source"], row["promotion_id"])):
            part = row["share"] if row["phase"] == "during" else 1
            units = {name: row[name] * part for name in ("actual_units", "baseline_units", "uplift_units")}
            rows.append(row | {name: of[name] for name in (*_PROMOTION, "promotion_id", "evidence", "starts_on")} | units)
    return rows


def promoted_days(tables: Tables) -> list[Row]:
    rows = [row for row in _of_promotions(tables) if row["phase"] == "during"]
    return _grouped(rows, (*_PROMOTION, "evidence", "sold_on"), "baseline_units", "uplift_units")


def promotion_timeline(tables: Tables) -> list[Row]:
    by_source = defaultdict(list)
    for row in tables["gold.promotion_results"]:
        by_source[row["source"]].append((-row["starts_on"].toordinal(), row["promotion_id"]))
    latest = {(source, promotion) for source, found in by_source.items() for _, promotion in sorted(found)[:150]}
    rows = [
        row | {"day_of_promotion": (row["sold_on"] - row["starts_on"]).days}
        for row in _of_promotions(tables)
        if (row["source"], row["promotion_id"]) in latest
    ]
    keys = (*_PROMOTION, "starts_on", "sold_on", "phase", "day_of_promotion")
    return _grouped(rows, keys, "actual_units", "baseline_units", "uplift_units", days=lambda rows: 1)


def rejects_by_reason(tables: Tables) -> list[Row]:
    rows = [
        row | {"loaded_on": _loaded_on(row), "reason": reason} for row in tables["silver.rejects"] for reason in row["reasons"].split("; ")
    ]
    keys = ("source", "file_kind", "loaded_on", "reason")
    return _grouped(rows, keys, rows=len, waiting_rows=lambda rows: sum(row["waits"] for row in rows))


def rows_by_fate(tables: Tables) -> list[Row]:
    rows = [
        row | {"loaded_on": _loaded_on(row), "rejected_rows": row["rows"] * (row["fate"] == "rejected")} for row in tables["silver.fates"]
    ]
    return _grouped(rows, ("source", "file_kind", "loaded_on", "fate"), "rows", "rejected_rows", files=len)


def runs(tables: Tables) -> list[Row]:
    same = ("run_id", "run_date", "outcome", "seconds", "files_loaded", "files_rejected")
    return [
        {name: row[name] for name in same} | {"runs": 1, "failed_runs": int(row["outcome"] == "failed")}
        for row in tables["gold.pipeline_runs"]
    ]


def sales_by_day(tables: Tables) -> list[Row]:
    last = _last_sales(tables)
    rows = [row for row in _sold(tables) if 0 <= (last[row["source"]] - row["sold_on"]).days < 400]
    keys = ("source", "sold_on", "store", "state", "region", "channel")
    return _grouped(rows, keys, "units", "net_sales", "margin", "promoted_net_sales", currency=_currency)


def sales_by_month(tables: Tables) -> list[Row]:
    rows = _sold(tables)
    totals: dict[tuple[str, str], Any] = defaultdict(int)
    for row in rows:
        totals[row["source"], row["category"]] += row["net_sales"]
    main = set()
    for source in {source for source, _ in totals}:
        ranked = sorted((-total, category) for (owner, category), total in totals.items() if owner == source)
        main |= {(source, category) for _, category in ranked[:11]}
    for row in rows:
        row["main_category"] = row["category"] if (row["source"], row["category"]) in main else "others"
        row["costed_net_sales"] = None if row["margin"] is None else row["net_sales"]
    keys = ("source", "month", "store", "state", "region", "channel", "category", "main_category")
    sums = (
        "units",
        "gross_sales",
        "discount",
        "net_sales",
        "margin",
        "costed_net_sales",
        "promoted_net_sales",
        "returned_units",
        "units_out",
    )
    return _grouped(rows, keys, *sums, currency=_currency)


def sales_by_weekday(tables: Tables) -> list[Row]:
    told = []
    for source, last in _last_sales(tables).items():
        sold = [row for row in _sold(tables) if row["source"] == source and row["sold_on"] <= last]
        # A source that began within the last three years has the days from its first; of an older one all days count.
        first = min((row["sold_on"] for row in sold if row["sold_on"] >= _months_before(last, 35)), default=last)
        days = [first + timedelta(days=day) for day in range((last - first).days + 1)]
        rows = [row | {"weekday": row["sold_on"].isoweekday()} for row in sold if row["sold_on"] >= _months_before(last, 23)]
        keys = ("source", "month", "weekday", "region", "channel", "category")
        for row in _grouped(rows, keys, "units", "net_sales", currency=_currency):
            like = [day for day in days if (day.replace(day=1), day.isoweekday()) == (row["month"], row["weekday"])]
            told.append(row | {"month_name": f"{row['month']:%Y-%m}", "net_sales_a_day": row["net_sales"] / len(like)})
    return told


def steps_by_day(tables: Tables) -> list[Row]:
    days = {row["run_id"]: row["run_date"] for row in tables["gold.pipeline_runs"]}
    rows = [row | {"run_date": days.get(row["run_id"], row["started_at"].date())} for row in tables["gold.step_runs"]]
    told = _grouped(rows, ("run_date", "step", "outcome"), "seconds", "rows_in", "rows_out", runs=len)
    return [row | {"hours": row["seconds"] / 3600, "cost_usd": row["seconds"] / 3600 * 0.23} for row in told]


def top_products(tables: Tables) -> list[Row]:
    same = (
        "source",
        "sku",
        "abc_class",
        "units",
        "net_sales",
        "margin",
        "costed_net_sales",
        "promoted_units",
        "returned_units",
        "currency",
    )
    return [
        {name: row[name] for name in same}
        | {"product": f"{row['name']} · {row['sku']}" if row["name"] is not None else row["sku"]}
        | {"category": row["category"] or "unknown", "brand": row["brand"] or "unknown"}
        | {"units_out": row["units"] + row["returned_units"]}
        for row in tables["gold.product_performance"]
        if row["sales_rank"] <= 500
    ]
