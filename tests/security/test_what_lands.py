"""Whoever sends a file chooses its name and its bytes: neither leads out of the landing folder, becomes code, or fills the disk."""

from __future__ import annotations

import gzip
import os
from itertools import product
from pathlib import Path

import pytest
from tests.support.events import land_events, placed
from tests.support.exports import erp_text, land_erp, land_reference, sale
from tests.support.nights import night, read

from sales_tech.errors import SettingsError, UnreadableFile
from sales_tech.ingest import events, source
from sales_tech.settings import Settings

NAMES = [
    b"vendas_'; drop table bronze.files; --.csv",
    b'vendas_"; attach.csv',
    b"vendas_\n2.csv",
    b"vendas_$(touch x)`touch x`.csv",
    b"vendas_..%2f..%2fetc.csv",
    b"vendas_\\..\\x.csv",
    b"vendas_[1]{2}*?.csv",
    b"vendas_=cmd|' C'!A0.csv",
    "vendas_\u202efdp.csv".encode(),
    "vendas_e\u0301\u00e9\uff0f.csv".encode(),
    b"vendas_1.csv" + b"x" * 230,
    b"vendas_2.csv.\n; rm -r.gz",
]
PERSONAL = ("111.444.777-35", "Ana Conceição", "ana@example.com")
VALUES = [
    "'; drop table silver.sales; --",
    "' or 1=1 --",
    '"; --',
    "$$; attach 'x'",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "\u202eL1",
    "=1+1",
    "../../x",
]


def below(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


def test_a_file_s_name_is_data_wherever_it_goes(erp: Settings, tmp_path: Path) -> None:
    land_reference(erp.landing)
    for number, name in enumerate(NAMES):
        content = erp_text("vendas", [sale(f"P{number}")]).encode("latin-1")
        Path(os.fsdecode(os.fsencode(erp.landing / "erp_br") + b"/" + name)).write_bytes(content)
    around = {path for path in below(tmp_path) if path.parts[0] not in ("lake", "landing")}
    result = night(erp)["ingest/batch_csv"]
    assert (result.files_loaded, result.rejected) == (2 + len(NAMES), {})
    assert {row["_file_path"] for row in read(erp, "bronze.erp_br_vendas")} == {f"erp_br/{os.fsdecode(name)}" for name in NAMES}
    assert len(read(erp, "silver.sales")) == len(NAMES)
    assert {path for path in below(tmp_path) if path.parts[0] not in ("lake", "landing")} == around
    kept = [path.name for path in (erp.lake / "archive").rglob("*") if path.is_file()]
    assert len(kept) == 2 + len(NAMES)
    assert all(name.removesuffix(".gz").removesuffix(".csv").isalnum() for name in kept)
    assert night(erp)["ingest/batch_csv"].notes == ["no new files"]


def test_a_name_that_is_no_text_is_told_and_its_file_left_alone(erp: Settings) -> None:
    land_reference(erp.landing)
    for folder in ("erp_br", "order_events"):
        (erp.landing / folder).mkdir(exist_ok=True)
        Path(os.fsdecode(os.fsencode(erp.landing / folder) + b"/vendas_\xff\xfe.csv")).write_bytes(b"x")
    result = night(erp)["ingest/batch_csv"]
    assert result.rejected == {"erp_br/vendas_\\udcff\\udcfe.csv": "a name that is no UTF-8; expected one that is: rename the file"}
    assert result.notes == ["order_events/vendas_\\udcff\\udcfe.csv: no pack's glob matches this path"]
    assert night(erp)["ingest/batch_csv"].notes == ["no new files"]


@pytest.mark.parametrize("target", ["absolute", "relative", "of the lake"])
def test_a_link_that_leads_out_of_the_landing_folder_is_not_followed(erp: Settings, tmp_path: Path, target: str) -> None:
    land_reference(erp.landing)
    secret = tmp_path / "secret.csv"
    secret.write_bytes(erp_text("vendas", [sale("SECRET")]).encode("latin-1"))
    (erp.lake / "secrets").mkdir(parents=True)
    (erp.lake / "secrets" / "hash.key").write_text("SECRET")
    to = {"absolute": secret, "relative": Path("../../secret.csv"), "of the lake": erp.lake / "secrets" / "hash.key"}[target]
    for link in (erp.landing / "erp_br" / "vendas_1.csv", erp.landing / "order_events" / "aa" / "a.jsonl.gz"):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(to if to.is_absolute() else Path("../") / to if link.parent.name == "aa" else to)
    results = night(erp)
    for step, name in (("ingest/batch_csv", "erp_br/vendas_1.csv"), ("ingest/order_events", "order_events/aa/a.jsonl.gz")):
        assert list(results[step].rejected) == [name]
        assert "outside of" in results[step].rejected[name]
    assert read(erp, "silver.sales") == []
    assert not any(b"SECRET" in path.read_bytes() for path in (erp.lake / "archive").rglob("*") if path.is_file())
    again = night(erp)
    assert (again["ingest/batch_csv"].notes, again["ingest/order_events"].notes) == (["no new files"], ["no new events"])


def test_a_link_within_the_landing_folder_is_a_file(erp: Settings) -> None:
    land_reference(erp.landing)
    (erp.landing / "inbox").mkdir()
    (erp.landing / "inbox" / "a").write_bytes(erp_text("vendas", [sale("P1")]).encode("latin-1"))
    (erp.landing / "erp_br" / "vendas_1.csv").symlink_to(erp.landing / "inbox" / "a")
    assert night(erp)["ingest/batch_csv"].rejected == {}
    assert len(read(erp, "silver.sales")) == 1


def test_a_cell_s_text_is_data_in_every_table(erp: Settings) -> None:
    columns = ("pedido", "sku", "loja", "canal", "promocao", "cpf", "nome", "email", "situacao", "quantidade", "data_venda", "preco")
    land_reference(erp.landing, "A", *(value for value in VALUES if value.isascii() and ";" not in value))
    rows = [sale(f"P{number}") | {column: value} for number, (column, value) in enumerate(product(columns, VALUES))]
    quoted = [{name: '"' + value.replace('"', '""') + '"' for name, value in row.items()} for row in rows]
    path = land_erp(erp.landing, "vendas_1")
    path.write_bytes(erp_text("vendas", quoted).encode("latin-1", "replace"))
    night(erp)
    found = read(erp, "bronze.erp_br_vendas")
    assert len(found) == len(rows)
    assert {row["sku"] for row in found} >= {value for value in VALUES if value.isascii()}
    fates = sum(row["rows"] for row in read(erp, "silver.fates") if row["file_kind"] == "vendas")
    assert fates == len(rows)
    assert {row["sku"] for row in read(erp, "silver.sales")} >= {"A", "=1+1", "' or 1=1 --"}


def test_a_gzip_bomb_is_refused_before_a_row_of_it_is_written(erp: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "ALWAYS_BYTES", 1 << 20)
    land_reference(erp.landing)
    head = erp_text("vendas", [sale("P1")]).encode("latin-1")
    (erp.landing / "erp_br" / "vendas_bomb.csv.gz").write_bytes(gzip.compress(head + b"\n" * (32 << 20)))
    (erp.landing / "erp_br" / "vendas_good.csv.gz").write_bytes(gzip.compress(head))
    bomb = erp.landing / "order_events" / "aa" / "bomb.jsonl.gz"
    bomb.parent.mkdir(parents=True)
    bomb.write_bytes(gzip.compress(b" \n" * (16 << 20)))
    results = night(erp)
    for step, name in (("ingest/batch_csv", "erp_br/vendas_bomb.csv.gz"), ("ingest/order_events", "order_events/aa/bomb.jsonl.gz")):
        (said,) = results[step].rejected.values()
        assert list(results[step].rejected) == [name]
        assert "200 times its size; expected less" in said
    assert [row["order_id"] for row in read(erp, "silver.sales")] == ["P1"]


def test_an_honest_file_that_packs_well_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    content = b"the same line again and again\n" * 200_000
    path.write_bytes(gzip.compress(content))
    assert len(content) > 100 * path.stat().st_size
    assert sum(map(len, source.raw_chunks(path))) == len(content)


def test_a_packed_file_inside_of_a_packed_file_is_not_unpacked(tmp_path: Path) -> None:
    inner = gzip.compress(b"a" * 1_000)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(inner))
    assert b"".join(source.raw_chunks(path)) == inner


