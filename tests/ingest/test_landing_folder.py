"""What stands in a landing folder besides files, and files that change or go while a night looks at them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import pytest
from tests.support.events import land_events, placed
from tests.support.exports import erp_text, land_erp, land_reference, sale
from tests.support.nights import night, read

from sales_tech.contracts.pack import load_packs
from sales_tech.engines.duck import open_engine
from sales_tech.errors import ConservationError, LakeError, SettingsError
from sales_tech.ingest import batch_csv, order_events
from sales_tech.ingest.archive import Archived, archive, archived
from sales_tech.ingest.arrivals import History, Known, Landed, claiming, landed_events, landed_files
from sales_tech.ingest.arrivals import news as news_among
from sales_tech.lake.store import Lake
from sales_tech.orchestration.pipeline import execute_run
from sales_tech.orchestration.steps import chosen
from sales_tech.platform.local import Folder
from sales_tech.runs import Run
from sales_tech.settings import Settings
from sales_tech.transform import reference

STEP = "ingest/batch_csv"
Form = Literal["NFC", "NFD"]
PRICES = [f"{number},00" for number in range(51, 90)]


@pytest.fixture
def folder(erp: Settings) -> Path:
    """The folder of a supplier, in which one file of sales has landed."""
    land_reference(erp.landing)
    land_erp(erp.landing, "vendas_1", sale("P1"))
    return Path(erp.landing) / "erp_br"


def news(settings: Settings) -> list[str]:
    with open_engine(settings) as engine:
        return sorted(batch_csv.why(Lake(settings), engine, load_packs(settings.sources), Run.begin(settings)))


def test_a_file_whose_name_an_old_program_wrote_is_rejected_and_told_what_is_wrong_with_it(erp: Settings, folder: Path) -> None:
    for name in (b"vendas_mar\xe7o.csv", b"foto_mar\xe7o.jpg"):
        (folder / os.fsdecode(name)).write_text(erp_text("vendas", [sale("P2")]), encoding="latin-1")
    result = night(erp)[STEP]
    assert result.rejected == {r"erp_br/vendas_mar\udce7o.csv": "a name that is no UTF-8; expected one that is: rename the file"}
    assert result.notes == [r"erp_br/foto_mar\udce7o.jpg: no pack's glob matches this path"]
    assert news(erp) == []


@pytest.mark.parametrize("where", ["lake", "erp_br/lake"])
def test_a_lake_within_the_landing_folder_is_no_supplier(erp: Settings, folder: Path, where: str) -> None:
    within = replace(erp, lake=Path(erp.landing) / where)
    night(within)
    (folder / "lake.csv").touch()
    assert night(within)[STEP].notes == ["erp_br/lake.csv: no pack's glob matches this path"]
    assert news(within) == []


def test_a_lake_in_the_landing_folder_itself_is_refused(erp: Settings, folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"lake and the landing folder are both .*; expected two folders.*--landing"):
        execute_run(Run.begin(replace(erp, lake=erp.landing)), chosen([STEP]), None, lambda _: nullcontext())
    assert list(folder.parent.iterdir()) == [folder]


def test_hidden_and_unfinished_files_are_left_alone_and_the_others_come_folder_by_folder(erp: Settings) -> None:
    finished = ["erp_br/vendas_1.csv", "erp_br/vendas_10.csv", "erp_br/vendas_2.csv", "erp_br-old/vendas_1.csv", "vendas.part.csv"]
    unfinished = [f"erp_br/vendas_3.csv{ending}" for ending in (".part", ".tmp", ".crdownload", ".filepart")]
    hidden = ["erp_br/.vendas_4.csv", ".trash/vendas_5.csv", "erp_br/.git/a/vendas_6.csv"]
    events = ["order_events/aa/a.jsonl.gz", "order_events/ab/b.jsonl.gz"]
    writing = ["order_events/aa/.c.jsonl.gz.0f.tmp", "order_events/aa/d.jsonl.part"]
    for name in (*reversed(finished), *unfinished, *hidden, *events, *writing):
        (erp.landing / name).parent.mkdir(parents=True, exist_ok=True)
        (erp.landing / name).touch()
    landing, packs = Folder(erp.landing), load_packs(erp.sources)
    found = landed_files(erp, landing, packs.values())
    assert [file.name for file in found] == finished
    assert [file.claims for file in found] == [(("erp_br", "vendas"),)] * 3 + [()] * 2
    assert [file.name for file in landed_events(erp, landing)] == events


@pytest.mark.parametrize(("glob", "name"), [("NFC", "NFC"), ("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_with_accents_is_matched_however_they_are_written(erp: Settings, glob: Form, name: Form) -> None:
    pack = load_packs(erp.sources)["erp_br"]
    contract = pack.files["vendas"].model_copy(update={"glob": normalize(glob, "erp_br/promoções_*.csv")})
    claims_of = claiming([replace(pack, files={"vendas": contract})])
    assert claims_of(normalize(name, "erp_br/promoções_março.csv")) == ONE
    assert claims_of("erp_br/promocoes_1.csv") == ()


WHOLE, NOW = b"as it was", 1_000
ONE, TWO, NONE = (("erp_br", "vendas"),), (("erp_br", "vendas"), ("erp_br", "lojas")), ()
LOOKED_AT = {
    # What is known of the last arrival; what lies there now, with which time and claims; and why it is looked at.
    "never seen": (None, WHOLE, NOW, ONE, "new file"),
    "never seen, of nobody": (None, WHOLE, NOW, NONE, "file that no pack claims"),
    "never seen, of two": (None, WHOLE, NOW, TWO, "file that several globs match"),
    "loaded": ("loaded", WHOLE, NOW, ONE, None),
    "loaded, and now of nobody": ("loaded", WHOLE, NOW, NONE, None),
    "a duplicate": ("duplicate", WHOLE, NOW, ONE, None),
    "touched": ("loaded", WHOLE, NOW + 1, ONE, None),
    "set back in time": ("loaded", WHOLE, NOW - 1, ONE, None),
    "others of the same size": ("loaded", b"as it is.", NOW + 1, ONE, "changed file"),
    "longer": ("loaded", WHOLE + b".", NOW, ONE, "changed file"),
    "shorter": ("duplicate", WHOLE[:-1], NOW, ONE, "changed file"),
    "touched and not readable": ("loaded", None, NOW + 1, ONE, "changed file"),
    "of nobody": ("unclaimed", WHOLE, NOW, NONE, None),
    "of nobody, touched": ("unclaimed", WHOLE, NOW + 1, NONE, None),
    "of nobody, until now": ("unclaimed", WHOLE, NOW, ONE, "file claimed now"),
    "rejected": ("rejected", WHOLE, NOW, ONE, None),
    "rejected and touched": ("rejected", WHOLE, NOW + 1, ONE, None),
    "rejected by another contract": ("rejected before", WHOLE, NOW, ONE, "rejected file with a changed contract"),
    "rejected by another contract and touched": ("rejected before", WHOLE, NOW + 1, ONE, "rejected file with a changed contract"),
    "rejected and mended": ("rejected", b"as it is.", NOW + 1, ONE, "changed file"),
    "claimed twice": ("rejected twice", WHOLE, NOW, TWO, None),
    "claimed twice before": ("rejected twice", WHOLE, NOW, ONE, "rejected file with a changed contract"),
}


@pytest.mark.parametrize(("before", "content", "at", "claims", "reason"), LOOKED_AT.values(), ids=LOOKED_AT)
def test_a_landed_file_is_looked_at_where_it_or_what_is_said_of_it_is_new(
    erp: Settings, before: str | None, content: bytes | None, at: int, claims: tuple[tuple[str, str], ...], reason: str | None
) -> None:
    packs, name = load_packs(erp.sources), "erp_br/vendas_1.csv"
    by = {"rejected before": "another", "rejected twice": None}.get(before or "", packs["erp_br"].files["vendas"].fingerprint)
    (erp.landing / "erp_br").mkdir()
    (erp.landing / name).write_bytes(WHOLE if content is None else content)
    problem = "a file that this user may not read" if content is None else None
    file = Landed(name, len(WHOLE if content is None else content), at, claims, problem)
    file_id = f"unclaimed:{name}" if before == "unclaimed" else sha256(WHOLE).hexdigest()
    status = (before or "").partition(" ")[0]
    known = Known(file_id, len(WHOLE), NOW, 1, status, by, None, datetime(2026, 1, 1, tzinfo=UTC))
    history = History({name: known} if before else {}, {}, 1)
    assert news_among(Folder(erp.landing), [file], history, packs) == ([(file, reason)] if reason else [])


@pytest.mark.skipif(sys.platform != "linux", reason="a file that fails to be read is found in Linux only")
def test_a_touched_file_that_the_disk_fails_to_read_is_told_by_name() -> None:
    known = Known("a", 0, NOW, 1, "loaded", None, None, datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(LakeError, match="reading mem failed: Input/output error; the disk or the network to it fails"):
        news_among(Folder(Path("/proc/self")), [Landed("mem", 0, NOW + 1, ONE)], History({"mem": known}, {}, 1), {})


def test_one_file_among_others_that_stays_rejected_is_enough_to_look_for_unread_ones() -> None:
    loaded = Known("a", 1, NOW, 2, "loaded", None, None, datetime(2026, 1, 1, tzinfo=UTC))
    rejected = replace(loaded, status="rejected", reason="x")
    assert History({"a": loaded, "b": rejected}, {}, 2).has_rejected
    assert not History({"a": loaded}, {}, 1).has_rejected


def meanwhile(monkeypatch: pytest.MonkeyPatch, module: object, name: str, do: Callable[[], object]) -> None:
    """Do something once the landing folder has been listed."""
    listed: Callable[..., list[Landed]] = getattr(module, name)

    def listing(*words: object) -> list[Landed]:
        found = listed(*words)
        monkeypatch.setattr(module, name, listed)
        do()
        return found

    monkeypatch.setattr(module, name, listing)


def test_links_to_folders_and_what_is_no_file_are_told_with_the_reason(erp: Settings, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (folder / "vendas_share").symlink_to(tmp_path / "share")
    (folder / "vendas_2.csv").symlink_to("nowhere.csv")
    (folder / "vendas_3.csv").symlink_to("vendas_3.csv")
    os.mkfifo(folder / "vendas_4.csv")
    result = night(erp)[STEP]
    assert result.rejected == {
        "erp_br/vendas_2.csv": "a link that leads nowhere; expected a file",
        "erp_br/vendas_3.csv": "a link that leads nowhere; expected a file",
        "erp_br/vendas_4.csv": "a pipe, a socket or a device; expected a file",
    }
    assert [note.partition(",")[0] for note in result.notes] == [f"erp_br/vendas_share: a link to the folder {tmp_path / 'share'}"]
    assert news(erp) == []
    (folder / "nowhere.csv").write_bytes(erp_text("vendas", [sale("P2")]).encode("latin-1"))
    assert night(erp)[STEP].files_loaded == 1
    assert len(read(erp, "silver.sales")) == 2


def test_what_may_not_be_read_is_told_the_others_are_loaded_and_it_is_read_once_it_may_be(
    erp: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_erp(erp.landing, "vendas_2", sale("P2"))
    (folder / "shut").mkdir()
    (folder / "vendas_2.csv").rename(folder / "vendas_shut.csv")
    with monkeypatch.context() as patch:
        # Whoever runs tests as root may read everything.
        patch.setattr(os, "access", lambda path, mode: "shut" not in Path(path).name)
        result = night(erp)[STEP]
        assert result.rejected == {"erp_br/vendas_shut.csv": "a file that this user may not read; expected one that it may"}
        assert [note.partition(",")[0] for note in result.notes] == ["erp_br/shut: a folder that this user may not read"]
        assert (result.files_loaded, news(erp)) == (3, [])
    assert night(erp)[STEP].files_loaded == 1
    assert {row["order_id"] for row in read(erp, "silver.sales")} == {"P1", "P2"}


def test_a_file_that_grows_while_it_is_looked_at_is_news_for_one_night_only(
    erp: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "vendas_1.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    meanwhile(monkeypatch, batch_csv, "landed_files", lambda: path.write_bytes(whole))
    assert night(erp)[STEP].files_loaded == 3
    assert {row["bytes"] for row in read(erp, "bronze.files") if row["file_path"] == "erp_br/vendas_1.csv"} == {len(whole)}
    assert news(erp) == []


def test_a_file_that_is_taken_away_while_it_is_looked_at_stops_nobody(erp: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = land_erp(erp.landing, "vendas_2", sale("P2"))
    land_events(erp.landing, placed("A1"))
    (event,) = [path for path in (Path(erp.landing) / "order_events").rglob("*") if path.is_file()]
    meanwhile(monkeypatch, batch_csv, "landed_files", gone.unlink)
    meanwhile(monkeypatch, order_events, "landed_events", event.unlink)
    results = night(erp)
    assert (results[STEP].files_loaded, results[STEP].rejected) == (3, {})
    assert results["ingest/order_events"].notes == ["no new events"]
    assert news(erp) == []


def test_a_file_that_stands_there_and_cannot_be_archived_is_not_taken_for_one_that_was_taken_away(erp: Settings, folder: Path) -> None:
    with pytest.raises(LakeError, match=r"archiving erp_br/vendas_1.csv failed: .*; run again"):
        archive(Folder(erp.landing), "erp_br/vendas_1.csv", Folder(folder / "lake"), folder / "no scratch")
    with pytest.raises(FileNotFoundError):
        archive(Folder(erp.landing), "erp_br/vendas_2.csv", Folder(folder / "lake"), folder)


def test_a_copy_in_the_archive_is_found_among_those_beside_it_whatever_the_file_was_called(tmp_path: Path) -> None:
    place, kept = Folder(tmp_path), {}
    for text, name, ending in (
        (b"36", "a.csv.gz", ".csv.gz"),
        (b"56", "v1.2.3.csv", ".3.csv"),
        (b"248", "no name", ""),
        (b"265", "a.b c.x\n", ""),
        (b"298", "a.abcdefghi.csv", ".csv"),
    ):
        (tmp_path / name).write_bytes(text)
        file_id = sha256(text).hexdigest()
        kept[file_id] = archive(place, name, place, tmp_path)
        assert kept[file_id] == Archived(file_id, f"archive/{file_id[:2]}/{file_id}{ending}", len(text))
    assert len({file_id[:2] for file_id in kept}) == 1, "all lie in one folder"
    assert {file_id: archived(place, file_id, "x") for file_id in kept} == {file_id: one.place for file_id, one in kept.items()}


def test_each_content_of_a_path_is_a_version_and_all_arrivals_are_numbered(erp: Settings) -> None:
    (erp.landing / "erp_br").mkdir()
    one, two = (erp_text("vendas", [sale(order) for order in orders]).encode("latin-1") for orders in ("1", "23"))
    nights: list[dict[str, bytes | None]] = [
        {"vendas_1": one, "vendas_2": one},
        {"vendas_1": two, "vendas_2": None},
        {"vendas_1": one},
        {"vendas_1": b""},
        {"vendas_1": two, "vendas_2": two},
        {},
    ]
    for number, contents in enumerate(nights):
        for name, content in contents.items():
            path = erp.landing / "erp_br" / f"{name}.csv"
            path.unlink() if content is None else path.write_bytes(content)
            if content is not None:
                os.utime(path, (number, number))
        batch_csv.run(Run.begin(erp))
    names = ("arrival", "file_path", "version", "status", "rows", "reason")
    entries = sorted(tuple(row[name] for name in names) for row in read(erp, "bronze.files"))
    again = "this content was loaded from here before, and its rows keep their place"
    of_first = "same content as erp_br/vendas_1.csv"
    assert [(*entry[:5], (entry[5] or "").partition(";")[0]) for entry in entries] == [
        (1, "erp_br/vendas_1.csv", 1, "loaded", 1, ""),
        (2, "erp_br/vendas_2.csv", 1, "duplicate", 0, of_first),
        (3, "erp_br/vendas_1.csv", 2, "loaded", 2, ""),
        (4, "erp_br/vendas_1.csv", 3, "duplicate", 0, again),
        (5, "erp_br/vendas_1.csv", 4, "rejected", 0, "empty file"),
        (6, "erp_br/vendas_1.csv", 5, "duplicate", 0, again),
        (7, "erp_br/vendas_2.csv", 2, "duplicate", 0, of_first),
    ]
    assert [row["_line_number"] for row in read(erp, "bronze.erp_br_vendas")] == [2, 2, 3]


def stopped_night(settings: Settings, monkeypatch: pytest.MonkeyPatch, day: int = 1) -> None:
    """A night of some day that ends after its rows of bronze were committed, and before their files were entered."""

    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(batch_csv, "enter", stopped)
        batch_csv.run(Run.begin(settings, run_id=f"202603{day:02}T020000-1a2b3c"))


def priced_after(first: str) -> str:
    """A price whose export has a checksum that sorts before that of an export with the first price."""
    checksums = {price: sha256(erp_text("vendas", [sale(preco=price)]).encode("latin-1")).hexdigest() for price in (first, *PRICES)}
    return next(price for price in PRICES if checksums[price] < checksums[first])


def test_silver_alone_after_a_stopped_night_says_that_ingest_makes_good_for_it_and_so_it_does(
    erp: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped_night(erp, monkeypatch)
    with pytest.raises(ConservationError, match=r"no fates; .* 1 rows in bronze\. .*; a run with the step of ingest enters the files"):
        reference.run(Run.begin(erp, force=True))
    night(erp)
    assert [row["sku"] for row in read(erp, "silver.products")] == ["A"]


def test_files_of_a_stopped_night_arrive_in_the_order_of_their_names_as_they_would_have_without_it(
    erp: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = priced_after("50,00")
    land_erp(erp.landing, "vendas_1", sale(preco="50,00"))
    land_erp(erp.landing, "vendas_2", sale(preco=second))
    stopped_night(erp, monkeypatch)
    night(erp)
    assert [row["unit_price"] for row in read(erp, "silver.sales")] == [Decimal(second.replace(",", "."))]


def test_a_file_that_came_anew_between_two_stopped_nights_has_two_versions_of_which_the_later_counts(
    erp: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = priced_after("50,00")
    for day, price in enumerate(("50,00", second), start=1):
        land_erp(erp.landing, "vendas_1", sale(preco=price))
        stopped_night(erp, monkeypatch, day)
    night(erp)
    entries = sorted((row["arrival"], row["version"]) for row in read(erp, "bronze.files") if row["file_path"].endswith("vendas_1.csv"))
    assert [version for _, version in entries] == [1, 2]
    assert [row["unit_price"] for row in read(erp, "silver.sales")] == [Decimal(second.replace(",", "."))]


def test_a_stopped_night_whose_copy_of_a_file_is_gone_is_told_by_name_and_nothing_is_entered(
    erp: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_erp(erp.landing, "vendas_1", sale())
    stopped_night(erp, monkeypatch)
    archive = Lake(erp).platform.lake
    archive.remove([entry.name for entry in archive.entries("archive")])
    with pytest.raises(LakeError, match=r"the copy of erp_br/\w+.csv, archive/../[0-9a-f]{64}, is gone; restore it"):
        night(erp)
    assert Lake(erp).snapshot_id("bronze.files") is None
