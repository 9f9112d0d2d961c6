"""The views: what their contracts promise, and that they add up to the gold tables they come from."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from math import sqrt

import pandas as pd
import pytest
from tests.dashboards.conftest import plain
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import REPOSITORY, night

from sales_tech.dashboards.specification import MOST_ROWS
from sales_tech.dashboards.views import relation_contract, relation_sql, view_names
from sales_tech.lake.query import Reader
from sales_tech.orchestration.ledger import PipelineRun, StepRun, enter
from sales_tech.runs import Run
from sales_tech.settings import Settings

Views = dict[str, pd.DataFrame]
KINDS = {"string": "string", "long": "int64", "int": "int32", "double": "double", "date": "date32[day]"}


def total(frame: pd.DataFrame, *columns: str) -> dict[str, float]:
    return {column: pytest.approx(frame[column].sum(), rel=1e-9, abs=1e-6) for column in columns}


def sums(frame: pd.DataFrame, *columns: str) -> dict[str, float]:
    return {column: frame[column].sum() for column in columns}


@pytest.mark.parametrize("name", view_names())
def test_a_view_answers_what_its_contract_promises(reader: Reader, views: Views, name: str) -> None:
    contract = relation_contract(name)
    assert contract is not None
    schema = reader.arrow(f"select * from {relation_sql(name)} as t limit 0").schema
    kinds = {column: str(kind.type) for column, kind in contract.columns.items()}
    assert {field.name: str(field.type).replace("decimal128", "decimal").replace(" ", "") for field in schema} == {
        column: KINDS.get(kind, kind) for column, kind in kinds.items()
    }
    rows = views[name]
    assert len(rows) > 0
    assert not rows.duplicated(contract.grain).any()
    assert not rows[[column for column, kind in contract.columns.items() if kind.required]].isna().any().any()


def test_no_view_of_a_small_retailer_is_near_the_limit(views: Views) -> None:
    assert {name: len(rows) for name, rows in views.items() if len(rows) > MOST_ROWS / 4} == {}


def test_sales_by_month_add_up_to_daily_sales(reader: Reader, views: Views) -> None:
    daily, rows = plain(reader, "select * from gold.daily_sales"), views["views.sales_by_month"]
    columns = ("units", "gross_sales", "discount", "net_sales", "margin", "promoted_net_sales", "returned_units")
    assert sums(rows, *columns) == total(daily, *columns)
    assert rows["costed_net_sales"].sum() == pytest.approx(daily.loc[daily["margin"].notna(), "net_sales"].sum())
    assert rows["units_out"].sum() == daily["units"].sum() + daily["returned_units"].sum()
    months = daily.groupby(daily["sold_on"].dt.strftime("%Y-%m-01"))["net_sales"].sum()
    assert rows.groupby(rows["month"].dt.strftime("%Y-%m-%d"))["net_sales"].sum().to_dict() == pytest.approx(months.to_dict())


def test_the_main_categories_are_the_eleven_greatest(views: Views) -> None:
    rows = views["views.sales_by_month"]
    ranked = rows.groupby("category")["net_sales"].sum().sort_values(ascending=False)
    assert len(ranked) > 11
    shown = rows.drop_duplicates("category").set_index("category")["main_category"]
    assert shown.to_dict() == {category: category if place < 11 else "others" for place, category in enumerate(ranked.index)}


def test_sales_of_stores_are_those_of_daily_sales(reader: Reader, views: Views) -> None:
    by_store = plain(reader, "select store_id, net_sales from gold.daily_sales").groupby("store_id")["net_sales"].sum()
    names = plain(reader, "select store_id, name from silver.stores").set_index("store_id")["name"]
    for view in ("views.sales_by_month", "views.orders_by_month", "views.sales_by_day"):
        told = views[view].groupby("store")["net_sales"].sum()
        assert told.to_dict() == pytest.approx(by_store.rename(names).to_dict()), view


def test_sales_by_day_are_those_of_the_kpis_of_the_last_400_days(reader: Reader, views: Views) -> None:
    kpis = plain(reader, "select sold_on, net_sales from gold.kpis_daily").set_index("sold_on")["net_sales"]
    kpis = kpis[kpis.index > kpis.index.max() - pd.Timedelta(days=400)]
    assert views["views.sales_by_day"].groupby("sold_on")["net_sales"].sum().to_dict() == pytest.approx(kpis.to_dict())


def test_a_weekday_of_a_month_sells_the_mean_of_its_days(reader: Reader, views: Views) -> None:
    kpis = plain(reader, "select sold_on, net_sales from gold.kpis_daily").set_index("sold_on")["net_sales"]
    first = kpis.index.min().to_period("M").start_time
    days = kpis.reindex(pd.date_range(first, kpis.index.max()), fill_value=0.0)
    means = days.groupby([days.index.strftime("%Y-%m"), days.index.day_of_week + 1]).mean()
    told = views["views.sales_by_weekday"].groupby(["month_name", "weekday"])["net_sales_a_day"].sum()
    assert told.to_dict() == pytest.approx(means[means != 0].to_dict())
    assert views["views.sales_by_weekday"]["net_sales"].sum() == pytest.approx(kpis.sum())


def test_a_mistyped_year_neither_ends_nor_begins_what_the_last_days_show(erp: Settings) -> None:
    land_reference(erp.landing, "A")
    days = [sale(f"P{day}", data_venda=f"{day}/01/2026 10:00:00") for day in range(12, 27)]
    land_erp(erp.landing, "vendas_1", *days, sale("F1", data_venda="31/12/2099 10:00:00"), sale("F2", data_venda="01/01/2000 10:00:00"))
    night(erp)
    began = datetime(2026, 1, 28, 5, tzinfo=UTC)
    step = StepRun("20260128T050000-000001", "gold/sales", "sales.ipynb", "new files", began, 1.0, "succeeded", 1, 1)
    enter(Run.begin(erp), PipelineRun(step.run_id, began.date(), began, began, 1.0, "succeeded", "{}", 1, 0, 1), [step])
    reader = Reader(erp)
    by_day = plain(reader, f"select * from {relation_sql('views.sales_by_day')} as t")
    assert (len(by_day), by_day["sold_on"].min(), by_day["sold_on"].max()) == (15, pd.Timestamp("2026-01-12"), pd.Timestamp("2026-01-26"))
    by_weekday = plain(reader, f"select * from {relation_sql('views.sales_by_weekday')} as t")
    assert set(by_weekday["month_name"]) == {"2026-01"}
    assert set(by_weekday["net_sales_a_day"]) == {10.0}
    freshness = plain(reader, f"select * from {relation_sql('views.freshness')} as t").iloc[0]
    assert (freshness["last_sold_on"], freshness["days_since_sale"]) == ("2026-01-26", 2)


def test_orders_by_month_add_up_to_the_kpis(reader: Reader, views: Views) -> None:
    kpis = plain(reader, "select * from gold.kpis_daily")
    columns = ("orders", "units", "discount", "net_sales")
    assert sums(views["views.orders_by_month"], *columns) == total(kpis, *columns)


def test_the_classes_and_the_top_products_are_those_of_product_performance(reader: Reader, views: Views) -> None:
    products = plain(reader, "select * from gold.product_performance")
    abc = views["views.abc"]
    assert sums(abc, "units", "net_sales", "margin") == total(products, "units", "net_sales", "margin")
    assert abc.groupby("abc_class")["skus"].sum().to_dict() == products["abc_class"].value_counts().to_dict()
    top = views["views.top_products"].set_index("sku")
    products = products.set_index("sku")
    assert set(top.index) == set(products.index)
    assert (top["returned_units"] / top["units_out"]).to_dict() == pytest.approx(products["return_share"].to_dict(), nan_ok=True)
    assert (top["promoted_units"] / top["units"]).to_dict() == pytest.approx(products["promoted_share"].to_dict(), nan_ok=True)


def test_promotions_are_those_of_the_results_with_the_category_of_their_skus(reader: Reader, views: Views) -> None:
    results, rows = plain(reader, "select * from gold.promotion_results"), views["views.promotions"]
    columns = ("actual_units", "incremental_units", "net_units", "incremental_revenue", "investment", "net_margin")
    assert sums(rows, *columns) == total(results, *columns)
    assert rows["margin_before_investment"].sum() == pytest.approx(results["net_margin"].sum() + results["investment"].sum())
    told = rows.set_index("promotion_id")
    roi = (told["invested_net_margin"] / told["investment_with_return"]).to_dict()
    # The results' own ratio is of amounts before they are rounded to cents.
    assert roi == pytest.approx(results.set_index("promotion_id")["return_on_investment"].to_dict(), rel=0.01, nan_ok=True)
    assert (told["uplift_low"] * told["baseline_units"]).to_list() == pytest.approx(told["incremental_units_low"].to_list())
    assert (told["return_high"] * told["investment"]).to_list() == pytest.approx(told["net_margin_high"].to_list(), nan_ok=True)
    promoted = plain(reader, "select promotion_id, sku from silver.promotions")
    promoted = promoted.merge(plain(reader, "select sku, category from silver.products where valid_to is null"))
    categories = promoted.groupby("promotion_id")["category"].agg(lambda found: found.iloc[0] if found.nunique() == 1 else "several")
    assert told["category"].to_dict() == categories[told.index].to_dict()


def test_the_timeline_has_the_days_of_promotions_counted_from_the_first(reader: Reader, views: Views) -> None:
    daily, rows = plain(reader, "select * from gold.promotion_daily"), views["views.promotion_timeline"]
    part = daily["share"].where(daily["phase"] == "during", 1.0)
    for name in ("actual_units", "baseline_units", "uplift_units"):
        assert rows[name].sum() == pytest.approx((daily[name].astype(float) * part).sum())
    assert (rows["day_of_promotion"] == (rows["sold_on"] - rows["starts_on"]).dt.days).all()
    assert (rows.loc[rows["phase"] == "before", "day_of_promotion"] < 0).all()
    assert (rows.loc[rows["phase"] == "during", "day_of_promotion"] >= 0).all()


def test_the_days_under_promotions_have_their_shares_of_units(reader: Reader, views: Views) -> None:
    daily, rows = plain(reader, "select * from gold.promotion_daily where phase = 'during'"), views["views.promoted_days"]
    for name in ("baseline_units", "uplift_units"):
        assert rows[name].sum() == pytest.approx((daily[name].astype(float) * daily["share"]).sum())
    assert len(rows) == len(daily[["promotion_id", "sold_on"]].drop_duplicates())


def test_the_response_of_a_category_is_that_of_its_row(reader: Reader, views: Views) -> None:
    told = plain(reader, "select * from gold.price_elasticity where brand = 'all' and discount_share > 0")
    rows = views["views.price_response"]
    depths = (told["discount_share"] * 100).round().astype(int)
    uplifts = dict(zip(zip(told["category"], depths, strict=True), told["uplift"], strict=True))
    means = rows["weighted_uplift"] / rows["weight"]
    assert dict(zip(zip(rows["category"], rows["depth"], strict=True), means, strict=True)) == pytest.approx(uplifts)


def test_the_fan_is_the_newest_forecast_with_the_errors_of_its_series_squared_and_added(reader: Reader, views: Views) -> None:
    rows = views["views.demand_fan"]
    ahead, past = rows[rows["units"].notna()], rows[rows["actual_units"].notna()]
    # The newest forecast of the lake: series of 20 (14 to 32) and of 40 (32 to 56) units in each category.
    assert ahead["units"].to_list() == [60.0] * len(ahead)
    assert ahead["units_low"].to_list() == pytest.approx([60 - sqrt(6**2 + 8**2)] * len(ahead))
    assert ahead["units_high"].to_list() == pytest.approx([60 + sqrt(12**2 + 16**2)] * len(ahead))
    assert len(ahead) == 14 * ahead["category"].nunique()
    daily = plain(reader, "select sold_on, units, returned_units from gold.daily_sales")
    last = daily["sold_on"].max()
    assert ahead["sold_on"].min() == last + pd.Timedelta(days=1)
    kept = daily[daily["sold_on"] > last - pd.Timedelta(days=56)]
    assert past["actual_units"].sum() == kept["units"].sum() + kept["returned_units"].sum()
    assert len(ahead) + len(past) == len(rows)


def test_a_planned_promotion_is_the_sum_of_its_days_and_skus(views: Views) -> None:
    rows = views["views.planned_promotions"].set_index("channel")
    assert list(rows.index.sort_values()) == ["loja", "online"]
    loja = rows.loc["loja"]
    assert (loja["promotion"], loja["units"], loja["revenue"]) == ("Ofertas · NEXT", 18.0, 144.0)
    assert (loja["incremental_revenue"], loja["incremental_margin"]) == (24.0, -6.0)
    assert (loja["net_units"], loja["net_margin_before_investment"]) == (6 * 0.375, 6 * -2.75)


def test_each_row_of_the_files_has_one_fate_and_a_reject_one_row_for_each_reason(reader: Reader, views: Views) -> None:
    fates = plain(reader, "select fate, rows from silver.fates").groupby("fate")["rows"].sum()
    told = views["views.rows_by_fate"]
    assert told.groupby("fate")["rows"].sum().to_dict() == fates.to_dict()
    assert told["rejected_rows"].sum() == fates["rejected"]
    reasons = plain(reader, "select reasons from silver.rejects")["reasons"].str.split("; ").explode()
    assert views["views.rejects_by_reason"].groupby("reason")["rows"].sum().to_dict() == reasons.value_counts().to_dict()


def test_steps_cost_their_time_at_the_price_of_the_nightly_machine(views: Views) -> None:
    price = tomllib.loads((REPOSITORY / "infra" / "prices.toml").read_text(encoding="utf-8"))["prices"]["processing_hour"]["usd"]
    steps = views["views.steps_by_day"]
    # Three runs of 88 seconds.
    assert steps["seconds"].sum() == pytest.approx(3 * 88)
    assert steps["cost_usd"].sum() == pytest.approx(3 * 88 / 3600 * price)
    runs = views["views.runs"]
    assert (runs["seconds"].sum(), runs["failed_runs"].sum(), runs["files_rejected"].sum()) == (pytest.approx(3 * 88), 1, 3)


def test_freshness_counts_the_days_up_to_the_last_run(reader: Reader, views: Views) -> None:
    (row,) = views["views.freshness"].to_dict("records")
    last = plain(reader, "select max(sold_on) as day from gold.daily_sales")["day"][0]
    assert (row["last_sold_on"], row["days_since_sale"]) == (f"{last:%Y-%m-%d}", 2)
    assert row["last_run_on"] == f"{last + pd.Timedelta(days=2):%Y-%m-%d}"


def test_a_source_of_which_every_sale_was_rejected_is_told_as_one_that_never_sold(erp: Settings) -> None:
    land_reference(erp.landing, "A")
    land_erp(erp.landing, "vendas_1", sale("P1", sku="UNKNOWN"))
    run_date = Run.begin(erp).run_date
    night(erp)
    began = datetime(run_date.year, run_date.month, run_date.day, 5, tzinfo=UTC) + timedelta(days=3)
    step = StepRun(f"{began:%Y%m%d}T050000-000001", "gold/sales", "sales.ipynb", "new files", began, 1.0, "succeeded", 1, 1)
    enter(Run.begin(erp), PipelineRun(step.run_id, began.date(), began, began, 1.0, "succeeded", "{}", 1, 0, 1), [step])
    (row,) = plain(Reader(erp), f"select * from {relation_sql('views.freshness')} as t").to_dict("records")
    assert (row["source"], row["last_sold_on"], row["days_since_file"]) == ("erp_br", "never", 3)
    assert pd.isna(row["days_since_sale"])


def test_errors_of_forecasts_weigh_by_what_was_sold(views: Views) -> None:
    rows = views["views.accuracy"]
    first = rows[rows["age_weeks"] == 1]
    # Each category that sold anything erred by a fifth in the first week.
    assert first["error_units"].sum() / first["units"].sum() == pytest.approx(0.2)
    assert rows["covered_days"].sum() / rows["series_days"].sum() == pytest.approx(0.5)
    assert (rows["bias_units"] == 10 * rows["age_weeks"]).all()
