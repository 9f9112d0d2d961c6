"""How estimates of promotions become gold tables, and when they are made anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.support.estimates import Estimator, day, nothing, result, something
from tests.support.exports import land_erp, land_reference, product, promotion, sale, stockout, store
from tests.support.nights import file_paths, night, read, snapshots

from sales_tech.errors import AuditError
from sales_tech.lake.store import Lake
from sales_tech.runs import Run, StepResult
from sales_tech.settings import Settings
from sales_tech.transform import promotions

TABLES = ("gold.promotion_results", "gold.promotion_daily", "gold.price_elasticity", "gold.promotion_response", "gold.promotion_overlap")


@pytest.fixture
def lake(erp: Settings) -> Settings:
    """A lake with one sale of product A in store L1, up to gold.daily_sales."""
    land_reference(erp.landing, "A")
    land_erp(erp.landing, "vendas_1", sale("P1", quantidade="2", preco="10,00", desconto="4,00"))
    night(erp)
    return erp


def estimate(settings: Settings, estimator: Estimator, *, force: bool = False) -> StepResult:
    return promotions.run(Run.begin(settings, force=force), estimator)


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The one row of a table that has one."""
    (row,) = rows
    return row


def land_tech_sales(landing: Path, order: str = "1") -> None:
    """One line of a source that tells of no store, cost or promotion."""
    path = landing / "tech_sales_2019" / f"Sales_Batch{order}_2019.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    header = "Order ID,Product,Quantity Ordered,Price Each,Order Date,Purchase Address"
    path.write_text(f'{header}\n{order},iPhone,1,700.0,01/22/19 21:25,"1 Main St, Boston, MA 02215"\n', encoding="utf-8")


def test_the_estimation_is_given_the_rows_of_the_lake(lake: Settings) -> None:
    land_erp(lake.landing, "promocoes_1", promotion("PR1", desconto_pct="12,50", canal="Loja", regiao="Sudeste", exposicao="S"))
    land_erp(lake.landing, "rupturas_1", stockout("L9", "B"))
    night(lake)
    estimator = Estimator()
    estimate(lake, estimator)
    (seen,) = estimator.seen
    assert seen.daily.to_dict("records") == [
        {
            "sold_on": pd.Timestamp("2026-01-10"),
            "store_id": "L1",
            "sku": "A",
            "channel": "loja",
            "units": 2,
            "gross_sales": 20.0,
            "discount": 4.0,
            "net_sales": 16.0,
        }
    ]
    assert seen.products.to_dict("records") == [
        {
            "sku": "A",
            "valid_from": pd.Timestamp("2020-01-01"),
            "valid_to": pd.NaT,
            "category": "Notebooks",
            "brand": "Acme",
            "price": 12.0,
            "cost": 6.0,
        }
    ]
    assert seen.stores is not None
    assert seen.stores[["store_id", "state", "region", "channel"]].to_numpy().tolist() == [["L1", "SP", "Sudeste", "loja"]]
    assert seen.promotions is not None
    assert seen.promotions.to_dict("records") == [
        {
            "promotion_id": "PR1",
            "sku": "A",
            "name": "Promoção PR1",
            "mechanic": "percentual",
            "discount_share": 0.125,
            "starts_on": pd.Timestamp("2026-01-10"),
            "ends_on": pd.Timestamp("2026-01-19"),
            "channel": "loja",
            "region": "Sudeste",
            "display": True,
            "investment": 100.0,
        }
    ]
    assert seen.stockouts is not None
    assert seen.stockouts.to_dict("records") == [
        {"store_id": "L9", "sku": "B", "starts_on": pd.Timestamp("2026-01-03"), "ends_on": pd.Timestamp("2026-01-05")}
    ]
    # The same categories everywhere, so that rows can be matched by their codes.
    assert seen.daily["sku"].dtype == seen.stockouts["sku"].dtype == seen.products["sku"].dtype == seen.promotions["sku"].dtype


