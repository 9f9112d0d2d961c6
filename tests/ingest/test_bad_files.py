"""Whatever lands, a night goes on, and no row is lost without a reason."""

from __future__ import annotations

import gzip

import pytest
from tests.support.exports import erp_text, land_erp, land_reference, sale
from tests.support.nights import night, read

from sales_tech.settings import Settings

REJECTED = {
    "another delimiter": (lambda good: good.replace(b";", b","), "delimiter"),
    "a missing column": (lambda good: good.replace(b"SKU;", b"Codigo;"), "'SKU'"),
    "another encoding": (lambda good: good.decode("latin-1").encode("utf-8"), "utf-8"),
    "utf-16": (lambda good: good.decode("latin-1").encode("utf-16"), "header"),
    "nothing": (lambda good: b"", "empty"),
    "a header only": (lambda good: good.splitlines(keepends=True)[0], "only a header"),
    "a broken gzip": (lambda good: gzip.compress(good, mtime=0)[:-20], "gzip"),
}


@pytest.fixture
def good(erp: Settings) -> bytes:
    """The bytes of a sound file of two sales; one more such file has landed."""
    land_reference(erp.landing)
    land_erp(erp.landing, "vendas_2025-01", sale("1"), sale("2"))
    return erp_text("vendas", [sale("3"), sale("4")]).encode("latin-1")


@pytest.mark.parametrize("what", REJECTED)
def test_a_file_that_cannot_be_taken_apart_is_rejected_with_its_reason_and_the_others_are_loaded(
    what: str, good: bytes, erp: Settings
) -> None:
    spoil, word = REJECTED[what]
    (erp.landing / "erp_br" / "vendas_bad.csv").write_bytes(spoil(good))
    result = night(erp)["ingest/batch_csv"]
    assert list(result.rejected) == ["erp_br/vendas_bad.csv"]
    assert word.lower() in result.rejected["erp_br/vendas_bad.csv"].lower()
    entries = {row["file_path"]: row for row in read(erp, "bronze.files")}
    assert entries["erp_br/vendas_bad.csv"]["status"] == "rejected"
    archived = erp.lake / entries["erp_br/vendas_bad.csv"]["archived_as"]
    assert archived.read_bytes() == spoil(good), "the file itself is kept"
    assert len(read(erp, "silver.sales")) + len(read(erp, "silver.rejects")) == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"5;1\n", "expected 16 fields, found 2"),
        (b"5;" + b"x;" * 30 + b"\n", "found 32"),
        (b"5;1;\0;LJ;;;;;;;;;;;;\n", "NUL"),
        (b'5;"open;1;2\n', "quote"),
        (b"6;" + b"x" * 100_000_000 + b"\n", "100000"),
    ],
    ids=["too few fields", "too many fields", "a NUL byte", "an open quote", "a line of 100 MB"],
)
def test_a_line_that_cannot_be_split_is_one_rejected_row_and_the_others_are_loaded(
    line: bytes, reason: str, good: bytes, erp: Settings
) -> None:
    header, first, second = good.splitlines(keepends=True)
    (erp.landing / "erp_br" / "vendas_bad.csv").write_bytes(header + first + line + second)
    assert not night(erp)["ingest/batch_csv"].rejected
    judged = [*read(erp, "silver.sales"), *(row for row in read(erp, "silver.rejects"))]
    assert len(judged) == 5
    (row,) = [row for row in read(erp, "silver.rejects") if row["line_number"] == 3 and row["file_path"].endswith("bad.csv")]
    assert reason in row["reasons"]
    assert row["row"] == "the line cannot be split and may hold personal data: see the file itself"
    assert sum(fate["rows"] for fate in read(erp, "silver.fates") if fate["file_kind"] == "vendas") == 5


def test_a_rejected_file_is_tried_again_when_it_is_mended(good: bytes, erp: Settings) -> None:
    path = erp.landing / "erp_br" / "vendas_bad.csv"
    path.write_bytes(good.replace(b";", b","))
    assert night(erp)["ingest/batch_csv"].rejected
    assert not night(erp)["ingest/batch_csv"].rejected, "it is entered once"
    path.write_bytes(good)
    assert night(erp)["ingest/batch_csv"].files_loaded == 1


def test_a_file_that_was_cut_off_and_columns_that_no_pack_knows_are_remarked_upon(erp: Settings, good: bytes) -> None:
    (erp.landing / "erp_br" / "vendas_cut.csv").write_bytes(good[:-60])
    for name in ("a", "b"):
        text = erp_text("vendas", [sale(name)]).replace(";SKU;", ";SKU;Vendedor;")
        head, line, *_ = text.splitlines()
        cells = line.split(";")
        wider = ";".join([*cells[:6], "Rui", *cells[6:]])
        (erp.landing / "erp_br" / f"vendas_{name}.csv").write_text(f"{head}\n{wider}\n", encoding="latin-1")
    cut, unknown = night(erp)["ingest/batch_csv"].remarks
    assert cut.startswith("erp_br/vendas_cut.csv looks cut off: its last line, 3, has no end and is not whole; export it again")
    assert unknown.startswith(
        "erp_br/vendas_a.csv and 1 more: erp_br/vendas.yaml does not know the column 'Vendedor'; the values stay in bronze"
    )
    (erp.landing / "erp_br" / "vendas_cut.csv").write_bytes(good)
    assert night(erp)["ingest/batch_csv"].remarks == []
    assert {row["order_id"] for row in read(erp, "silver.sales")} == {"1", "2", "3", "4", "a", "b"}
