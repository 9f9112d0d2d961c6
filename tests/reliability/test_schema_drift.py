"""A supplier changes its files in the middle of history: nothing is lost, the user is told, and a mended pack makes it good."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.exports import erp_text, land_erp, land_reference, sale
from tests.support.nights import REPOSITORY, night, read, read_all, snapshots

from sales_tech.contracts import table as contracts
from sales_tech.errors import LakeError
from sales_tech.lake.store import Lake
from sales_tech.settings import Settings

HISTORY = ("arrival", "version")
MONTHS = ("10/01/2026 10:00:00", "10/02/2026 10:00:00", "10/03/2026 10:00:00")
JANUARY, FEBRUARY, MARCH = (f"erp_br/vendas_2026-0{month}.csv" for month in (1, 2, 3))
Texts = list[str]


@dataclass
class Supplier:
    """A lake, its copy of the pack, and the files that the supplier sends: one of each month, the last two in another form."""

    settings: Settings
    fresh: Settings

    def send(self, month: int, change: Callable[[str], str] = lambda text: text) -> None:
        """Land the two sales of a month (from 0), in another form where one is given."""
        day = MONTHS[month]
        rows = [sale(f"P{month}", data_venda=day, preco="10,00"), sale(f"Q{month}", data_venda=day, preco="20,00", promocao="BF")]
        path = land_erp(self.settings.landing, f"vendas_2026-0{month + 1}")
        path.write_bytes(change(erp_text("vendas", rows)).encode("latin-1"))

    def mend(self, name: str, *changes: tuple[str, str]) -> None:
        path = self.settings.sources[0] / name
        text = path.read_text(encoding="utf-8")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")

    def as_from_the_start(self) -> None:
        """What the mended pack makes of the history is what it makes of the same files in one night, and then there is nothing to do."""
        settled = snapshots(self.settings)
        night(self.settings)
        assert snapshots(self.settings) == settled
        night(self.fresh)
        mended, anew = read_all(self.settings), read_all(self.fresh)
        # The books of files tell of each arrival, which of course were others.
        assert mended.keys() == anew.keys()
        for name in mended.keys() - {"bronze.files"}:
            assert mended[name] == anew[name], name
        loaded = [{row["file_id"]: row["rows"] for row in lake["bronze.files"] if row["status"] == "loaded"} for lake in (mended, anew)]
        assert loaded[0] == loaded[1]

    def orders(self) -> list[str]:
        return sorted(row["order_id"] for row in read(self.settings, "silver.sales"))


@pytest.fixture
def supplier(make_settings: Callable[..., Settings], tmp_path: Path) -> Supplier:
    pack = Path(shutil.copytree(REPOSITORY / "sources" / "erp_br", tmp_path / "packs" / "erp_br"))
    settings = replace(make_settings("erp_br", name="lake"), sources=(pack,))
    land_reference(settings.landing)
    found = Supplier(settings, replace(make_settings("erp_br", name="fresh"), sources=(pack,), landing=settings.landing))
    found.send(0)
    night(settings)
    return found


def with_column(text: str) -> str:
    """The text of a file with one more column, in the middle."""
    head, *lines = text.splitlines()
    return "\n".join(
        [head.replace(";SKU;", ";SKU;Vendedor;"), *(";".join([*(cells := line.split(";"))[:6], "Rui", *cells[6:]]) for line in lines)]
    )


def without_column(text: str) -> str:
    """The text of a file that lacks the column Promoção."""
    return "\n".join(";".join([*(cells := line.split(";"))[:13], *cells[14:]]) for line in text.splitlines())


def test_a_new_column_is_kept_beside_the_others_until_the_pack_knows_it(supplier: Supplier) -> None:
    supplier.send(1, with_column)
    results = night(supplier.settings)
    assert results["ingest/batch_csv"].rejected == {}
    bronze = {row["pedido"]: row for row in read(supplier.settings, "bronze.erp_br_vendas")}
    assert (bronze["P0"]["_extra"], bronze["P1"]["_extra"]) == (None, '{"Vendedor": "Rui"}')
    assert supplier.orders() == ["P0", "P1", "Q0", "Q1"]
    supplier.mend("vendas.yaml", ("  cpf:", "  vendedor: {header: Vendedor, optional: true}\n  cpf:"))
    night(supplier.settings)
    bronze = {row["pedido"]: row for row in read(supplier.settings, "bronze.erp_br_vendas")}
    assert [(bronze[order]["vendedor"], bronze[order]["_extra"]) for order in ("P0", "P1")] == [(None, None), ("Rui", None)]
    supplier.as_from_the_start()


def test_a_lost_column_rejects_the_file_by_name_until_the_pack_lets_it_be_missing(supplier: Supplier) -> None:
    supplier.send(1, without_column)
    supplier.send(2)
    results = night(supplier.settings)
    assert list(results["ingest/batch_csv"].rejected) == [FEBRUARY]
    assert results["ingest/batch_csv"].rejected[FEBRUARY].startswith("the header lacks 'Promoção'; found ")
    assert supplier.orders() == ["P0", "P2", "Q0", "Q2"]
    assert next((supplier.settings.lake / "archive").rglob("*")).exists()
    supplier.mend("vendas.yaml", ("{header: Promoção}", "{header: Promoção, optional: true}"))
    night(supplier.settings)
    assert supplier.orders() == ["P0", "P1", "P2", "Q0", "Q1", "Q2"]
    assert {row["order_id"]: row["promotion_id"] for row in read(supplier.settings, "silver.sales")}["Q1"] is None
    supplier.as_from_the_start()


def test_a_lost_column_that_comes_back_needs_no_mended_pack(supplier: Supplier) -> None:
    supplier.send(1, without_column)
    night(supplier.settings)
    supplier.send(1)
    assert night(supplier.settings)["ingest/batch_csv"].rejected == {}
    assert supplier.orders() == ["P0", "P1", "Q0", "Q1"]
    supplier.as_from_the_start()


@pytest.mark.parametrize("by", ["a list of headers", "a column for each header"])
def test_a_renamed_column_rejects_the_file_until_the_pack_reads_both_names(supplier: Supplier, by: str) -> None:
    def renamed(text: str) -> str:
        text = text.replace("Preço Unitário", "Preço (R$)")
        return text + text.splitlines(keepends=True)[0]  # with its header once more

    for month in (1, 2):
        supplier.send(month, renamed)
    results = night(supplier.settings)
    assert set(results["ingest/batch_csv"].rejected) == {FEBRUARY, MARCH}
    for reason in results["ingest/batch_csv"].rejected.values():
        assert "the header lacks 'Preço Unitário'; found " in reason
        assert "'Preço (R$)'" in reason
    money = 'type: "decimal(18,2)"'
    declared = f"preco: {{header: Preço Unitário, {money}, required: true}}"
    if by == "a list of headers":
        supplier.mend("vendas.yaml", (declared, declared.replace("Preço Unitário", "[Preço Unitário, Preço (R$)]")))
    else:
        old = f"preco: {{header: Preço Unitário, {money}, optional: true}}"
        supplier.mend("vendas.yaml", (declared, f"{old}\n  preco_novo: {{header: Preço (R$), {money}, optional: true}}"))
        supplier.mend("sales.sql", ("preco as unit_price", "coalesce(preco, preco_novo) as unit_price"))
    night(supplier.settings)
    assert read(supplier.settings, "silver.rejects") == []
    assert {row["order_id"]: str(row["unit_price"]) for row in read(supplier.settings, "silver.sales")} == {
        f"{letter}{month}": price for letter, price in (("P", "10.00"), ("Q", "20.00")) for month in range(3)
    }
    supplier.as_from_the_start()


def test_a_column_with_a_wider_type_rejects_its_rows_and_no_file_until_the_pack_knows_it(supplier: Supplier) -> None:
    supplier.send(1, lambda text: text.replace("P1;1;", "P1;1A;"))
    night(supplier.settings)
    (row,) = read(supplier.settings, "silver.rejects")
    assert (row["file_path"], row["line_number"], row["reasons"]) == (FEBRUARY, 2, "item: not an integer")
    assert supplier.orders() == ["P0", "Q0", "Q1"]
    supplier.mend("vendas.yaml", ("item: {header: Item, type: integer", "item: {header: Item, type: string"))
    night(supplier.settings)
    assert {row["order_id"]: row["line"] for row in read(supplier.settings, "silver.sales")} == {
        "P0": "1",
        "Q0": "1",
        "P1": "1A",
        "Q1": "1",
    }
    assert read(supplier.settings, "silver.rejects") == []
    supplier.as_from_the_start()


def test_money_with_more_decimals_is_rejected_and_never_rounded_in_silence(supplier: Supplier) -> None:
    supplier.send(1, lambda text: text.replace("10,00", "10,005"))
    night(supplier.settings)
    assert [row["reasons"] for row in read(supplier.settings, "silver.rejects")] == ["preco: not a decimal(18,2)"]
    supplier.mend("vendas.yaml", ('{header: Preço Unitário, type: "decimal(18,2)"', '{header: Preço Unitário, type: "decimal(18,4)"'))
    supplier.mend("sales.sql", ("preco as unit_price", "cast(round(preco, 2) as decimal(18,2)) as unit_price"))
    night(supplier.settings)
    assert {row["order_id"]: str(row["unit_price"]) for row in read(supplier.settings, "silver.sales")}["P1"] == "10.01"
    supplier.as_from_the_start()


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Mend the contract of a table in a copy of the package's own."""
    folder = Path(shutil.copytree(contracts.tables_folder(), tmp_path / "tables"))
    monkeypatch.setattr(contracts, "tables_folder", lambda: folder)

    def mend(name: str, *changes: tuple[str, str]) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        for before, after in changes:
            assert before in text
            path.write_text(text := text.replace(before, after), encoding="utf-8")
        contracts.table_contract.cache_clear()

    yield mend
    monkeypatch.undo()
    contracts.table_contract.cache_clear()


