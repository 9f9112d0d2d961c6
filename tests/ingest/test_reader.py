"""Reading landed files: what becomes a row, what a malformed line becomes, and which files are refused."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unicodedata import normalize

import duckdb
import pyarrow as pa
import pytest

from sales_tech.contracts.pack import FileContract
from sales_tech.errors import ConservationError, UnreadableFile
from sales_tech.ingest import careful, source
from sales_tech.ingest.lines import MAX_LINE_BYTES
from sales_tech.ingest.reader import ROW_COLUMNS, FileRows, read_rows, schema

HEADER = "Pedido;Região;Nota\n"


def contract(encoding: str = "utf-8", delimiter: str = ";", **optional: bool) -> FileContract:
    """A contract of three columns, whose headers it writes with blanks; the keywords say which are optional."""
    headers = {"pedido": "Pedido", "regiao": " Região", "nota": "Nota\t"}
    columns = {name: {"header": header, "optional": optional.get(name, False)} for name, header in headers.items()}
    return FileContract.model_validate(
        {
            "kind": "vendas",
            "description": "d",
            "glob": "*",
            "key": ["pedido"],
            "encoding": encoding,
            "delimiter": delimiter,
            "columns": columns,
        }
    )


@pytest.fixture
def land(tmp_path: Path) -> Any:
    """Land bytes, or text in UTF-8, and read the file."""

    def _land(content: str | bytes, by: FileContract | None = None) -> FileRows:
        path = tmp_path / "vendas.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_rows(path, by or contract())

    return _land


def rows(read: FileRows) -> list[dict[str, Any]]:
    """All rows of a file."""
    return [row for batch in read.batches() for row in batch.to_pylist()]


def values(read: FileRows) -> list[tuple[Any, ...]]:
    """The contract's columns of all rows."""
    return [(row["pedido"], row["regiao"], row["nota"]) for row in rows(read)]


def problems(read: FileRows) -> list[tuple[int, str | None, str | None]]:
    """Line, raw text and problem of all rows."""
    return [(row["_line_number"], row["_raw"], row["_problem"]) for row in rows(read)]


def test_a_row_has_the_contracts_columns_and_where_it_comes_from(land: Any) -> None:
    read = land(HEADER + "1;Sul;x\n")
    assert read.fast
    assert (read.header, read.physical_lines) == (("Pedido", "Região", "Nota"), 2)
    assert rows(read) == [{"pedido": "1", "regiao": "Sul", "nota": "x", "_extra": None, "_raw": None, "_problem": None, "_line_number": 2}]
    assert schema(contract()).names == ["pedido", "regiao", "nota", *ROW_COLUMNS]


@pytest.mark.parametrize("fast_path", [True, False])
def test_every_batch_has_the_schema(land: Any, fast_path: bool) -> None:
    read = replace(land(HEADER + "1;2;3\n4\n"), fast=fast_path)
    assert [batch.schema for batch in read.batches()] == [schema(contract())]


@pytest.mark.parametrize("fast_path", [True, False])
def test_blank_and_malformed_lines_keep_their_place(land: Any, fast_path: bool) -> None:
    read = land(HEADER + "1;a;\n\n2;b\n   \nPedido;Região;Nota\n3;c;d;e\n4;e;f\n5;g")
    assert read.fast
    read = replace(read, fast=fast_path)
    assert problems(read) == [
        (2, None, None),
        (3, None, None),
        (4, "2;b", "expected 3 fields, found 2"),
        (5, None, None),
        (6, None, None),
        (7, "3;c;d;e", "expected 3 fields, found 4"),
        (8, None, None),
        (9, "5;g", "expected 3 fields, found 2"),
    ]
    blank = ("", "", "")
    lost = (None, None, None)
    assert values(read) == [("1", "a", ""), blank, lost, blank, ("Pedido", "Região", "Nota"), lost, ("4", "e", "f"), lost]


@pytest.mark.parametrize("fast_path", [True, False])
def test_columns_may_stand_in_any_order_be_missing_or_unknown(land: Any, fast_path: bool) -> None:
    text = 'Marca;Pedido; Região ;"x ""y"""\n"A\\ ""B""";1;Sul;\tz\x01\n\n'
    read = replace(land(text, contract(nota=True)), fast=fast_path)
    assert values(read) == [("1", "Sul", None), ("", "", None)]
    extra = [row["_extra"] for row in rows(read)]
    assert extra[0] == json.dumps({"Marca": 'A\\ "B"', 'x "y"': "\tz\x01"}, ensure_ascii=False)
    assert json.loads(extra[1]) == {"Marca": "", 'x "y"': ""}