def test_the_estimation_is_given_what_was_bought_whatever_came_back_on_that_day(lake: Settings) -> None:
    # Bought dearer weeks ago and returned on a day with sales of its own, and two days later alone.
    back = {"preco": "15,00", "situacao": "DEVOLVIDO"}
    land_erp(
        lake.landing,
        "vendas_2",
        sale("P2", quantidade="5", desconto="10,00", **back),
        sale("P3", data_venda="12/01/2026 10:00:00", **back),
    )
    night(lake)
    on_day = read(lake, "gold.daily_sales")[0]
    assert (on_day["units"], on_day["net_sales"]) == (-3, Decimal("-49.00"))
    estimator = Estimator()
    estimate(lake, estimator)
    seen = only(estimator.seen[0].daily.to_dict("records"))
    assert seen["sold_on"] == pd.Timestamp("2026-01-10")
    assert [seen[name] for name in ("units", "gross_sales", "discount", "net_sales")] == [2, 20.0, 4.0, 16.0]


def test_a_source_of_which_only_returns_are_left_has_nothing_to_tell(erp: Settings) -> None:
    land_reference(erp.landing, "A")
    land_erp(erp.landing, "vendas_1", sale("P1", situacao="DEVOLVIDO"))
    night(erp)
    estimator = Estimator()
    result = estimate(erp, estimator)
    assert estimator.seen == []
    assert result.notes == ["erp_br: no sales are left, so nothing is told of its promotions"]


def test_a_promotion_that_was_called_off_is_no_promotion_to_estimate_or_to_tell_of(lake: Settings) -> None:
    land_erp(lake.landing, "promocoes_1", promotion("PR1"), promotion("PR2", situacao="CANCELADA"), promotion("PR3", situacao=""))
    night(lake)
    estimator = Estimator()
    estimate(lake, estimator)
    (seen,) = estimator.seen
    assert seen.promotions is not None
    assert list(seen.promotions["promotion_id"]) == ["PR1", "PR3"]


def test_a_line_with_a_mistyped_year_makes_no_decades_of_days_and_is_told(lake: Settings) -> None:
    days = [sale(f"P{day}", data_venda=f"{day}/01/2026 10:00:00") for day in range(11, 15)]
    land_erp(lake.landing, "vendas_2", *days, sale("F1", data_venda="31/12/2099 10:00:00"), sale("F2", data_venda="01/01/2000 10:00:00"))
    night(lake)
    estimator = Estimator()
    done = estimate(lake, estimator)
    (seen,) = estimator.seen
    assert (seen.daily["sold_on"].min(), seen.daily["sold_on"].max()) == (pd.Timestamp("2026-01-10"), pd.Timestamp("2026-01-14"))
    said = (
        "sales on 2000-01-01, 2099-12-31 (2 rows) lie more than a year from all others and are left out, since those of 2026-01-10 to "
        "2026-01-14 are more units; mend their dates, or land what was sold between"
    )
    assert done.notes == [f"erp_br: {said}"]
    assert len(read(lake, "gold.daily_sales")) == 7, "they are sales all the same"


def test_an_old_year_without_the_years_between_is_told_to_have_taken_the_place_of_the_newest_days(lake: Settings) -> None:
    old = [sale(f"O{day}", data_venda=f"{day}/03/2021 10:00:00") for day in range(11, 15)]
    land_erp(lake.landing, "vendas_2", *old)
    night(lake)
    estimator = Estimator()
    (note,) = estimate(lake, estimator).notes
    assert "sales on 2026-01-10 (1 rows)" in note
    assert "since those of 2021-03-11 to 2021-03-14 are more units; mend their dates, or land what was sold between" in note
    between = [sale(f"B{year}", data_venda=f"01/03/{year} 10:00:00") for year in range(2022, 2026)]
    land_erp(lake.landing, "vendas_3", *between)
    night(lake)
    assert estimate(lake, estimator).notes == []
    assert estimator.seen[-1].daily["sold_on"].max() == pd.Timestamp("2026-01-10")


