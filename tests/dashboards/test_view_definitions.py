"""The views of the dashboards over drawn rows of several sources, against their definitions in plain Python."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from tests.oracles import views_oracle as oracle

from sales_tech.contracts.table import table_contract
from sales_tech.dashboards.views import relation_sql, view_names
from sales_tech.engines.dialect import duckdb_type, parse_query, quote, to_duckdb
from sales_tech.engines.duck import DuckEngine

Row = dict[str, Any]
Tables = dict[str, list[Row]]
LAST = {"a": date(2026, 3, 17), "b": date(2026, 2, 28)}
SKUS = [f"S{number}" for number in range(24)]
STORES = [f"LOJA-{number}" for number in range(4)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    opened = DuckEngine(memory_limit="200MB", threads=1, scratch=tmp_path_factory.mktemp("views"))
    yield opened
    opened.close()


class Drawn:
    """Draws rows of tables: of each column what its contract allows, unless something else is said."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.tables: Tables = {}

    def row(self, name: str, source: str, /, **columns: Any) -> None:
        told = {"currency": {"a": "BRL", "b": "EUR"}[source], "source": source} | columns
        contract = table_contract(name)
        self.tables.setdefault(name, []).append(
            {column: told[column] if column in told else self._value(column, kind) for column, kind in contract.columns.items()}
        )

    def _value(self, column: str, kind: Any) -> Any:
        chance = self.chance
        if not kind.required and chance.random() < 0.3:
            return None
        match kind.type.name:
            case "boolean":
                return chance.random() < 0.5
            case "int" | "long":
                return chance.randint(0, 9)
            case "date":
                return date(2026, 1, 1) + timedelta(days=chance.randint(0, 60))
            case "timestamptz":
                return datetime(2026, 3, chance.randint(15, 18), chance.choice((0, 12, 23)), tzinfo=UTC)
            case "string":
                return f"{column} {chance.randint(1, 2)}"
        # Quarters: sums of them are exact in whatever order.
        return chance.randint(0, 12) / 4


