"""What must hold for any file: both paths read the same rows, and every physical line is in exactly one of them."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sales_tech.contracts.pack import FileContract
from sales_tech.errors import UnreadableFile
from sales_tech.ingest import source
from sales_tech.ingest.reader import FileRows, read_rows

CONTRACT = FileContract.model_validate(
    {
        "kind": "sales",
        "description": "sales",
        "glob": "*.csv",
        "delimiter": ";",
        "key": ["order"],
        "columns": {"order": {"header": "Order"}, "product": {"header": "Product"}, "note": {"header": "Note", "optional": True}},
    }
)
HEADER = "Order;Product;Extra\n"
FRAGMENTS = ["a", "\ufeff", "é", '"', '""', ";", ' "', '";', ';"', " ", "\t", '27"', "\\", "x y", "\u00a0", "1,5"]
messy_text = st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join)
quoted = st.text(alphabet='ab;" é', max_size=6).map(lambda text: '"' + text.replace('"', '""') + '"')
field = st.one_of(st.text(alphabet="abé ", max_size=4), quoted, st.sampled_from(['27" LED', '"a"b', "", "\\"]))
well_formed = st.lists(field, min_size=3, max_size=3).map(";".join)
any_width = st.lists(field, max_size=5).map(";".join)
any_line = st.one_of(well_formed, well_formed, any_width, messy_text, st.sampled_from(["", "  ", "\t", HEADER.strip()]))
quick = settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])


def rows(read: FileRows) -> list[dict[str, Any]]:
    """All rows of a file."""
    return [row for batch in read.batches() for row in batch.to_pylist()]


def file_of(folder: Path, text: str) -> Path:
    """A file with this text, byte by byte."""
    path = folder / "sales.csv"
    path.write_bytes(text.encode())
    return path


def covered(row: dict[str, Any], line_end: str = "\n") -> int:
    """How many physical lines a row holds, told from its text alone."""
    texts = [row["_raw"]] if row["_problem"] else [row["order"], row["product"], row["_extra"].replace("\\n", "\n").replace("\\r", "\r")]
    return 1 + sum(text.count(line_end) for text in texts)


@quick
@given(st.lists(any_line, min_size=1, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from([1, 7, 8 << 20]))
def test_both_paths_give_equal_rows(tmp_path: Path, lines: list[str], end: str, ended: bool, chunk: int) -> None:
    text = HEADER + end.join(lines) + (end if ended else "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "CHUNK_BYTES", chunk)
        try:
            read = read_rows(file_of(tmp_path, text), CONTRACT)
        except UnreadableFile as error:
            assert "only a header" in str(error)
            assert not text.removeprefix(HEADER).strip()
            return
        if read.fast:
            assert rows(read) == rows(replace(read, fast=False))


@quick
@given(st.lists(any_line, min_size=1, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([1, 7, 8 << 20]))
def test_every_physical_line_is_in_exactly_one_row(tmp_path: Path, lines: list[str], end: str, chunk: int) -> None:
    text = HEADER.strip() + end + end.join(["first;line;x", *lines]) + end
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "CHUNK_BYTES", chunk)
        read = read_rows(file_of(tmp_path, text), CONTRACT)
        found = rows(read)
    assert read.physical_lines == text.count(end)
    assert sum(covered(row, end) for row in found) == read.physical_lines - 1
    starts = [2]
    for row in found:
        starts.append(starts[-1] + covered(row, end))
    assert [row["_line_number"] for row in found] == starts[:-1]


@quick
@given(
    st.lists(
        st.sampled_from(["a;b;c\n", "\0;b;c\n", "a\rb;c;d\n", '"open\n', 'shut";b;c\n', "\r\n", "\n", '1;"2\r\n3";4\n', "\r", '"\0"']),
        min_size=1,
    )
)
def test_no_text_is_lost(tmp_path: Path, parts: list[str]) -> None:
    """Letters and digits of the file are those of the rows, in order."""
    text = "".join(["first;line;x\n", *parts])
    found = rows(read_rows(file_of(tmp_path, HEADER + text), CONTRACT))

    def plain(values: str) -> str:
        return "".join(letter for letter in values if letter.isalnum() or letter == "\u2400")

    read = "".join(row["_raw"] or row["order"] + row["product"] + row["_extra"][11:].replace("\\r", "").replace("\\n", "") for row in found)
    assert plain(read) == plain(text.replace("\0", "\u2400"))


@quick
@given(st.lists(st.tuples(*[st.text(alphabet='ab;"\n é', max_size=5)] * 3), min_size=1, max_size=8))
def test_what_a_csv_writer_wrote_is_read_back(tmp_path: Path, table: list[tuple[str, str, str]]) -> None:
    table = [("1", "2", "3"), *table]
    out = io.StringIO()
    csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([("Order", "Product", "Note"), *table])
    path = tmp_path / "sales.csv"
    path.write_bytes(gzip.compress(out.getvalue().encode()))
    found = rows(read_rows(path, CONTRACT))
    assert [(row["order"], row["product"], row["note"]) for row in found] == table
