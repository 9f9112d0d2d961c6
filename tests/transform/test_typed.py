"""Bronze rows of generated texts as typed rows, with their faults and fates, against a contract that is read in plain Python."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sales_tech.contracts.pack import FileContract
from sales_tech.engines.duck import DuckEngine
from sales_tech.transform.sources import athena
from sales_tech.transform.typed import LOCAL_DATE, fate_select, latest_select, typed_columns, typed_select

KEY = b"a key for tests"
WRONG = object()
COLUMNS: dict[str, dict[str, Any]] = {
    "shop": {"header": " Shop's ", "required": True},
    "name": {"type": "string", "personal": True, "required": True},
    "mail": {"header": "E-mail", "personal": True},
    "count": {"type": "integer"},
    "sum": {"type": "decimal(9,2)", "required": True},
    "day": {"type": "date", "format": "%d/%m/%Y"},
    "at": {"type": "timestamp", "format": "%d/%m/%Y %H:%M"},
    "seen": {"type": "instant"},
    "new": {"type": "boolean"},
}


def contract(*optional: str, personal: bool = True) -> FileContract:
    """A contract with columns of all types, of which some are optional, and two personal unless none is."""
    return FileContract.model_validate(
        {
            "kind": "lines",
            "glob": "*.csv",
            "key": ["shop", "count"],
            "decimal": ",",
            "timezone": "America/Sao_Paulo",
            "version": "at",
            "wrong_versions": [" 01/01/2062 10:00", "01/01/2063 10:00"],
            "columns": {
                name: column | {"optional": name in optional, "personal": personal and "personal" in column}
                for name, column in COLUMNS.items()
            },
        }
    )


CONTRACT = contract("day", "new")
HEADERS = {name: header for name, (header,) in CONTRACT.headers.items()}
NEW_YEAR = datetime(2026, 1, 1, 1, 30, tzinfo=UTC)  # still the last evening of the year in São Paulo
READ: dict[str, dict[str, Any]] = {
    "shop": {" L1\t": "L1", "l'été": "l'été"},
    "name": {" Ana ": "ana", "ANA": "ana", "Rui": "rui"},
    "mail": {"a@x": "a@x", "A@X ": "a@x"},
    "count": {"7": 7, " 7,0": 7, "-1": -1, "7,5": WRONG, "seven": WRONG},
    "sum": {"1.234,50": Decimal("1234.50"), "2": Decimal(2), "2.5": WRONG, "0,005": WRONG, "12345678,00": WRONG},
    "day": {"31/12/2025": date(2025, 12, 31), "2025-12-31": WRONG},
    "at": {
        "31/12/2025 22:30": NEW_YEAR,
        " 01/01/2062 10:00 ": WRONG,
        "01/01/2063 10:00": WRONG,
        "01/01/2064 10:00": datetime(2064, 1, 1, 13, tzinfo=UTC),
        "31/12/2025": WRONG,
    },
    "seen": {"2026-01-01T01:30:00Z": NEW_YEAR, "2025-12-31T22:30:00-03:00": NEW_YEAR, "2025-12-31T22:30:00": WRONG},
    "new": {"sim": True, "No": False, "maybe": WRONG},
}
"""What each text of a column means: of a personal one the text that is hashed, WRONG where it is not of the column's type."""

BLANK = (None, "", " \u00a0")
SAID = {
    "count": "count: not an integer",
    "sum": "sum: not a decimal(9,2)",
    "day": "day: not a date like %d/%m/%Y",
    "at": "at: not a timestamp like %d/%m/%Y %H:%M",
    "seen": "seen: not an instant",
    "new": "new: not a boolean",
}
Row = dict[str, Any]


def written() -> list[Row]:
    """Rows that are sound, blank, or a header but for one cell of whatever text; rows of any texts; and one that was not split."""
    texts = {name: (*read, HEADERS[name], f" {HEADERS[name]}", *BLANK) for name, read in READ.items()}
    sound, blank = {name: next(iter(read)) for name, read in READ.items()}, dict.fromkeys(READ)
    whole = {name: f" {header}" for name, header in HEADERS.items()}
    # The header of a file without its optional columns, and with what names and addresses the row may have beside it.
    bare = {name: None if column.optional or column.personal else whole[name] for name, column in CONTRACT.columns.items()}
    rows: list[Row] = [row | {name: text} for row in (sound, blank, whole, bare) for name in READ for text in texts[name]]
    chance = random.Random(1)
    rows += [{name: chance.choice(texts[name]) for name in READ} for _ in range(200)]
    return [*rows, blank | {"_problem": "expected 9 fields, found 1", "_raw": "Ana"}]


