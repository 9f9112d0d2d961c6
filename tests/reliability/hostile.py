"""Files and events as no supplier should send them, yet somebody will: mostly sound, with something wrong somewhere."""

from __future__ import annotations

import gzip
import json
from datetime import date
from typing import Any

from hypothesis import strategies as st
from tests.support.events import cancelled, line, placed, returned

from sales_tech.contracts.pack import FileColumn, FileContract

CELLS = [
    *("", " ", "\u00a0", "\u2003A\u2009", "\u200bA", "\ufeffA", "\u202eA", "e\u0301", "é", "ß", "İ", "日本", "💾"),
    *('"', '""', '"a', 'a"b', '"a;b"', '"a,b"', '"a\nb"', '"a\r\nb"', "'", "\\", "\t", "\0", "\x1f", "\x85", "\u2028", "A\rB"),
    *("=1+1", "+1", "-1", "@A", "=cmd|' /C calc'!A0", "'; drop table silver.sales; --", "' or '1'='1", "$$x$$", "{{7*7}}", "%s%n", "${x}"),
    *(
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\x",
        "<script>alert(1)</script>",
        "null",
        "NULL",
        "None",
        "nan",
        "NaN",
        "inf",
        "-Infinity",
        "true",
    ),
    *("0", "00", "-0", "007", "1,5", "1.5", "1.234,56", "1,234.56", "1.000", "1e3", "1e309", "0x10", "1_000", "\u0661\u0662", "½", "1 000"),
    *("9" * 18, "9" * 19, "9" * 40, "-" + "9" * 17, "0," + "0" * 30 + "1", "99999999999999999,99", "-99999999999999999.99"),
    *("31/02/2026", "29/02/2023 10:00:00", "01/01/0001", "01/01/0001 00:00:00", "31/12/9999 23:59:59", "00/00/0000", "32/13/2026 25:61:61"),
    *(
        "2026-02-30",
        "0000-00-00 00:00:00",
        "9999-12-31 23:59:59",
        "1969-12-31 23:59:59",
        "13/13/19 25:00",
        "12/31/68 23:59",
        "epoch",
        "infinity",
    ),
    *("x" * 300, "á" * 5_000, ";" * 3, ",,,", "a;b", "a,b"),
]
HUGE = ["x" * 70_000, "9" * 70_000, '"' + "y\n" * 120 + '"', '"' + "z" * 70_000 + "\n" + 'z"', "w" * (1 << 20)]
KEYS = ["A", "A", "B", "C", "1", "2"]
DAYS = [date(2019, 1, 31), date(2026, 1, 10), date(2026, 1, 31), date(2026, 3, 1), date(1999, 12, 31), date(2068, 2, 29)]
WORDS = {"situacao": ["FATURADO", "FATURADO", "CANCELADO", "DEVOLVIDO"], "order_status": ["delivered", "canceled"], "exposicao": ["S", "N"]}
ENCODINGS = ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-32", "cp037"]


@st.composite
def hostile_file(draw: st.DrawFn, contract: FileContract) -> bytes:
    """The bytes of a file that is meant to be of a kind."""
    names = [contract.headers[name][0] for name in contract.columns]
    header = draw(_headers(names))
    lines = draw(st.lists(_lines(contract, names), min_size=0, max_size=8))
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r\n", "\r", "\r\r\n", "mixed"]))
    ends = [draw(st.sampled_from(["\n", "\r\n", "\r"])) if end == "mixed" else end for _ in range(len(lines) + 1)]
    rows = [contract.delimiter.join(header), *lines]
    text = "".join(row + ended for row, ended in zip(rows, ends, strict=True))
    if draw(st.booleans()):
        text = text.removesuffix(ends[-1])
    return draw(_bytes(text, contract.encoding))


@st.composite
def _headers(draw: st.DrawFn, names: list[str]) -> list[str]:
    """The line of names: mostly as it should be."""
    change = draw(
        st.sampled_from(["none"] * 40 + ["extra", "lost", "renamed", "twice", "turned", "quoted", "case", "blanks", "mark", "noise"])
    )
    place = draw(st.integers(0, len(names) - 1))
    before, named, after = names[:place], names[place], names[place + 1 :]
    return {
        "extra": [*before, draw(st.sampled_from(["Nova", "", "=1+1", "source", "_file_id"])), named, *after],
        "lost": before + after or ["x"],
        "renamed": [*before, f"{named} novo", *after],
        "twice": [*names, named],
        "turned": names[::-1],
        "quoted": [f'"{name}"' for name in names],
        "case": [name.upper() for name in names],
        "blanks": [f" {name}\u00a0" for name in names],
        "mark": [f"\ufeff{names[0]}", *names[1:]],
        "noise": [*before, draw(st.sampled_from(CELLS)), *after],
    }.get(change, names)