def drawn(seed: int) -> Tables:
    """Two sources that name SKUs, stores and promotions alike; days lie about the ends of what each view shows."""
    one = Drawn(seed)
    chance = one.chance
    for source, last in LAST.items():
        _draw_sales(one, source, last)
        _draw_promotions(one, source, last)
        for number in range(12):
            one.row("gold.forecast_accuracy", source, category=f"K{number % 3}", made_on=last - timedelta(days=7 * (number // 3)))
            depth = chance.choice((0, 0.05, 0.295, 0.3125))
            one.row("gold.price_elasticity", source, category=f"K{number}", brand=chance.choice(("all", "all", "X")), discount_share=depth)
        # Of the newest runs some are not in the ledger yet.
        loads = [f"202603{day}T{hour}0000-000001" for day in (15, 16, 17, 18) for hour in ("05", "23")]
        for load in loads[: -2 if source == "a" else None]:
            for fate in ("accepted", "rejected", "rejected", "ignored"):
                kind = chance.choice(("vendas", "produtos"))
                one.row("silver.fates", source, load_id=load, file_kind=kind, fate=fate)
                reasons = chance.choice(("no sku", "no sku; no price", "no date; no sku"))
                one.row("silver.rejects", source, load_id=load, file_kind=kind, reasons=reasons)
    for number, load in enumerate(loads[:-1]):
        outcome = chance.choice(("succeeded", "failed", "rejected_files"))
        # A run after midnight may be that of the day before.
        if number != 2:
            one.row("gold.pipeline_runs", "a", run_id=load, outcome=outcome, run_date=date(2026, 3, int(load[6:8]) - number % 2))
        for step in ("ingest", "ingest", "gold"):
            one.row("gold.step_runs", "a", run_id=load, step=step, outcome=outcome)
    return one.tables


def _draw_sales(one: Drawn, source: str, last: date) -> None:
    chance = one.chance
    for store in STORES:
        one.row("gold.stores", source, store_id=store, shown_as=chance.choice(("others", store)))
    for number, sku in enumerate(SKUS):
        if number % 8:
            category = None if number % 7 == 0 else f"K{(number + (source == 'b')) % 15}"
            one.row("silver.products", source, sku=sku, valid_to=date(2025, 1, 1), category="Old")
            one.row("silver.products", source, sku=sku, valid_to=None, category=category)
        sold_on, rank = last - timedelta(days=chance.randint(0, 9) * bool(number)), chance.choice((1, 499, 500, 501))
        one.row("gold.product_performance", source, sku=sku, last_sold_on=sold_on, sales_rank=rank)
    # The months that are 23 and 35 before that of the last day.
    edges = [last.replace(day=1), *(date(year, last.month + 1, 1) for year in (2024, 2023))]
    ends = [last - timedelta(days=days) for days in (-9000, -1, 0, 1, 7, 14, 55, 56, 57, 399, 400, 401)]
    for day in [*ends, *edges, *(edge - timedelta(days=1) for edge in edges)]:
        for _ in range(6):
            told = {
                "sold_on": day,
                "store_id": chance.choice(STORES),
                "sku": chance.choice(SKUS),
                "channel": chance.choice(("loja", "online")),
            }
            one.row("gold.daily_sales", source, **told)
            del told["sku"]
            one.row("gold.orders_daily", source, **told)
    for made_on in (last - timedelta(days=7), last):
        for sku in SKUS[:6]:
            for horizon in (1, 2):
                low, units = chance.randint(0, 8), chance.randint(0, 8)
                told = {"made_on": made_on, "sku": sku, "sold_on": made_on + timedelta(days=horizon), "category": chance.choice("XY")}
                one.row("gold.demand_forecast", source, **told, units=units, units_low=low, units_high=chance.randint(low, 16))


def _draw_promotions(one: Drawn, source: str, last: date) -> None:
    chance = one.chance
    for number in range(153):
        promotion = f"P{number:03}"
        starts_on = last - timedelta(days=chance.randint(0, 40))
        margin, investment = chance.choice(((None, None), (2.5, 2.0), (-1.5, 0.5), (2.5, 0.0), (2.5, None), (None, 0.5)))
        measured = margin is not None and bool(investment)
        told: Row = {"promotion_id": promotion, "starts_on": starts_on, "net_margin": margin, "investment": investment}
        told |= {"net_margin_low": 0.25, "net_margin_high": 4.75, "incremental_units_low": -2.5, "incremental_units_high": 3.25}
        one.row("gold.promotion_results", source, **told, return_on_investment=margin / investment if measured else None)
        for sku in chance.sample(SKUS, chance.choice((0, 1, 1, 2))) if number else ():
            for phase, days in (("before", -1), ("during", 0), ("during", 1), ("after", 2)):
                day = {"sold_on": starts_on + timedelta(days=days), "phase": phase, "share": chance.choice((0.25, 0.5, 1.0))}
                one.row("gold.promotion_daily", source, promotion_id=promotion, sku=sku, **day)
    # It ended so early that nothing of it was measured.
    one.row("gold.promotion_daily", source, promotion_id="UNMEASURED", sku="S1")
    for promotion in ("N1", "N2", "N3"):
        of_all = {"promotion_id": promotion, "name": chance.choice((None, "Next")), "region": chance.choice((None, "Sul"))}
        of_all |= {"starts_on": last, "ends_on": last + timedelta(days=3)}
        for sku in SKUS[: chance.randint(1, 3)]:
            for channel in ("loja", "online"):
                one.row("gold.promotion_forecast", source, **of_all, sku=sku, channel=channel)


def lay(engine: DuckEngine, tables: Tables) -> None:
    days = [date(2015, 1, 1) + timedelta(days=day) for day in range(7670)]
    for name, rows in (tables | {"gold.calendar": [{"day": day, "weekday": day.isoweekday()} for day in days]}).items():
        kinds = {column: duckdb_type(told.type.sql) for column, told in table_contract(name).columns.items() if column in rows[0]}
        given = pa.table({column: [row[column] for row in rows] for column in kinds})
        with engine.arrow_view("given", given):
            shown = ", ".join(f"cast({quote(column)} as {kind}) as {quote(column)}" for column, kind in kinds.items())
            engine.materialize(name, f"select {shown} from given")


def comparable(rows: list[Row]) -> list[str]:
    """Rows as texts in one order, numbers to 10 digits."""

    def plain(value: Any) -> Any:
        return value if value is None or isinstance(value, str | date) else f"{float(value) + 0.0:.10g}"

    return sorted(str(sorted((name, plain(value)) for name, value in row.items())) for row in rows)


@pytest.fixture(scope="module", params=range(2))
def tables(engine: DuckEngine, request: pytest.FixtureRequest) -> Tables:
    found = drawn(request.param)
    lay(engine, found)
    return found


@pytest.mark.parametrize("name", view_names())
def test_a_view_is_its_definition_for_each_source_by_itself(engine: DuckEngine, tables: Tables, name: str) -> None:
    found = engine.arrow(to_duckdb(parse_query(f"select * from {relation_sql(name)} as t"))).to_pylist()
    assert found
    assert comparable(found) == comparable(getattr(oracle, name.removeprefix("views."))(tables))