def test_a_column_that_a_table_s_contract_gains_is_there_for_all_of_history(supplier: Supplier, tables: Any) -> None:
    first = Lake(supplier.settings).snapshot_id("silver.sales")
    tables("silver/sales.yaml", ("  status:", '  seller: {type: string, description: "Who sold it"}\n  status:'))
    supplier.mend("vendas.yaml", ("  cpf:", "  vendedor: {header: Vendedor, optional: true}\n  cpf:"))
    supplier.mend("sales.sql", ("    status\nfrom", "    vendedor as seller,\n    status\nfrom"))
    supplier.send(1, with_column)
    night(supplier.settings)
    assert {row["order_id"]: row["seller"] for row in read(supplier.settings, "silver.sales")} == {
        "P0": None,
        "Q0": None,
        "P1": "Rui",
        "Q1": "Rui",
    }
    table = Lake(supplier.settings).table("silver.sales")
    assert [row["order_id"] for row in table.scan(snapshot_id=first).to_arrow().to_pylist()] == ["P0", "Q0"]
    supplier.as_from_the_start()


def test_a_type_that_a_table_s_contract_widens_holds_for_all_of_history(supplier: Supplier, tables: Any) -> None:
    tables("silver/sales.yaml", ("quantity: {type: int,", "quantity: {type: long,"))
    supplier.send(1, lambda text: text.replace(";1;10,00;", ";3000000000;0,01;"))
    night(supplier.settings)
    assert {row["order_id"]: row["quantity"] for row in read(supplier.settings, "silver.sales")} == {
        "P0": 1,
        "Q0": 1,
        "P1": 3_000_000_000,
        "Q1": 1,
    }
    assert str(Lake(supplier.settings).table("silver.sales").schema().find_type("quantity")) == "long"
    supplier.as_from_the_start()


def test_a_type_that_a_table_s_contract_narrows_is_refused_in_words_and_changes_nothing(supplier: Supplier, tables: Any) -> None:
    tables("silver/sales.yaml", ("stated_line_number: {type: long,", "stated_line_number: {type: int,"))
    supplier.send(1)
    words = r"silver\.sales: stated_line_number is long and by the contract int; expected the same type or a wider one"
    with pytest.raises(LakeError, match=words):
        night(supplier.settings)
    assert supplier.orders() == ["P0", "Q0"]
    tables("silver/sales.yaml", ("stated_line_number: {type: int,", "stated_line_number: {type: long,"))
    night(supplier.settings)
    supplier.as_from_the_start()