@st.composite
def _lines(draw: st.DrawFn, contract: FileContract, names: list[str]) -> str:
    """One line: mostly a row of the kind with up to two cells replaced, else something that is none."""
    kind = draw(st.sampled_from(["sound"] * 5 + ["cells"] * 8 + ["long", "short", "header", "blank", "noise", "huge"]))
    if kind == "header":
        return contract.delimiter.join(names)
    if kind == "blank":
        return draw(st.sampled_from(["", " ", "\t", contract.delimiter * (len(names) - 1), "\u00a0"]))
    if kind == "noise":
        return draw(st.text(max_size=30)) + draw(st.sampled_from(CELLS))
    cells = [draw(st.sampled_from(_sound(name, column, contract))) for name, column in contract.columns.items()]
    if kind != "sound":
        for _ in range(draw(st.integers(1, 2))):
            cells[draw(st.integers(0, len(cells) - 1))] = draw(st.sampled_from(HUGE if kind == "huge" else CELLS))
    cells = {"long": [*cells, "x"], "short": cells[:-1]}.get(kind, cells)
    return contract.delimiter.join(cells)


def _sound(name: str, column: FileColumn, contract: FileContract) -> list[str]:
    # Few values, so that most rows have the key of another.
    if name in WORDS:
        return WORDS[name]
    if column.type in ("date", "timestamp"):
        return [day.strftime(column.format or "") for day in DAYS]
    if column.type == "integer":
        return ["1", "1", "2", "3"]
    if column.type == "boolean":
        return ["S", "N", ""]
    if column.type.startswith("decimal"):
        return ["10", f"12{contract.decimal}50", f"0{contract.decimal}99", ""]
    return KEYS


@st.composite
def _bytes(draw: st.DrawFn, text: str, encoding: str) -> bytes:
    """A text as it lies on the disk: mostly in its encoding, sometimes packed, cut or with noise in it."""
    if draw(st.integers(0, 15)) == 0:
        encoding = draw(st.sampled_from(ENCODINGS))
    content = text.encode(encoding, "replace")
    change = draw(
        st.sampled_from(["none"] * 40 + ["packed", "packed", "cut", "noise", "empty", "packed and cut", "packed noise", "marked"])
    )
    place = draw(st.integers(0, len(content)))
    noise = draw(st.binary(min_size=1, max_size=6))
    packed = gzip.compress(content, mtime=0)
    return {
        "packed": packed,
        "cut": content[:place],
        "noise": content[:place] + noise + content[place:],
        "empty": draw(st.sampled_from([b"", b"\n", b"\r", b"\0", b"\xef\xbb\xbf", b"\x1f\x8b", b"PK\x03\x04"])),
        "packed and cut": packed[: max(1, len(packed) * place // (len(content) + 1))],
        "packed noise": packed[:12] + noise + packed[12:],
        "marked": b"\xef\xbb\xbf" + content,
    }.get(change, content)


@st.composite
def hostile_event(draw: st.DrawFn) -> str:
    """The text of an order event, mostly one that the contract takes."""
    at = f"2026-0{draw(st.integers(1, 3))}-1{draw(st.integers(0, 9))}T10:00:00{draw(st.sampled_from(['Z', '-03:00', '+14:00']))}"
    order = draw(st.sampled_from(["P1", "P2", "P3", "A", "1"]))
    number = draw(st.sampled_from(["1", "1", "2"]))
    event: dict[str, Any] = draw(
        st.sampled_from(
            [
                placed(order, at, line(number, quantity=draw(st.integers(1, 3))), line("9")),
                placed(order, at, line(number), source=draw(st.sampled_from(["erp_br", "olist", "nobody"]))),
                cancelled(order, at, number),
                returned(f"R{order}", order, at, line(number)),
            ]
        )
    )
    event["source"] = draw(st.sampled_from(["erp_br", "erp_br", "erp_br", "olist", "tech_sales_2019", "nobody"]))
    event = json.loads(json.dumps(event))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        where = draw(st.sampled_from([event, event["order"], event["order"]["lines"][-1]]))
        if isinstance(where, dict):
            where[draw(st.sampled_from([*where, "new_field"]))] = draw(_values())
        if not isinstance(event.get("order"), dict) or not isinstance(event["order"].get("lines"), list) or not event["order"]["lines"]:
            break
    text = json.dumps(event, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 15)) == 0:
        text = draw(st.sampled_from([text[:-3], text + "x", "[" * 2_000, "null", "{}", '"' + text, text.replace(":", ":NaN,", 1), ""]))
    return text.replace("\n", " ")


def _values() -> st.SearchStrategy[Any]:
    cells = [cell for cell in CELLS if cell.isprintable()]
    plain = [None, True, -1, 0, 10**30, 1.5, 1e300, float("inf"), float("nan"), [], {}, [{}], "\ud800", "2026-02-30T10:00:00Z"]
    return st.sampled_from([*cells, *plain, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "10.001", "1e2"])