def test_a_shop_that_was_closed_for_less_than_a_year_keeps_its_earlier_sales(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_2", sale("P2", data_venda="20/02/2025 10:00:00"))
    night(lake)
    estimator = Estimator()
    assert estimate(lake, estimator).notes == []
    assert estimator.seen[0].daily["sold_on"].min() == pd.Timestamp("2025-02-20")


def test_the_days_come_in_order_whatever_the_order_of_the_files(lake: Settings) -> None:
    land_erp(lake.landing, "lojas_2", store("L0"))
    land_erp(lake.landing, "vendas_2", *(sale(f"P{n}", loja=shop, data_venda=when) for n, (shop, when) in enumerate(SALES, start=2)))
    night(lake)
    estimator = Estimator()
    estimate(lake, estimator)
    seen = estimator.seen[0].daily
    assert list(zip(seen["sold_on"].dt.day, seen["store_id"], strict=True)) == [(2, "L1"), (10, "L0"), (10, "L1"), (5, "L0")]


SALES = [("L0", "05/02/2026 09:00:00"), ("L1", "02/01/2026 09:00:00"), ("L0", "10/01/2026 09:00:00")]


def test_what_a_source_does_not_tell_is_none_and_its_promotions_count_as_inferred(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings("tech_sales_2019")
    land_tech_sales(settings.landing)
    night(settings)
    estimator = Estimator()
    estimate(settings, estimator)
    (seen,) = estimator.seen
    assert (seen.stores, seen.promotions, seen.stockouts) == (None, None, None)
    assert list(seen.products.columns) == ["sku", "valid_from", "valid_to", "category", "brand", "price", "cost"]
    row = only(read(settings, "gold.promotion_results"))
    assert row["inferred"] is True
    assert row["currency"] == "USD"


def test_the_estimates_stand_in_the_tables_under_their_source(lake: Settings) -> None:
    land_erp(lake.landing, "promocoes_1", promotion())
    night(lake)
    estimate(lake, Estimator())
    row = only(read(lake, "gold.promotion_results"))
    assert (row["source"], row["promotion_id"], row["inferred"], row["currency"]) == ("erp_br", "PR1", False, "BRL")
    assert (row["starts_on"], row["ends_on"], row["display"]) == (date(2026, 1, 10), date(2026, 1, 19), None)
    assert row["net_units"] == Decimal("6.0000") == row["net_units_high"] - 1
    assert row["net_margin"] == Decimal("-1.00")
    daily = only(read(lake, "gold.promotion_daily"))
    assert (daily["sold_on"], daily["baseline_units"], daily["net_sales"]) == (date(2026, 1, 10), Decimal(2), Decimal(24))
    assert only(read(lake, "gold.price_elasticity"))["elasticity"] == -2.0
    assert only(read(lake, "gold.promotion_overlap"))["other_promotion_id"] == "PR2"
    assert only(read(lake, "gold.promotion_response"))["uplift"] == 0.4


def test_actual_units_are_baseline_uplift_and_unexplained_to_the_last_digit(lake: Settings) -> None:
    third = day("2026-01-10", baseline_units=4 / 3, uplift_units=5 / 3 + 1e-4 / 3, unexplained_units=-1e-4 / 3)
    sevenths = day("2026-01-11", baseline_units=16 / 7, uplift_units=1 / 7, unexplained_units=4 / 7)
    estimate(lake, Estimator(something(daily=[third, sevenths])))
    rows = read(lake, "gold.promotion_daily")
    assert {row["unexplained_units"] for row in rows} == {Decimal("0.0000"), Decimal("0.5714")}
    assert all(row["actual_units"] == row["baseline_units"] + row["uplift_units"] + row["unexplained_units"] == 3 for row in rows)


def test_net_units_are_the_sum_of_their_rounded_parts(lake: Settings) -> None:
    parts = {"incremental_units": 10.00004, "cannibalised_units": 3.00004, "halo_units": 1.00006, "pulled_forward_units": 2.0}
    estimate(lake, Estimator(something(results=[result(**parts, net_units=6.00006)])))
    row = only(read(lake, "gold.promotion_results"))
    assert row["net_units"] == Decimal("6.0001") == Decimal("10.0000") - Decimal("3.0000") + Decimal("1.0001") - Decimal("2.0000")


def test_where_no_cost_is_known_margins_are_null_and_units_are_not(lake: Settings) -> None:
    unknown = float("nan")
    names = [name for name in result() if "margin" in name or name == "return_on_investment"]
    bands = {name: unknown for name in names}
    estimate(lake, Estimator(something(results=[result(**bands)])))
    row = only(read(lake, "gold.promotion_results"))
    assert len(names) >= 8
    assert [row[name] for name in names] == [None] * len(names)
    assert row["net_units"] == 6


def test_a_figure_that_is_not_the_sum_of_its_parts_is_refused(lake: Settings) -> None:
    before = snapshots(lake)
    with pytest.raises(AuditError, match="net_units of the estimates is not incremental_units - cannibalised_units"):
        estimate(lake, Estimator(something(results=[result(net_units=12.0)])))
    with pytest.raises(AuditError, match=r"net_margin of the estimates is not .* \(1 rows\)"):
        estimate(lake, Estimator(something(results=[result(halo_margin=float("nan"))])))
    after = snapshots(lake)
    assert {name: after[name] for name in before} == before
    assert all(after.get(name) is None for name in TABLES)


def test_estimates_without_a_promised_column_are_refused_by_its_name(lake: Settings) -> None:
    estimates = something()
    short = replace(estimates, results=estimates.results.drop(columns="evidence"))
    with pytest.raises(AuditError, match=r"gold.promotion_results: the estimates lack evidence; expected source, promotion_id"):
        estimate(lake, Estimator(short))


def test_estimates_that_break_a_promise_of_the_table_are_refused(lake: Settings) -> None:
    with pytest.raises(AuditError, match="evidence is unknown"):
        estimate(lake, Estimator(something(results=[result(evidence="great")])))
    with pytest.raises(AuditError, match=r"grain \(source, promotion_id\) is not unique"):
        estimate(lake, Estimator(something(results=[result(), result()])))


def test_a_second_night_makes_no_snapshot_and_estimates_nothing(lake: Settings) -> None:
    estimate(lake, Estimator())
    before = snapshots(lake)
    night(lake)
    estimator = Estimator()
    done = estimate(lake, estimator)
    assert (done.notes, done.commits, estimator.seen) == (["nothing to do"], [], [])
    assert snapshots(lake) == before


def test_force_estimates_anew(lake: Settings) -> None:
    estimate(lake, Estimator())
    estimator = Estimator()
    assert [commit.rows for commit in estimate(lake, estimator, force=True).commits] == [1] * len(TABLES)
    assert len(estimator.seen) == 1
    assert len(read(lake, "gold.promotion_results")) == 1


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("vendas_2", [sale("P2", data_venda="12/03/2026 10:00:00")]),
        ("produtos_2", [product(preco="15,00", vigente_desde="01/02/2026")]),
        ("lojas_2", [store("L2")]),
        ("promocoes_2", [promotion()]),
        ("rupturas_2", [stockout()]),
    ],
)
def test_each_kind_of_news_is_a_reason_to_estimate_anew(lake: Settings, kind: str, rows: list[dict[str, str]]) -> None:
    estimate(lake, Estimator())
    assert promotions.why(Lake(lake)) == {}
    land_erp(lake.landing, kind, *rows)
    night(lake)
    changes = promotions.why(Lake(lake))
    assert set(changes) == set(TABLES)
    assert all("changed input" in reason for change in changes.values() for reason in change.reasons)
    estimator = Estimator()
    estimate(lake, estimator)
    assert len(estimator.seen) == 1


