"""A lake works wherever it lies."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import HASH_KEY, night, settings_in

from sales_tech.lake.query import Reader
from sales_tech.orchestration import maintenance
from sales_tech.runs import Run


@pytest.mark.parametrize("name", ["my lake", "João's lago", "100%20 lake", "sku=7", "lake *"])
def test_a_lake_may_lie_in_a_folder_with_blanks_accents_and_signs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALES_TECH_HASH_KEY", HASH_KEY)
    settings = settings_in(tmp_path / name, "erp_br")
    land_reference(settings.landing)
    land_erp(settings.landing, "vendas_2026-01", sale("1"), sale("2"))
    night(settings)
    assert len(Reader(settings).arrow("select * from silver.sales")) == 2
    assert maintenance.missing_and_unnamed(Run.begin(settings)) == {"missing": 0, "unnamed": 0}
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing is written beside it"
