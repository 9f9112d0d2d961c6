"""A lake some of whose files are gone or cut short says which and what to do, and nothing is built around the hole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import night, read_all, settings_in, snapshots

from sales_tech import avro
from sales_tech.errors import LakeError
from sales_tech.lake.orphans import orphans
from sales_tech.lake.query import Reader
from sales_tech.lake.store import Lake, existing
from sales_tech.orchestration.plan import plan
from sales_tech.orchestration.steps import STEPS
from sales_tech.runs import Run
from sales_tech.settings import Settings

pytestmark = pytest.mark.usefixtures("hash_key")
ASK = "select count(*) as n from silver.sales"
REMEDY = "restore it from a backup; docs/operations.md"


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A lake of two sales, and one more landed."""
    settings = settings_in(tmp_path_factory.mktemp("whole"), "erp_br")
    land_reference(settings.landing)
    land_erp(settings.landing, "vendas_1", sale("P1"), sale("P2"))
    night(settings)
    land_erp(settings.landing, "vendas_2", sale("P3"))
    return settings


@pytest.fixture
def sold(first_night: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The lake, to be damaged; its tables name their files by where they are, so it is brought back in place."""
    lake = Path(first_night.lake)
    kept = Path(shutil.copytree(lake, tmp_path / "kept"))
    yield first_night
    shutil.rmtree(lake)
    kept.replace(lake)


def below(settings: Settings, pattern: str) -> list[Path]:
    found = [path for path in Path(settings.lake).glob(pattern) if path.is_file()]
    assert found
    return found


def gone(path: Path) -> None:
    path.unlink()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("how", [gone, cut_short])
@pytest.mark.parametrize("what", ["data/**/*.parquet", "metadata/*.json", "metadata/*.avro"])
def test_a_file_of_a_table_that_is_lost_is_told_by_name_to_the_night_and_to_who_asks(
    sold: Settings, what: str, how: Callable[[Path], None]
) -> None:
    for path in below(sold, f"tables/silver/sales/{what}"):
        how(path)
    for work in (lambda: Reader(sold).arrow(ASK), lambda: night(sold)):
        with pytest.raises(LakeError, match=r"silver.sales") as caught:
            work()
        assert REMEDY in str(caught.value)


def test_one_file_of_many_that_is_lost_is_told_by_name_to_who_asks(sold: Settings) -> None:
    land_erp(sold.landing, "vendas_2", sale("P3", data_venda="02/03/2026 10:00:00"))
    night(sold)
    lost = below(sold, "tables/silver/sales/data/**/*2026-03*/*.parquet")[-1]
    gone(lost)
    with pytest.raises(LakeError, match=f"{lost} is gone or cut short; {REMEDY}"):
        Reader(sold).arrow("select sum(quantity) as n from silver.sales")


def looks(settings: Settings) -> tuple[Callable[[], object], Callable[[], object]]:
    """What reads the lists of files of silver.sales: a query, and the search for files that no list names."""
    return lambda: Reader(settings).arrow(ASK), lambda: orphans(Lake(settings), "silver.sales")


def end_of_header(data: bytes) -> int:
    # The header ends with the marker with which each block ends.
    return data.index(data[-16:]) + 16


def test_a_list_of_files_that_is_cut_anywhere_is_told_before_it_is_read(sold: Settings) -> None:
    for path in below(sold, "tables/silver/sales/metadata/*.avro"):
        data = path.read_bytes()
        assert avro.whole(data, str(path)) == data
        for length in set(range(len(data))) - {end_of_header(data)}:
            with pytest.raises(LakeError, match=f"{path.name} is damaged.*{REMEDY}"):
                avro.whole(data[:length], str(path))


def test_a_list_of_files_with_another_length_in_it_is_told_and_does_not_end_the_process(sold: Settings) -> None:
    for path in below(sold, "tables/silver/sales/metadata/*.avro"):
        data = bytearray(path.read_bytes())
        data[end_of_header(bytes(data)) + 1] ^= 1  # the sign of the first block's length
        path.write_bytes(data)
        with pytest.raises(LakeError, match=f"{path.name} is damaged: -[0-9]+ bytes should follow"):
            avro.whole(bytes(data), str(path))
    for look in (*looks(sold), lambda: night(sold)):
        with pytest.raises(LakeError, match=f"metadata/.*avro is damaged.*{REMEDY}"):
            look()


@pytest.mark.parametrize("what", ["snap-*.avro", "*-m*.avro"])
def test_a_list_of_files_that_calls_its_fields_otherwise_is_told(sold: Settings, what: str) -> None:
    for path in below(sold, f"tables/silver/sales/metadata/{what}"):
        data = path.read_bytes()
        path.write_bytes(data[:100] + data[100:].replace(b'"name"', b'"nume"'))
    for look in looks(sold):
        with pytest.raises(LakeError, match=f"silver.sales's metadata is damaged .KeyError.*{REMEDY}"):
            look()


@pytest.mark.parametrize("what", ["snap-*.avro", "*-m*.avro"])
def test_files_that_a_cut_list_leaves_out_are_neither_taken_for_none_nor_deleted(sold: Settings, what: str) -> None:
    for path in below(sold, f"tables/silver/sales/metadata/{what}"):
        path.write_bytes(path.read_bytes()[: end_of_header(path.read_bytes())])
    for look in (*looks(sold), lambda: night(sold)):
        with pytest.raises(LakeError, match=f"silver.sales.*name.* 0.*{REMEDY}"):
            look()


@pytest.mark.parametrize("name", ["bronze/files", "bronze/erp_br_vendas"])
def test_lost_rows_of_bronze_are_told_and_not_taken_for_none(sold: Settings, name: str) -> None:
    for path in below(sold, f"tables/{name}/data/**/*.parquet"):
        gone(path)
    with pytest.raises(LakeError, match=f"{name}.*is gone or cut short; {REMEDY}"):
        night(sold, force=True)


def test_what_silver_and_gold_have_lost_is_built_again_as_operations_tells(sold: Settings) -> None:
    night(sold)
    whole = read_all(sold)
    for path in [*below(sold, "tables/silver/sales/data/**/*.parquet"), *below(sold, "tables/gold/kpis_daily/metadata/*")]:
        gone(path)
    Lake(sold).catalog.drop_table("gold.kpis_daily")
    night(sold, force=True)
    assert read_all(sold) == whole


@pytest.mark.parametrize("how", [gone, cut_short, emptied])
def test_a_lake_without_its_catalog_is_not_taken_for_a_new_one(sold: Settings, how: Callable[[Path], None]) -> None:
    how(Path(sold.lake) / "catalog.db")
    before = set(Path(sold.lake).rglob("*.parquet"))
    for work in (lambda: Reader(sold).arrow(ASK), lambda: night(sold), lambda: snapshots(existing(sold))):
        with pytest.raises(LakeError, match=f"catalog.*{REMEDY}"):
            work()
    assert set(Path(sold.lake).rglob("*.parquet")) == before


@pytest.mark.parametrize("moved", [True, False], ids=["moved", "copied"])
def test_a_lake_in_another_folder_than_it_was_made_in_is_refused_and_nothing_is_written_to_either(
    sold: Settings, tmp_path: Path, moved: bool
) -> None:
    made, copy = Path(sold.lake), tmp_path / "copy"
    shutil.copytree(made, copy)
    kept = made.rename(tmp_path / "away") if moved else made
    before = {path for folder in (kept, copy) for path in folder.rglob("*.parquet")}
    other = replace(sold, lake=copy)
    try:
        for work in (lambda: Reader(other).arrow(ASK), lambda: night(other), lambda: plan(Run.begin(other), STEPS)):
            with pytest.raises(LakeError, match=f"{copy} is a copy of the lake {made}, or was moved from there") as caught:
                work()
            assert "Put it back there" in str(caught.value)
        assert {path for folder in (kept, copy) for path in folder.rglob("*.parquet")} == before
    finally:
        if moved:
            shutil.rmtree(made, ignore_errors=True)
            kept.rename(made)
    assert Reader(sold).arrow(ASK).to_pylist() == [{"n": 2}]


def test_a_lake_is_the_same_one_by_a_link_to_its_folder(sold: Settings, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(sold.lake)
    linked = replace(sold, lake=tmp_path / "link")
    night(linked)
    assert Reader(linked).arrow(ASK).to_pylist() == Reader(sold).arrow(ASK).to_pylist() == [{"n": 3}]


def test_a_changed_pack_that_misses_a_copy_in_the_archive_says_which(sold: Settings, tmp_path: Path) -> None:
    pack = Path(shutil.copytree(sold.sources[0], tmp_path / "packs" / "erp_br"))
    contract = pack / "vendas.yaml"
    contract.write_text(
        contract.read_text(encoding="utf-8").replace("{header: Canal}", "{header: Canal, optional: true}"), encoding="utf-8"
    )
    shutil.rmtree(Path(sold.lake) / "archive")
    with pytest.raises(LakeError, match=f"the copy of erp_br/vendas_1.csv, archive/.*, is gone; {REMEDY}"):
        night(replace(sold, sources=(pack,)))