@pytest.mark.parametrize("fast_path", [True, False])
def test_a_quote_within_a_field_is_text(land: Any, fast_path: bool) -> None:
    read = land(HEADER + '1;Monitor 27" LED;"a;""b"""\n')
    assert read.fast
    assert values(replace(read, fast=fast_path)) == [("1", 'Monitor 27" LED', 'a;"b"')]


def test_a_quoted_field_may_go_on_over_lines(land: Any) -> None:
    read = land((HEADER + '1;"rua A\r\n\r\nfundos";x\r\n2;b;c\r\n').replace("Nota\n", "Nota\r\n"))
    assert not read.fast
    assert values(read) == [("1", "rua A\r\n\r\nfundos", "x"), ("2", "b", "c")]
    assert [row["_line_number"] for row in rows(read)] == [2, 5]


@pytest.mark.parametrize("tail", ["2;b;c\n", '2;b;c\n3;"d;e\n', "2;b;c\n" * 200 + '9;b";c\n', "2;" + "b" * 70_000 + ';c\n9;b"\n'])
def test_a_quote_that_never_fits_spoils_only_its_line(land: Any, tail: str) -> None:
    read = land(HEADER + '1;"a;x;y\n' + tail)
    found = rows(read)
    assert (found[0]["_raw"], found[0]["_problem"], found[0]["_line_number"]) == ('1;"a;x;y', "unclosed quote", 2)
    assert [row["_line_number"] for row in found] == list(range(2, read.physical_lines + 1))
    assert found[1]["pedido"] == "2"


@pytest.mark.parametrize(
    ("record", "joined"),
    [
        ('1;"a' + "\n" * 99 + '";c\n', True),
        ('1;"a' + "\n" * 100 + '";c\n', False),
        ('1;"' + "a" * ((64 << 10) - 11) + '\r\nb";c\r\n', True),
        ('1;"' + "a" * ((64 << 10) - 10) + '\r\nb";c\r\n', False),
        ('1;"a\nb\0";c\n', False),
        ('1;"a\nb";c;d\n', False),
    ],
    ids=["100 lines", "101 lines", "65,536 characters", "65,537 characters", "a NUL byte", "a field too many"],
)
def test_a_record_is_joined_up_to_a_hundred_lines_and_65536_characters(land: Any, record: str, joined: bool) -> None:
    found = rows(land(HEADER + record + "2;b;c\n"))
    end = "\r\n" if "\r" in record else "\n"
    whole = (record.split(";")[0], record.split('"')[1], "c")
    assert ((found[0]["pedido"], found[0]["regiao"], found[0]["nota"]) == whole) is joined
    assert (found[0]["_problem"], len(found)) == ((None, 2) if joined else ("unclosed quote", record.count(end) + 1))