def test_an_event_without_an_end_takes_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": "' + b"x" * (9 << 20))
    with pytest.raises(UnreadableFile, match=r"line 1 has more than 4,194,304 bytes; expected one event"):
        events.read_events(path)


def test_an_event_s_source_is_a_name_and_nothing_else(erp: Settings) -> None:
    land_reference(erp.landing)
    for name in ("../erp_br", "erp_br'; drop table x; --", "erp_br/vendas", "ERP_BR", "erp_br\n", "", "erp__br"):
        land_events(erp.landing, placed() | {"source": name})
    rejected = night(erp)["ingest/order_events"].rejected
    assert len(rejected) == 7
    assert all("no source; expected the name of a pack" in reason for reason in rejected.values())


@pytest.mark.parametrize("character", ["#", "?", "\\", "\n", "\t"])
def test_a_lake_whose_address_would_be_another_s_is_refused(tmp_path: Path, character: str) -> None:
    with pytest.raises(SettingsError, match=r"expected a folder without '.*' in its path"):
        Settings.load(lake=str(tmp_path / f"a{character}b"))


@pytest.mark.parametrize("name", ["it's; drop table x; --", "{a,b}", "a*[1]", "\u202eevil", "-rf", 'q"uote', "São Paulo %20", "..."])
def test_a_lake_and_a_landing_folder_of_any_other_name_work(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, erp: Settings
) -> None:
    folder = tmp_path / name
    settings = Settings.load(lake=str(folder / "lake"), landing=str(folder / "landing"))
    settings = Settings(settings.lake, settings.landing, erp.sources, threads=1)
    land_reference(folder / "landing")
    land_erp(folder / "landing", "vendas_1", sale("P1"))
    night(settings)
    assert [row["order_id"] for row in read(settings, "silver.sales")] == ["P1"]
    assert [path.name for path in tmp_path.iterdir() if path.name != "landing"] == [name]
