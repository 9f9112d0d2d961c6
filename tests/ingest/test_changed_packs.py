"""A mended pack reads again what it read wrongly before."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.exports import erp_header, land_erp, land_reference, sale
from tests.support.nights import BOTH_PLACES, REPOSITORY, night, read, read_all, snapshots
from tests.support.outcomes import shown

from sales_tech.errors import ContractError, LakeError, UnreadableFile
from sales_tech.ingest import batch_csv
from sales_tech.lake.store import Lake
from sales_tech.orchestration.pipeline import Outcome, execute_run
from sales_tech.orchestration.plan import plan
from sales_tech.orchestration.steps import STEPS, chosen
from sales_tech.runs import Run
from sales_tech.settings import Settings
from sales_tech.transform import sales


@pytest.fixture
def own(tmp_path: Path, erp: Settings) -> Settings:
    """Settings with a copy of the pack erp_br that a test may change."""
    pack = Path(shutil.copytree(REPOSITORY / "sources" / "erp_br", tmp_path / "packs" / "erp_br"))
    land_reference(erp.landing)
    return replace(erp, sources=(pack,))


def change(settings: Settings, kind: str, before: str, after: str) -> None:
    path = settings.sources[0] / f"{kind}.yaml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_a_column_put_under_another_header_is_read_again_from_the_archive(own: Settings, make_settings: Callable[..., Settings]) -> None:
    change(own, "vendas", "header: Preço Unitário", "header: Frete")
    change(own, "vendas", "frete: {header: Frete", "frete: {header: Preço Unitário")
    land_erp(own.landing, "vendas_2026-01", sale("1", preco="10,00", frete="3,00"))
    night(own)
    assert [str(row["unit_price"]) for row in read(own, "silver.sales")] == ["3.00"]
    for path in (own.sources[0] / "vendas.yaml",):
        shutil.copy(REPOSITORY / "sources" / "erp_br" / "vendas.yaml", path)
    (own.landing / "erp_br" / "vendas_2026-01.csv").unlink()
    night(own)
    assert [str(row["unit_price"]) for row in read(own, "silver.sales")] == ["10.00"]
    fresh = replace(make_settings("erp_br", name="fresh"), landing=own.landing)
    land_erp(own.landing, "vendas_2026-01", sale("1", preco="10,00", frete="3,00"))
    night(fresh)
    mended, anew = read_all(own), read_all(fresh)
    for table in ("bronze.erp_br_vendas", "silver.sales", "silver.fates", "gold.daily_sales"):
        assert mended[table] == anew[table], table


def test_after_reading_again_a_night_has_nothing_to_do(own: Settings) -> None:
    land_erp(own.landing, "vendas_2026-01", sale("1"), sale("2"))
    night(own)
    change(own, "vendas", "header: Promoção", "header: Canal de Promoção, optional: true")
    assert night(own)["ingest/batch_csv"].commits
    before = snapshots(own)
    night(own)
    assert snapshots(own) == before
    assert len(read(own, "bronze.erp_br_vendas")) == 2
    assert len({row["_load_id"] for row in read(own, "bronze.erp_br_vendas")}) == 1


def test_a_new_column_of_the_pack_takes_its_text_from_the_files_loaded_before(own: Settings) -> None:
    text = "Loja;Nome;Cidade;UF;Região;Canal;Aberta em;Gerente\nL9;Nove;Santos;SP;Sul;Loja;01/02/2020;Rui\n"
    (own.landing / "erp_br" / "lojas_2021.csv").write_text(text, encoding="latin-1")
    night(own)
    change(own, "lojas", "  aberta_em:", "  gerente: {header: Gerente, optional: true}\n  aberta_em:")
    night(own)
    managers = {row["loja"]: row["gerente"] for row in read(own, "bronze.erp_br_lojas")}
    assert managers == {"L1": None, "L9": "Rui"}


@pytest.mark.parametrize("entered", [True, False], ids=["after another night", "of the first night"])
def test_rows_of_a_night_that_was_stopped_before_it_entered_their_file_are_read_again_too(
    own: Settings, monkeypatch: pytest.MonkeyPatch, entered: bool
) -> None:
    if entered:
        land_erp(own.landing, "vendas_2026-01", sale("1"))
        night(own)
    land_erp(own.landing, "vendas_2026-02", sale("2"), sale("3"))

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(batch_csv, "enter", stopped)
        batch_csv.run(Run.begin(own))
    change(own, "vendas", "header: Promoção", "header: Canal de Promoção, optional: true")
    night(own)
    orders = {"1", "2", "3"} if entered else {"2", "3"}
    assert {row["pedido"] for row in read(own, "bronze.erp_br_vendas")} == orders
    assert {row["order_id"] for row in read(own, "silver.sales")} == orders
    assert [row["rows"] for row in read(own, "bronze.files") if row["file_path"] == "erp_br/vendas_2026-02.csv"] == [2]
    assert all(not result.commits for result in night(own).values())


def test_a_changed_pack_that_cannot_read_what_was_loaded_before_says_so_and_changes_nothing(own: Settings) -> None:
    land_erp(own.landing, "vendas_2026-01", sale("1"))
    night(own)
    before = read_all(own)
    change(own, "vendas", 'delimiter: ";"', 'delimiter: "|"')
    with pytest.raises(
        UnreadableFile,
        match=r"vendas.yaml changed, and erp_br/vendas_2026-01.csv.*the delimiter looks like ';'.*reads all files of a kind in one way",
    ):
        night(own)
    assert read_all(own) == before


@BOTH_PLACES
def test_a_changed_pack_that_misses_the_copy_of_a_file_says_which_and_changes_nothing(own: Settings) -> None:
    night(own)
    before = read(own, "bronze.erp_br_lojas")
    archive = Lake(own).platform.lake
    archive.remove([entry.name for entry in archive.entries("archive")])
    for downloaded in own.work.rglob("s3-*"):
        shutil.rmtree(downloaded)
    change(own, "lojas", "{header: Região", "{optional: true, header: Região")
    with pytest.raises(LakeError, match=r"the copy of erp_br/lojas_2020.csv, archive/.*, is gone"):
        night(own)
    assert read(own, "bronze.erp_br_lojas") == before


def test_a_kind_that_files_were_loaded_by_cannot_be_renamed_and_its_rows_stay_in_silver(own: Settings) -> None:
    land_erp(own.landing, "vendas_2026-01", sale("1"), sale("2"))
    night(own)
    whole = read_all(own)
    pack = own.sources[0]
    (pack / "vendas.yaml").rename(pack / "faturas.yaml")
    (pack / "sales.sql").write_text(
        (pack / "sales.sql").read_text(encoding="utf-8").replace("from vendas", "from faturas"), encoding="utf-8"
    )
    land_erp(own.landing, "vendas_2026-02", sale("3"))
    for work in (lambda: night(own), lambda: plan(Run.begin(own), STEPS), lambda: sales.run(Run.begin(own, force=True))):
        with pytest.raises(ContractError, match=r"erp_br: no vendas.yaml, by which 1 file was loaded; expected each kind to keep its name"):
            work()
    assert read_all(own) == whole
    (pack / "faturas.yaml").rename(pack / "vendas.yaml")
    shutil.copy(REPOSITORY / "sources" / "erp_br" / "sales.sql", pack)
    night(own)
    assert {row["order_id"] for row in read(own, "silver.sales")} == {"1", "2", "3"}


def test_a_pack_under_another_name_leaves_rows_behind_that_every_run_and_plan_tells(own: Settings) -> None:
    land_erp(own.landing, "vendas_2026-01", sale("1"))
    assert run_of_ingest(own).remarks == []
    own.sources[0].rename(own.sources[0].with_name("loja"))
    renamed = replace(own, sources=(own.sources[0].with_name("loja"),))
    said = r"erp_br: the lake has rows of 3 of its files, but no pack of this name.*call it erp_br again.*another pack's name, .* new lake"
    for _ in range(2):
        assert re.search(said, " ".join(shown(run_of_ingest(renamed)).split()))
    assert [warning.partition(":")[0] for item in plan(Run.begin(renamed), STEPS) for warning in item.warnings] == ["erp_br"]
    assert {row["source"] for row in read(renamed, "bronze.files") if row["status"] == "loaded"} == {"erp_br"}


def test_two_shops_with_the_same_catalogue_are_told_that_only_one_has_it_and_how_both_get_it(own: Settings) -> None:
    other = Path(shutil.copytree(own.sources[0], own.sources[0].with_name("second")))
    for path in other.glob("*.yaml"):
        path.write_text(path.read_text(encoding="utf-8").replace("glob: erp_br/", "glob: second/"), encoding="utf-8")
    both = replace(own, sources=(own.sources[0], other))
    (own.landing / "second").mkdir()
    catalogue, copy = (own.landing / shop / "produtos_2020.csv" for shop in ("erp_br", "second"))
    shutil.copy(catalogue, copy)
    for shop in ("erp_br", "second"):  # no sales today
        (own.landing / shop / "vendas_1.csv").write_text(erp_header("vendas"), encoding="latin-1")
    (remark,) = batch_csv.run(Run.begin(both)).remarks
    told = "second/produtos_2020.csv has the same bytes as erp_br/produtos_2020.csv, by which they were loaded for erp_br/produtos.yaml"
    assert remark.startswith(f"{told}: second has none of its rows. Export it with any difference, such as an empty line at its end")
    with copy.open("ab") as file:
        file.write(b"\n")
    assert batch_csv.run(Run.begin(both)).remarks == []
    assert [row["sku"] for row in read(both, "bronze.second_produtos") if row["sku"]] == ["A"]


def run_of_ingest(settings: Settings) -> Outcome:
    return execute_run(Run.begin(settings), chosen(["ingest/batch_csv"]), None, lambda _: nullcontext())
