"""Which line of an ERP becomes a sale, which version of it counts, and what happens to the others."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.compare import assert_as_expected
from tests.support.exports import erp_header, land_erp, land_reference, product, sale, store
from tests.support.nights import night, read

from sales_tech.settings import Settings

JANUARY, FEBRUARY = "10/01/2026 10:00:00", "05/02/2026 10:00:00"


def fates(lake: Settings, kind: str = "vendas") -> dict[str, int]:
    """Rows of a kind of file by fate."""
    counts: Counter[str] = Counter()
    for row in read(lake, "silver.fates"):
        if row["file_kind"] == kind:
            counts[row["fate"]] += row["rows"]
    return dict(counts)


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The one row of a table that has one."""
    (row,) = rows
    return row


@pytest.fixture
def lake(erp: Settings) -> Settings:
    """A lake into whose landing folder came one store, L1, and one product, A at a cost of 6,00."""
    land_reference(erp.landing, "A")
    return erp


def test_a_part_of_a_unit_is_rejected_and_not_rounded(lake: Settings, tmp_path: Path) -> None:
    pack = Path(shutil.copytree(lake.sources[0], tmp_path / "packs" / "erp_br"))
    text = (
        (pack / "vendas.yaml")
        .read_text(encoding="utf-8")
        .replace("header: Quantidade, type: integer", 'header: Quantidade, type: "decimal(10,3)"')
    )
    (pack / "vendas.yaml").write_text(text, encoding="utf-8")
    land_erp(lake.landing, "vendas_1", *(sale(units, quantidade=units) for units in ("2,5", "0,4", "2,000", "3")))
    night(replace(lake, sources=(pack,)))
    assert {row["order_id"]: row["quantity"] for row in read(lake, "silver.sales")} == {"2,000": 2, "3": 3}
    broken = "quantity: not a whole number"
    assert {row["line_number"]: row["reasons"] for row in read(lake, "silver.rejects")} == {2: broken, 3: f"{broken}; quantity: zero"}


def test_amounts_that_fit_no_column_reject_their_line_and_stop_no_night(lake: Settings) -> None:
    most = "9999999999999999,99"
    land_erp(
        lake.landing,
        "vendas_1",
        sale("1", preco=most),
        sale("2", preco=most, quantidade="2"),
        sale("3", preco=most, quantidade="2", desconto=most),
        sale("4", preco=most, desconto=f"-{most}"),
        sale("5", quantidade="-2147483648", situacao="DEVOLVIDO"),
        sale("6", preco=most),
    )
    night(lake)
    assert {row["order_id"] for row in read(lake, "silver.sales")} == {"1", "6"}
    gross = "quantity times unit_price: does not fit decimal(18,2)"
    reasons = {row["line_number"]: row["reasons"] for row in read(lake, "silver.rejects")}
    assert reasons == {3: gross, 4: gross, 5: "net_sales: does not fit decimal(18,2)", 6: "quantity: does not fit int"}
    assert only(read(lake, "gold.daily_sales"))["net_sales"] == Decimal("19999999999999999.98")


def test_a_sale_is_typed_and_its_customer_hashed(lake: Settings) -> None:
    path = land_erp(lake.landing, "vendas_1", sale(quantidade="2", preco="1.234,50", desconto="4,00", frete="7,9", promocao="BF25"))
    night(lake)
    row = only(read(lake, "silver.sales"))
    assert (row["sold_on"], row["sold_at"].isoformat()) == (date(2026, 1, 10), "2026-01-10T13:00:00+00:00")
    assert (row["unit_price"], row["freight"], row["net_sales"]) == (Decimal("1234.50"), Decimal("7.90"), Decimal("2465.00"))
    assert row["customer_key"] not in (None, "111.444.777-35")
    assert_as_expected(lake, [*_reference_files(lake), path])


def test_a_sale_just_before_midnight_belongs_to_its_local_day(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale(data_venda="31/01/2026 23:59:59"))
    night(lake)
    row = only(read(lake, "silver.sales"))
    assert (row["sold_on"], row["sold_at"].date()) == (date(2026, 1, 31), date(2026, 2, 1))


def test_a_correction_replaces_the_line_it_corrects(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale(quantidade="1"))
    night(lake)
    land_erp(lake.landing, "vendas_2", sale(quantidade="3", atualizado_em=FEBRUARY))
    night(lake)
    assert only(read(lake, "silver.sales"))["quantity"] == 3
    assert only(read(lake, "gold.daily_sales"))["units"] == 3
    assert fates(lake) == {"accepted": 1, "superseded": 1}


def test_a_correction_that_moves_a_sale_to_another_month_leaves_the_old_month(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale(data_venda=JANUARY))
    night(lake)
    land_erp(lake.landing, "vendas_2", sale(data_venda=FEBRUARY))
    night(lake)
    assert [row["sold_on"] for row in read(lake, "silver.sales")] == [date(2026, 2, 5)]
    assert [row["sold_on"] for row in read(lake, "gold.daily_sales")] == [date(2026, 2, 5)]
    assert [row["sold_on"] for row in read(lake, "gold.kpis_daily")] == [date(2026, 2, 5)]


