"""A mistyped version beats every later correction: it is told, and the pack can name it as wrong."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.events import cancelled, land_events, placed
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import night, read

from sales_tech.settings import Settings

NOW = datetime.now(UTC)
AHEAD = f"01/02/{NOW.year + 36} 10:00:00"
EVENT_AHEAD = f"{NOW.year + 36}-02-01T10:00:00-03:00"


@pytest.fixture
def shop(erp: Settings, tmp_path: Path) -> Settings:
    """A lake that knows store L1 and the SKU A, with a pack of its own."""
    land_reference(erp.landing, "A")
    (pack,) = erp.sources
    own = tmp_path / "packs" / "erp_br"
    shutil.copytree(pack, own)
    return replace(erp, sources=(own,))


def name_as_wrong(shop: Settings, *versions: str) -> None:
    path = shop.sources[0] / "vendas.yaml"
    listed = ", ".join(f'"{version}"' for version in versions)
    path.write_text(path.read_text(encoding="utf-8").replace("columns:", f"wrong_versions: [{listed}]\ncolumns:"), encoding="utf-8")


def prices(shop: Settings) -> list[Decimal]:
    return [row["unit_price"] for row in read(shop, "silver.sales")]


def test_a_version_decades_ahead_is_told_with_file_line_and_value(shop: Settings) -> None:
    land_erp(shop.landing, "vendas_2026_01", sale("P1"), sale("P2", atualizado_em=AHEAD))
    (remark,) = night(shop)["silver/sales"].remarks
    assert remark.startswith(f"erp_br/vendas_2026_01.csv, line 3: atualizado_em is {AHEAD}, more than 366 days after the file came")
    assert "wrong_versions of erp_br/vendas.yaml" in remark
    land_erp(shop.landing, "vendas_2026_02", sale("P3"))
    assert night(shop)["silver/sales"].remarks == []


def test_a_version_within_a_year_is_not_told(shop: Settings) -> None:
    land_erp(shop.landing, "vendas_2026_01", sale("P1", atualizado_em=f"{NOW:%d/%m/%Y} 10:00:00"))
    assert night(shop)["silver/sales"].remarks == []


def test_a_version_that_the_pack_names_as_wrong_leaves_its_place_to_the_next(shop: Settings) -> None:
    land_erp(shop.landing, "vendas_2026_01", sale("P1", preco="99,00", atualizado_em=AHEAD), sale("P2"))
    night(shop)
    land_erp(shop.landing, "vendas_2026_02", sale("P1", preco="11,00", atualizado_em="12/01/2026 10:00:00"))
    night(shop)
    assert prices(shop) == [Decimal("99.00"), Decimal("10.00")]
    name_as_wrong(shop, AHEAD)
    assert night(shop)["silver/sales"].remarks == []
    assert prices(shop) == [Decimal("11.00"), Decimal("10.00")]
    assert [row["reasons"] for row in read(shop, "silver.rejects")] == ["atualizado_em: the pack names this version as wrong"]


def test_the_version_of_an_event_can_be_named_as_wrong_too(shop: Settings) -> None:
    land_erp(shop.landing, "vendas_2026_01", sale("P1"), sale("P2"))
    land_events(shop.landing, placed("P1", EVENT_AHEAD, ordered_at="2026-01-10T10:00:00-03:00"), cancelled("P2", EVENT_AHEAD))
    (remark,) = night(shop)["silver/sales"].remarks
    assert f"occurred_at is {EVENT_AHEAD}" in remark
    assert [row["stated_by"] for row in read(shop, "silver.sales") if row["status"] == "sold"] == ["order_events"]
    name_as_wrong(shop, EVENT_AHEAD)
    night(shop)
    assert [(row["status"], row["stated_by"]) for row in read(shop, "silver.sales")] == [("sold", "vendas")] * 2
    assert len(read(shop, "silver.rejects")) == 2


def test_an_event_can_be_named_as_wrong_where_sales_files_have_no_version(shop: Settings) -> None:
    path = shop.sources[0] / "vendas.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("version: atualizado_em\n", ""), encoding="utf-8")
    land_events(shop.landing, placed("P1", "2026-01-10T10:00:00-03:00"), cancelled("P1", EVENT_AHEAD))
    (remark,) = night(shop)["silver/sales"].remarks
    assert "wrong_versions of erp_br/vendas.yaml" in remark
    name_as_wrong(shop, EVENT_AHEAD)
    night(shop)
    assert [row["status"] for row in read(shop, "silver.sales")] == ["sold"]


def test_a_version_of_a_kind_that_only_supports_others_is_told(shop: Settings) -> None:
    path = shop.sources[0] / "produtos.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("columns:", "version: vigente_desde\ncolumns:"), encoding="utf-8")
    land_reference(shop.landing, "A")
    (remark,) = _products_ahead(shop)
    assert "produtos_2062.csv, line 2: vigente_desde is 01/02/2062" in remark


def test_never_as_systems_write_it_is_told_and_stops_no_night(shop: Settings) -> None:
    path = shop.sources[0] / "lojas.yaml"
    never = 'mudada: {header: Mudada, type: timestamp, format: "%d/%m/%Y %H:%M:%S", optional: true}'
    path.write_text(path.read_text(encoding="utf-8").replace("columns:", f"version: mudada\ncolumns:\n  {never}"), encoding="utf-8")
    text = "Loja;Nome;Cidade;UF;Região;Canal;Aberta em;Mudada\nL9;Nove;Santos;SP;Sul;Loja;01/02/2020;31/12/9999 23:59:59\n"
    (shop.landing / "erp_br" / "lojas_2021.csv").write_text(text, encoding="latin-1")
    (remark,) = night(shop)["silver/reference"].remarks
    assert "lojas_2021.csv, line 2: mudada is 31/12/9999 23:59:59, more than 366 days after the file came" in remark
    assert {row["store_id"] for row in read(shop, "silver.stores")} == {"L1", "L9"}


def _products_ahead(shop: Settings) -> list[str]:
    from tests.support.exports import product

    land_erp(shop.landing, "produtos_2062", product("A", vigente_desde="01/02/2062"))
    return night(shop)["silver/reference"].remarks
