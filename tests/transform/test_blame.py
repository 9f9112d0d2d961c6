"""A value that a pack's SQL cannot compute is told with its column and row, and what would have it rejected."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.exports import land_erp, land_reference, product, sale
from tests.support.nights import REPOSITORY, night, read

from sales_tech.errors import ContractError
from sales_tech.settings import Settings

GREAT = "9999999999999999,99"
Mapped = Callable[[str, str, str], Settings]


@pytest.fixture
def mapped(tmp_path: Path, erp: Settings) -> Mapped:
    """Settings with a copy of the pack erp_br in one of whose SQL files a text is another."""

    def change(name: str, before: str, after: str) -> Settings:
        pack = Path(shutil.copytree(REPOSITORY / "sources" / "erp_br", tmp_path / "packs" / "erp_br"))
        text = (pack / name).read_text(encoding="utf-8")
        assert text.count(before) == 1
        (pack / name).write_text(text.replace(before, after), encoding="utf-8")
        land_reference(erp.landing)
        return replace(erp, sources=(pack,))

    return change


def test_a_product_that_fits_no_decimal_names_the_row_and_as_a_double_rejects_it(mapped: Mapped) -> None:
    settings = mapped("sales.sql", "frete as freight", "frete * preco * preco as freight")
    land_erp(settings.landing, "vendas_1", *(sale(f"P{n}", frete="1,00", preco="2,00") for n in range(5)))
    night(settings)
    land_erp(settings.landing, "vendas_2", sale("P5", frete="1,00"), sale("P6", frete=GREAT, preco=GREAT), sale("P7", frete="1,00"))
    said = r"sales.sql:\d+: column freight cannot be computed for line 3 of erp_br/vendas_2.csv: .*DECIMAL.*; expected SQL .* as double"
    with pytest.raises(ContractError, match=said):
        night(settings)
    path = settings.sources[0] / "sales.sql"
    path.write_text(
        path.read_text(encoding="utf-8").replace("frete * preco * preco", "cast(frete as double) * preco * preco"), encoding="utf-8"
    )
    night(settings)
    assert {row["order_id"]: row["freight"] for row in read(settings, "silver.sales")} == {
        **{f"P{n}": Decimal(4) for n in range(5)},
        **{f"P{n}": Decimal(100) for n in (5, 7)},
    }
    (row,) = read(settings, "silver.rejects")
    assert row["line_number"] == 3
    assert "freight: does not fit decimal(18,2)" in row["reasons"]


def test_a_text_that_is_no_number_names_the_row_of_a_table_that_supports_others(mapped: Mapped) -> None:
    settings = mapped("products.sql", "p.custo as cost", "cast(p.descricao as integer) as cost")
    land_erp(settings.landing, "produtos_2026", product("B", descricao="12"), product("C", descricao="doze"))
    with pytest.raises(ContractError, match=r"products.sql:\d+: column cost cannot be computed for line \d of erp_br/produtos.*; expected"):
        night(settings)


def test_a_join_that_finds_two_rows_names_the_row_that_comes_out_twice_and_the_key_to_join_by(mapped: Mapped) -> None:
    # A list price for each day: one of the key's two columns is not enough once a second price has come.
    settings = mapped("sales.sql", "    from vendas as v", "    from vendas as v\n    left join produtos as p on p.sku = v.sku")
    land_erp(settings.landing, "vendas_1", sale("P1"), sale("P2"))
    night(settings)
    before = read(settings, "silver.sales")
    assert len(before) == 2
    land_erp(settings.landing, "produtos_2027", product("A", vigente_desde="01/01/2027"))
    said = (
        r"sales.sql:\d+: line 2 of erp_br/vendas_1.csv comes out 2 times; nothing was committed; expected every row once, so each "
        r"left join to find one row at most: by all of the key of its file kind \(that of produtos is sku, vigente_desde\)"
    )
    for force in (False, True):
        with pytest.raises(ContractError, match=said):
            night(settings, force=force)
    assert read(settings, "silver.sales") == before


def test_a_join_of_a_table_that_supports_others_is_told_too(mapped: Mapped) -> None:
    settings = mapped("stores.sql", "from lojas as l", "from lojas as l\nleft join produtos as p on true")
    land_erp(settings.landing, "produtos_2027", product("B"))
    with pytest.raises(ContractError, match=r"stores.sql:\d+: line 2 of erp_br/lojas_2020.csv comes out 2 times"):
        night(settings)