def test_a_late_stale_version_does_not_replace_a_newer_one(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale(quantidade="2", atualizado_em="20/01/2026 10:00:00"))
    night(lake)
    land_erp(lake.landing, "vendas_2", sale(quantidade="9", data_venda=FEBRUARY, atualizado_em="15/01/2026 10:00:00"))
    night(lake)
    row = only(read(lake, "silver.sales"))
    assert (row["quantity"], row["sold_on"]) == (2, date(2026, 1, 10))
    assert fates(lake) == {"accepted": 1, "superseded": 1}


def test_of_two_versions_with_the_same_update_the_later_file_counts(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_2", sale(quantidade="2"))
    night(lake)
    # Its name sorts before the other's, but it came a night later.
    land_erp(lake.landing, "vendas_1", sale(quantidade="1"))
    night(lake)
    assert only(read(lake, "silver.sales"))["quantity"] == 1


def test_of_two_equal_lines_in_a_file_the_later_one_counts(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale(), sale())
    night(lake)
    assert only(read(lake, "silver.sales"))["line_number"] == 3
    assert fates(lake) == {"accepted": 1, "superseded": 1}


def test_a_garbled_correction_leaves_the_sale_as_it_was(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale(quantidade="2"))
    night(lake)
    land_erp(lake.landing, "vendas_2", sale(quantidade="três", atualizado_em=FEBRUARY))
    night(lake)
    assert only(read(lake, "silver.sales"))["quantity"] == 2
    assert fates(lake) == {"accepted": 1, "rejected": 1}


def test_a_cancelled_order_is_not_a_sale(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale("P1"), sale("P2"))
    night(lake)
    land_erp(lake.landing, "vendas_2", sale("P2", situacao="CANCELADO", atualizado_em=FEBRUARY))
    night(lake)
    assert sorted(row["status"] for row in read(lake, "silver.sales")) == ["cancelled", "sold"]
    day = only(read(lake, "gold.kpis_daily"))
    assert (day["units"], day["orders"], day["cancelled_lines"]) == (1, 1, 1)


def test_a_day_whose_only_sale_is_cancelled_leaves_gold(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale())
    night(lake)
    land_erp(lake.landing, "vendas_2", sale(situacao="CANCELADO", atualizado_em=FEBRUARY))
    night(lake)
    for table in ("daily_sales", "kpis_daily", "product_performance", "customer_value"):
        assert read(lake, f"gold.{table}") == []


def test_classes_and_customer_values_look_at_the_year_of_most_sales_whatever_a_mistyped_year_says(lake: Settings) -> None:
    days = [sale(f"P{day}", cpf=str(day), data_venda=f"{day}/01/2026 10:00:00") for day in (11, 12, 13)]
    mistyped = sale("P14", cpf="14", data_venda="14/01/2099 10:00:00", atualizado_em=JANUARY)
    mended = sale("P14", cpf="14", data_venda="14/01/2026 10:00:00", atualizado_em=FEBRUARY)
    for number, (lines, orders, until) in enumerate([(days, 3, 13), ([mistyped], 3, 13), ([mended], 4, 14)], start=1):
        land_erp(lake.landing, f"vendas_{number}", *lines)
        night(lake)
        product = only(read(lake, "gold.product_performance"))
        assert (product["units"], product["last_sold_on"]) == (orders, date(2026, 1, until))
        customers = read(lake, "gold.customer_value")
        assert sorted(row["recency_days"] for row in customers) == list(range(orders))


def test_a_year_of_more_sales_takes_the_place_of_an_earlier_one(lake: Settings) -> None:
    earlier, later = "10/01/2020 10:00:00", "10/01/2026 10:00:00"
    land_erp(lake.landing, "vendas_1", sale("P1", data_venda=earlier), sale("P2", data_venda=later, quantidade="2"))
    land_erp(lake.landing, "vendas_2", sale("P3", data_venda=earlier, quantidade="5", situacao="DEVOLVIDO"))
    night(lake)
    assert only(read(lake, "gold.product_performance"))["last_sold_on"] == date(2026, 1, 10)
    assert only(read(lake, "gold.customer_value"))["last_order_on"] == date(2026, 1, 10)


@pytest.mark.parametrize("written", ["2", "-2"])
def test_a_returned_line_counts_negative(lake: Settings, written: str) -> None:
    land_erp(lake.landing, "vendas_1", sale("P1", quantidade="3"), sale("P2", quantidade=written, desconto="1,00", situacao="DEVOLVIDO"))
    night(lake)
    row = only(read(lake, "gold.daily_sales"))
    assert (row["units"], row["returned_units"], row["net_sales"]) == (1, 2, Decimal("11.00"))
    assert (row["returned_gross_sales"], row["returned_net_sales"]) == (Decimal("20.00"), Decimal("19.00"))


def test_a_negative_quantity_that_is_no_return_is_rejected(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale(quantidade="-1"))
    night(lake)
    row = only(read(lake, "silver.rejects"))
    assert (row["reasons"], row["waits"], row["line_number"]) == ("quantity: negative though the line is not a return", False, 2)
    assert read(lake, "silver.sales") == []


def test_a_rejected_row_is_kept_without_personal_data(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale(quantidade="dois", cpf="111.444.777-35"), "P9;1;111.444.777-35")
    night(lake)
    rows = read(lake, "silver.rejects")
    assert len(rows) == 2
    for personal in ("111.444.777-35", "Ana", "ana@example.com"):
        assert all(personal not in row["row"] for row in rows)
    assert '"quantidade":"dois"' in rows[0]["row"]


def test_blank_lines_and_repeated_headers_are_ignored(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale("P1"), "", erp_header("vendas"), ";" * 15, sale("P2"))
    night(lake)
    assert fates(lake) == {"accepted": 2, "ignored": 3}


def test_a_sale_of_an_unknown_sku_waits_and_is_accepted_once_the_product_arrives(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale("P1"), sale("P2", sku="B"))
    night(lake)
    waiting = only(read(lake, "silver.rejects"))
    assert (waiting["reasons"], waiting["waits"]) == ("sku: not in silver.products", True)
    land_erp(lake.landing, "produtos_2026", product("B"))
    night(lake)
    assert [row["sku"] for row in read(lake, "silver.sales")] == ["A", "B"]
    assert read(lake, "silver.rejects") == []
    assert fates(lake) == {"accepted": 2}


def test_a_sale_that_lacks_product_and_store_waits_for_both(erp: Settings) -> None:
    land_erp(erp.landing, "vendas_1", sale())
    night(erp)
    assert only(read(erp, "silver.rejects"))["reasons"] == "sku: not in silver.products; store_id: not in silver.stores"
    land_erp(erp.landing, "produtos_1", product())
    night(erp)
    assert only(read(erp, "silver.rejects"))["reasons"] == "store_id: not in silver.stores"
    land_erp(erp.landing, "lojas_1", store())
    night(erp)
    assert fates(erp) == {"accepted": 1}


def test_a_waiting_version_that_is_stale_by_then_is_superseded_when_its_product_arrives(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale(sku="B", atualizado_em=JANUARY))
    night(lake)
    land_erp(lake.landing, "vendas_2", sale(sku="A", atualizado_em=FEBRUARY))
    night(lake)
    land_erp(lake.landing, "produtos_2026", product("B"))
    night(lake)
    assert only(read(lake, "silver.sales"))["sku"] == "A"
    assert fates(lake) == {"accepted": 1, "superseded": 1}


def test_a_waiting_correction_takes_its_place_when_its_product_arrives(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale(data_venda=JANUARY))
    night(lake)
    land_erp(lake.landing, "vendas_2", sale(sku="B", data_venda=FEBRUARY))
    night(lake)
    assert only(read(lake, "silver.sales"))["sku"] == "A"
    land_erp(lake.landing, "produtos_2026", product("B"))
    night(lake)
    row = only(read(lake, "gold.daily_sales"))
    assert (row["sku"], row["sold_on"]) == ("B", date(2026, 2, 5))
    assert fates(lake) == {"accepted": 1, "superseded": 1}


def test_a_cost_that_arrives_later_with_an_earlier_date_changes_the_days_it_holds_for(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_1", sale("P1", data_venda=JANUARY), sale("P2", data_venda=FEBRUARY))
    night(lake)
    land_erp(lake.landing, "produtos_2026", product("A", custo="7,00", vigente_desde="01/02/2026"))
    night(lake)
    assert {row["sold_on"].month: row["cost"] for row in read(lake, "gold.daily_sales")} == {1: Decimal("6.00"), 2: Decimal("7.00")}
    assert {row["sold_on"].month: row["margin"] for row in read(lake, "gold.kpis_daily")} == {1: Decimal("4.00"), 2: Decimal("3.00")}


def test_a_price_sheet_that_repeats_what_holds_makes_no_new_period(lake: Settings) -> None:
    land_erp(
        lake.landing, "produtos_2026", product("A", vigente_desde="01/02/2026"), product("A", custo="7,00", vigente_desde="01/03/2026")
    )
    night(lake)
    periods = [(row["valid_from"], row["valid_to"], row["cost"]) for row in read(lake, "silver.products")]
    assert periods == [
        (date(2020, 1, 1), date(2026, 3, 1), Decimal("6.00")),
        (date(2026, 3, 1), None, Decimal("7.00")),
    ]
    assert fates(lake, "produtos") == {"accepted": 3}


def test_a_forced_run_gives_the_same_tables(lake: Settings) -> None:
    files = [land_erp(lake.landing, "vendas_1", sale("P1"), sale("P2", sku="B"), sale("P3", quantidade="0"))]
    night(lake)
    files.append(land_erp(lake.landing, "vendas_2", sale("P1", data_venda=FEBRUARY), ""))
    night(lake)
    night(lake, force=True)
    assert_as_expected(lake, [*_reference_files(lake), *files])


def _reference_files(lake: Settings) -> list[Path]:
    return sorted([*lake.landing.glob("erp_br/lojas_*"), *lake.landing.glob("erp_br/produtos_*")])