def read(row: Row, contract: FileContract) -> Row:
    """What a contract makes of a row."""
    shown, typed, faults = dict[str, Any](), dict[str, Any](), list[str]()
    for name, column in contract.columns.items():
        text = None if row[name] in BLANK else row[name].strip()
        value = None if text is None else READ[name].get(row[name], WRONG if name in SAID else text.lower())
        if column.type == "string" and not column.personal:
            value = text
        elif column.personal and text is not None:
            value = text = hmac.new(KEY, value.encode(), hashlib.sha256).hexdigest()[:32]
        shown[name], typed[name] = text, None if value is WRONG else value
        if text is None and column.required:
            faults.append(f"{name}: missing")
        if name == "at" and text in ("01/01/2062 10:00", "01/01/2063 10:00"):
            faults.append("at: the pack names this version as wrong")
        elif value is WRONG:
            faults.append(SAID[name])
    problem = row.get("_problem")
    # A file may lack an optional column, and what repeats its header is blank there.
    plain = {name: text for name, text in shown.items() if name not in contract.personal and (text or not contract.columns[name].optional)}
    repeats = plain and plain == {name: HEADERS[name] for name in plain}
    ignored = problem is None and (not any(shown.values()) or bool(repeats))
    days = {f"{name}_local_date": typed[name] and (typed[name] - timedelta(hours=3)).date() for name in ("at", "seen")}
    carried = {"_version": typed["at"], "_ignored": ignored, "_reasons": None if ignored else problem or "; ".join(faults) or None}
    return typed | days | carried | {"_row": shown if problem is None else None if contract.personal else row["_raw"]}


def bronze(rows: list[Row]) -> pa.Table:
    """The rows as bronze has them."""
    names = (*READ, "_problem", "_raw")
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    lines = {"_line_number": pa.array(range(len(rows)), pa.int64())}
    return pa.table(columns | lines | {name: pa.array(["x"] * len(rows)) for name in ("_file_id", "_load_id")})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    opened = DuckEngine(memory_limit="200MB", threads=1, scratch=tmp_path_factory.mktemp("typed"), hash_key=KEY)
    yield opened
    opened.close()


@pytest.mark.parametrize("by", [CONTRACT, contract(*READ), contract(personal=False)], ids=["mixed", "all optional", "nothing personal"])
@pytest.mark.parametrize("once", [(), ("name",), ("mail", "name")], ids=len)
def test_a_row_is_read_as_its_contract_says(engine: DuckEngine, once: tuple[str, ...], by: FileContract) -> None:
    rows, sql = written(), athena(typed_select(by, "lines", hashed_once=sorted(by.personal.intersection(once))))
    with engine.arrow_view("lines", bronze(rows)):
        found = engine.arrow(f"from ({sql}) order by _line_number").to_pylist()
    assert [row.pop("_line_number") for row in found] == list(range(len(rows)))
    for row in found:
        row["_row"] = json.loads(row["_row"]) if row["_row"].startswith("{") else "Ana" if row["_row"] == "Ana" else None
    assert found == [{**read(row, by), "_file_id": "x", "_load_id": "x"} for row in rows]
    assert found[0].keys() >= typed_columns(CONTRACT).keys() >= {"at" + LOCAL_DATE, "seen" + LOCAL_DATE}


@given(
    facts=st.lists(
        st.tuples(
            st.sampled_from("AB"),
            st.integers(1, 2),
            st.sampled_from([None, 1, 2]),
            st.sampled_from(["late", "early"]),
            st.sampled_from([None, None, None, "ignored", "rejected"]),
        ),
        min_size=1,
        max_size=25,
    )
)
@settings(max_examples=30, phases=[Phase.generate])
def test_of_the_sound_rows_of_a_key_the_latest_is_accepted(engine: DuckEngine, facts: list[tuple[Any, ...]]) -> None:
    arrivals = {"early": 1, "late": 2}  # the name that sorts first came last
    names = ("shop", "count", "_version", "_file_id", "fault")
    kinds = (pa.string(), pa.int64(), pa.int64(), pa.string(), pa.string())
    columns = {name: pa.array(values, kind) for name, kind, values in zip(names, kinds, zip(*facts, strict=True), strict=True)}
    expected = []
    for line, (shop, count, version, file, fault) in enumerate(facts):
        rivals = [
            (-1 if other[2] is None else other[2], arrivals[other[3]], number)
            for number, other in enumerate(facts)
            if other[:2] == (shop, count) and other[4] is None
        ]
        stands = rivals and max(rivals) == (-1 if version is None else version, arrivals[file], line)
        expected.append(fault or ("accepted" if stands else "superseded"))
    moments = pa.table(columns | {"_line_number": pa.array(range(len(facts)), pa.int64())})
    with engine.arrow_view("facts", moments), engine.arrow_view("came", pa.table({"f": [*arrivals], "a": [*arrivals.values()]})):
        engine.name_query("arrivals", "select f as _file_id, a as _arrival from came")
        engine.name_query("judged", "select *, fault is not distinct from 'ignored' as _ignored, fault as _reasons from facts")
        fates = engine.rows(f"select _fate from ({athena(fate_select('judged', CONTRACT.key))}) order by _line_number")
        latest = engine.rows(f"select _line_number from ({athena(latest_select(CONTRACT, 'judged'))}) order by 1")
    assert [fate for (fate,) in fates] == expected
    assert [line for (line,) in latest] == [line for line, fate in enumerate(expected) if fate == "accepted"]