def test_only_the_source_that_changed_is_estimated_anew(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings("erp_br", "tech_sales_2019")
    land_reference(settings.landing, "A")
    land_erp(settings.landing, "vendas_1", sale("P1"))
    land_tech_sales(settings.landing)
    night(settings)
    first = Estimator()
    estimate(settings, first)
    assert len(first.seen) == 2
    assert {row["source"] for row in read(settings, "gold.promotion_results")} == {"erp_br", "tech_sales_2019"}
    before = {table: file_paths(settings, table) for table in TABLES}
    land_tech_sales(settings.landing, "2")
    night(settings)
    second = Estimator(something(results=[result("later")]))
    done = estimate(settings, second)
    assert [set(seen.daily["sku"]) for seen in second.seen] == [{"iPhone"}]
    assert {commit.partitions for commit in done.commits} == {1}
    for table in TABLES:
        after = file_paths(settings, table)
        assert after[("erp_br",)] == before[table][("erp_br",)]
        assert after[("tech_sales_2019",)].isdisjoint(before[table][("tech_sales_2019",)])
    found = {row["source"]: row["promotion_id"] for row in read(settings, "gold.promotion_results")}
    assert found == {"erp_br": "PR1", "tech_sales_2019": "later"}


def test_of_a_source_of_which_nothing_can_be_told_there_are_notes_and_no_rows(lake: Settings) -> None:
    done = estimate(lake, Estimator(nothing("a single day of sales shows no season")))
    assert done.notes == ["erp_br: a single day of sales shows no season"]
    assert [commit.rows for commit in done.commits] == [0] * len(TABLES)
    assert [read(lake, table) for table in TABLES] == [[]] * len(TABLES)
    assert promotions.why(Lake(lake)) == {}


def test_rows_that_no_longer_hold_go_away(lake: Settings) -> None:
    estimate(lake, Estimator())
    land_erp(lake.landing, "vendas_2", sale("P2"))
    night(lake)
    estimate(lake, Estimator(nothing()))
    assert [read(lake, table) for table in TABLES] == [[]] * len(TABLES)


def test_a_source_whose_sales_were_all_cancelled_loses_its_rows(lake: Settings) -> None:
    estimate(lake, Estimator())
    land_erp(lake.landing, "vendas_2", sale("P1", situacao="CANCELADO", atualizado_em="11/01/2026 10:00:00"))
    night(lake)
    estimator = Estimator()
    done = estimate(lake, estimator)
    assert estimator.seen == []
    assert done.notes == ["erp_br: no sales are left, so nothing is told of its promotions"]
    assert read(lake, "gold.promotion_results") == []


def test_a_lake_without_sales_has_nothing_to_estimate(erp: Settings) -> None:
    land_erp(erp.landing, "produtos_1", product())
    run = Run.begin(erp)
    assert promotions.run(run, Estimator()).notes == ["nothing to do"]
    assert promotions.why(Lake(erp)) == {}


def test_a_crash_between_two_tables_is_made_good_by_the_next_night(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = Lake.commit
    made: list[str] = []

    def dies_at_the_third(self: Lake, name: str, *arguments: Any) -> int:
        made.append(name)
        if len(made) == 3:
            raise KeyboardInterrupt
        return commit(self, name, *arguments)

    monkeypatch.setattr(Lake, "commit", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        estimate(lake, Estimator(something(daily=[day("2026-01-10"), day("2026-01-11")])))
    monkeypatch.undo()
    assert set(promotions.why(Lake(lake))) == set(TABLES) - set(made[:2])
    estimate(lake, Estimator())
    assert {table: len(read(lake, table)) for table in TABLES} == dict.fromkeys(TABLES, 1)
    assert promotions.why(Lake(lake)) == {}


def test_each_commit_names_the_snapshots_it_was_made_from(lake: Settings) -> None:
    land_erp(lake.landing, "promocoes_1", promotion())
    night(lake)
    estimate(lake, Estimator())
    made = Lake(lake)
    for table in TABLES:
        last = made.provenance(table)
        assert last is not None
        assert last.step == "gold/promotions"
        assert last.inputs == {
            name: made.snapshot_id(name) for name in ("gold.daily_sales", "silver.products", "silver.stores", "silver.promotions")
        }