def test_a_batch_holds_few_rows_and_little_text_wherever_the_text_stands(land: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(careful, "_BATCH_ROWS", 4)
    monkeypatch.setattr(careful, "_BATCH_CHARACTERS", 20)
    records = ['1;a;"b\nc"', "2;a;b", "3;a;b", "4;a;b", "5;a;b", '6;"x\n' + "y" * 20 + '";b', "7;" + "x" * 20, "8;a;b", "9;a;b"]
    batches = [batch.to_pylist() for batch in land(HEADER + "\n".join(records)).batches()]
    assert [[row["pedido"] or row["_raw"][:1] for row in batch] for batch in batches] == [
        ["1", "2", "3", "4"],
        ["5", "6"],
        ["7"],
        ["8", "9"],
    ]


def test_a_nul_byte_spoils_only_its_line(land: Any) -> None:
    read = land(HEADER + "1;a\0;b\n2;c;d\n")
    assert not read.fast
    assert problems(read) == [(2, "1;a\u2400;b", "NUL byte"), (3, None, None)]


def test_a_line_that_is_too_long_is_shown_by_its_beginning(land: Any) -> None:
    long = "é" * MAX_LINE_BYTES
    read = land(HEADER + f"1;a;b\n2;{long};d\n3;e;f\n")
    assert not read.fast
    found = problems(read)
    assert found[1][1] == ("2;" + long)[:4096]
    assert str(2 * MAX_LINE_BYTES + 4) in found[1][2]
    assert "archived" in found[1][2]
    assert values(read)[2] == ("3", "e", "f")


def test_a_line_that_is_too_long_only_in_utf_8_is_found_in_a_file_of_one_byte_a_character(land: Any) -> None:
    long = "é" * (MAX_LINE_BYTES * 2 // 3)
    read = land((HEADER + f"1;a;b\n2;{long};d\n3;e;f\n").encode("latin-1"), contract("latin-1"))
    assert not read.fast
    assert "more than" in problems(read)[1][2]
    assert values(read)[2] == ("3", "e", "f")


def test_a_header_of_one_byte_a_character_is_not_read_as_a_row(land: Any) -> None:
    read = land((HEADER + "1;São Paulo;ç\n").encode("cp1252"), contract("cp1252"))
    assert read.fast
    assert values(read) == [("1", "São Paulo", "ç")]


@pytest.mark.parametrize("fast_path", [True, False])
def test_a_line_of_the_greatest_length_is_read(land: Any, fast_path: bool) -> None:
    text = "a" * (MAX_LINE_BYTES - 5)
    read = land(HEADER + f'1;"{text}";\n2;b;c\n')
    assert read.fast
    assert values(replace(read, fast=fast_path)) == [("1", text, ""), ("2", "b", "c")]


def test_a_huge_line_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write("Pedido;Região;Nota\n1;".encode())
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(b";b\n2;c;d\n")
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path; from test_reader import contract, read_rows\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "read = read_rows(Path(sys.argv[1]), contract()); print(sum(batch.num_rows for batch in read.batches()))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    command = [sys.executable, "-c", code, str(path), str(Path(__file__).parent)]
    count, kibibytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(count) == 2
    assert int(kibibytes) < 200_000


def test_old_mac_lines_end_in_cr(land: Any) -> None:
    read = land('Pedido;Região;Nota\r1;a;b\r\r2;"c\nd";e\r3;f\ng;h'.encode())
    assert not read.fast
    assert values(read) == [("1", "a", "b"), ("", "", ""), ("2", "c\nd", "e"), ("3", "f\ng", "h")]
    assert read.physical_lines == 5


def test_a_lone_cr_is_text(land: Any) -> None:
    read = land(HEADER + "1;a\rb;c\n2;d;e\r\r\n3;f;g\r")
    assert not read.fast
    assert values(read) == [("1", "a\rb", "c"), ("2", "d", "e"), ("3", "f", "g")]


@pytest.mark.parametrize(
    ("encoding", "bytes_of"), [("latin-1", "latin-1"), ("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-8", "utf-8-sig")]
)
def test_encodings_are_read_plain_and_packed(land: Any, encoding: str, bytes_of: str) -> None:
    content = (HEADER + "1;São Paulo;ç\n").encode(bytes_of)
    for landed in (content, gzip.compress(content), gzip.compress(content[:9]) + gzip.compress(content[9:])):
        read = land(landed, contract(encoding))
        assert read.fast
        assert values(read) == [("1", "São Paulo", "ç")]


def test_a_file_of_one_column_has_blank_lines_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sku\na\n  \n\nb;c\n", encoding="utf-8")
    one = FileContract.model_validate(
        {"kind": "k", "description": "d", "glob": "*", "key": ["sku"], "delimiter": ";", "columns": {"sku": {}}}
    )
    assert [(row["sku"], row["_problem"]) for row in rows(read_rows(path, one))] == [
        ("a", None),
        ("", None),
        ("", None),
        (None, "expected 1 fields, found 2"),
    ]


def test_many_malformed_lines_come_in_order_over_many_blocks(land: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CHUNK_BYTES", 256)
    body = "".join(f"{line};b;c\n" if line % 7 and not 300 < line < 900 else f"{line}\n" for line in range(2, 1500))
    read = land(HEADER + body)
    assert read.fast
    found = rows(read)
    assert [row["_line_number"] for row in found] == list(range(2, 1500))
    assert all((row["pedido"] or row["_raw"]) == str(row["_line_number"]) for row in found)


def test_only_malformed_lines_are_rows_too(land: Any) -> None:
    assert problems(land(HEADER + "a\nb")) == [(2, "a", "expected 3 fields, found 1"), (3, "b", "expected 3 fields, found 1")]


def test_a_file_that_changed_after_the_checks_is_noticed(land: Any) -> None:
    read = land(HEADER + "1;a;b\n2;c;d\n")
    for fast_path in (True, False):
        with pytest.raises(ConservationError, match="2"):
            rows(replace(read, physical_lines=4, fast=fast_path))


def test_duckdb_reads_the_batches(land: Any) -> None:
    read = land(HEADER + "1;a;b\n\n3;c\n")
    connection = duckdb.connect()
    connection.register("landed", pa.RecordBatchReader.from_batches(schema(contract()), read.batches()))
    assert connection.execute("select _line_number, pedido from landed order by 1").fetchall() == [(2, "1"), (3, ""), (4, None)]


REFUSED = {
    "empty": (b"", "utf-8", "empty file"),
    "only a mark": (b"\xef\xbb\xbf", "utf-8", "empty file"),
    "only a header": (HEADER.encode(), "utf-8", "only a header"),
    "a header without end": (HEADER.strip().encode(), "utf-8", "only a header"),
    "a header and blanks": (HEADER.encode() + b"\n  \r\n", "utf-8", "only a header"),
    "cut gzip": (gzip.compress(HEADER.encode() * 99)[:-12], "utf-8", r"gzip stream ends early after \d+ bytes"),
    "damaged gzip": (gzip.compress(b"x" * 99)[:-8] + b"\0" * 8, "utf-8", "gzip stream is damaged"),
    "latin-1 as utf-8": (
        HEADER.encode() + b"1;a;b\n2;S\xe3o;b\n",
        "utf-8",
        r"line 3, byte 30 of the file: 0xE3 is not utf-8; .* like latin-1",
    ),
    "cp1252 as utf-8": (HEADER.encode() + b"1;\x93a\x94;b\n", "utf-8", "looks like cp1252"),
    "utf-16 as utf-8": ((HEADER + "1;a;b\n").encode("utf-16"), "utf-8", "looks like utf-16"),
    "utf-8 as utf-16": (
        (HEADER + "1;São;b\n").encode(),
        "utf-16",
        "not begin with a byte order mark, as utf-16 does; the file looks like utf-8",
    ),
    "latin-1 as utf-16": ((HEADER + "1;São;b\n").encode("latin-1"), "utf-16", "byte order mark.*the file looks like latin-1"),
    "utf-16 without a mark": ((HEADER + "1;São;b\n").encode("utf-16-le"), "utf-16", "byte order mark.*looks like utf-16-le"),
    "utf-16 the other way": ((HEADER + "1;São;b\n").encode("utf-16-be"), "utf-16", "byte order mark.*looks like utf-16-be"),
    "cut character": (HEADER.encode() + b"1;a;b\xc3", "utf-8", r"line 2, byte 26 of the file: 0xC3"),
    "utf-8 as latin-1": ((HEADER + "1;São;b\n").encode(), "latin-1", "looks like utf-8.*pack says iso8859-1"),
    "utf-8 as cp1252": ((HEADER + "1;Água;b\n").encode(), "cp1252", "looks like utf-8"),
    "no such header": (b"Pedido;Nota;Outra\n1;2;3\n", "utf-8", "lacks 'Região'; found 'Pedido', 'Nota', 'Outra'"),
    "another delimiter": ("Pedido,Região,Nota\n1,2,3\n".encode(), "utf-8", "the delimiter looks like ','; the pack says ';'"),
    "repeated header": ("Pedido;Região;Nota; Nota\n1;2;3;4\n".encode(), "utf-8", "repeats 'Nota'"),
    "NUL in the header": ("Pedido;Região\0;Nota\n1;2;3\n".encode(), "utf-8", "NUL bytes in the header"),
    "a blank first line": (b"\n" + HEADER.encode() + b"1;2;3\n", "utf-8", "lacks 'Pedido', 'Região', 'Nota'"),
    "a header without measure": (b"x" * (MAX_LINE_BYTES + 1) + b"\n1\n", "utf-8", f"first line has {MAX_LINE_BYTES + 1} bytes"),
    "no line end at all": (b"x" * (9 << 20), "utf-8", "are one line; expected a header of at most"),
}


@pytest.mark.parametrize(("content", "encoding", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_loaded_is_refused(land: Any, content: bytes, encoding: str, reason: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        land(content, contract(encoding))
    assert re.search(reason, str(refused.value)), str(refused.value)


@pytest.mark.parametrize("chunk", [1, 2, 3, 5])
def test_the_place_of_wrong_bytes_does_not_depend_on_chunks(land: Any, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(source, "CHUNK_BYTES", chunk)
    with pytest.raises(UnreadableFile, match="line 3, byte 30 of the file: 0xE3"):
        land(HEADER.encode() + b"1;a;b\n2;S\xe3o;b\n")


CUT = {
    "a whole file": ("1;a;b\n2;c;d\n", False),
    "no end after the last line": ("1;a;b\n2;c;d", False),
    "cut in the middle of a line": ("1;a;b\n2;c", True),
    "cut within a quoted field": ('1;a;b\n2;"c', True),
    "too few fields before an end": ("1;a;b\n2;c\n", False),
    "too many fields": ("1;a;b\n2;c;d;e", False),
    "blanks after the last line": ("1;a;b\n  ", False),
    "the end of a record of two lines": ('1;a;b\n2;c;"d\ne"', False),
    "cut after a record of two lines": ('1;a;"b\nc"\n2;d', True),
}


@pytest.mark.parametrize(("body", "cut"), CUT.values(), ids=CUT)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
@pytest.mark.parametrize("chunk", [3, 2 << 20])
def test_a_file_looks_cut_off_where_its_last_line_has_no_end_and_is_not_whole(
    land: Any, monkeypatch: pytest.MonkeyPatch, body: str, cut: bool, encoding: str, chunk: int
) -> None:
    monkeypatch.setattr(source, "CHUNK_BYTES", chunk)
    assert land((HEADER + body).encode(encoding), contract(encoding)).is_cut_off() is cut


def test_a_character_that_lacks_its_end_is_told_as_a_cut(land: Any) -> None:
    with pytest.raises(UnreadableFile, match="0xC3 is not utf-8; the file looks cut off within a character, or like"):
        land(HEADER.encode() + b"1;a;b\xc3", contract("utf-8"))


def renamed(optional: bool = False) -> FileContract:
    """A contract whose second column has had two headers."""
    columns = {"pedido": {"header": "Pedido"}, "regiao": {"header": ["Região", " UF "], "optional": optional}, "nota": {"header": "Nota"}}
    return FileContract.model_validate({"kind": "vendas", "glob": "*", "key": ["pedido"], "delimiter": ";", "columns": columns})


@pytest.mark.parametrize("name", ["Região", "UF"])
def test_a_column_stands_under_any_of_its_headers(land: Any, name: str) -> None:
    read = land(f"Pedido;{name};Nota\n1;Sul;x\n", renamed())
    assert (values(read), read.unknown) == ([("1", "Sul", "x")], ())


def test_a_file_with_two_headers_of_one_column_is_refused(land: Any) -> None:
    with pytest.raises(UnreadableFile, match="has 'Região', 'UF', each a name of the column 'regiao'; expected one of them"):
        land("Pedido;UF;Nota;Região\n1;SP;x;Sul\n", renamed())


def test_a_file_with_none_of_a_columns_headers_lacks_it_unless_it_is_optional(land: Any) -> None:
    with pytest.raises(UnreadableFile, match="lacks 'Região' or 'UF'; found 'Pedido', 'Nota', 'Estado'"):
        land("Pedido;Nota;Estado\n1;x;SP\n", renamed())
    assert values(land("Pedido;Nota\n1;x\n", renamed(optional=True))) == [("1", None, "x")]


@pytest.mark.parametrize("written", ["NFC", "NFD"])
@pytest.mark.parametrize("declared", ["NFC", "NFD"])
def test_an_accent_of_a_header_may_be_a_character_of_its_own(land: Any, written: str, declared: str) -> None:
    columns = {
        name: {"header": normalize(declared, text)} for name, text in {"pedido": "Pedido", "regiao": "Região", "nota": "Nota"}.items()
    }
    by = FileContract.model_validate({"kind": "vendas", "glob": "*", "key": ["pedido"], "delimiter": ";", "columns": columns})
    assert values(land(normalize(written, HEADER) + "1;Sul;x\n", by)) == [("1", "Sul", "x")]
