"""The fates of generated pools of facts about order lines, against rules that are written out once more in Python."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sales_tech.contracts.stream import SALES, STREAM
from sales_tech.contracts.table import table_contract
from sales_tech.engines.dialect import duckdb_type, quote
from sales_tech.engines.duck import DuckEngine
from sales_tech.transform.judging import judge
from sales_tech.transform.merging import JUDGED, UNKNOWN_ORDER
from sales_tech.transform.typed import CARRIED

CONTRACT = table_contract(SALES)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILES = ("f0", "f1", "f2")  # they arrived in this order


@dataclass(frozen=True)
class Fact:
    """What one line of a file says, at some minutes past noon."""

    file: str
    line: int
    order: str
    minute: int
    cancels: bool
    streamed: bool
    quantity: int
    fault: str | None


@dataclass(frozen=True)
class Fate:
    """What became of it; `quantity` and `status` where it is to stand in silver."""

    name: str
    reason: str | None = None
    quantity: int | None = None
    status: str | None = None


@st.composite
def pools(draw: st.DrawFn) -> list[Fact]:
    places = draw(st.lists(st.tuples(st.sampled_from(FILES), st.integers(1, 4)), unique=True, min_size=1, max_size=9))
    facts = []
    for file, line in places:
        cancels = draw(st.booleans())
        facts.append(
            Fact(
                file,
                line,
                order=draw(st.sampled_from("AB")),
                minute=draw(st.integers(0, 2)),
                cancels=cancels,
                streamed=cancels or draw(st.booleans()),
                quantity=draw(st.sampled_from((3, -2))),
                fault=draw(st.sampled_from((None, None, None, "ignored", "rejected"))),
            )
        )
    return facts


def fates(pool: list[Fact]) -> dict[tuple[str, int], Fate]:
    """The latest statement counts, that of a file before that of the stream; a cancellation as late as it or later cancels it.

    Of two files the later one, of two events of one moment the greater amount, whichever came first.
    """
    told = {}
    for fact in pool:
        others = [other for other in pool if other.fault is None and other.order == fact.order]
        statement = max(
            (other for other in others if not other.cancels),
            key=lambda other: (other.minute, not other.streamed, other.streamed and abs(other.quantity), other.file, other.line),
            default=None,
        )
        cancellation = max(
            (other for other in others if other.cancels), key=lambda other: (other.minute, other.file, other.line), default=None
        )
        cancelled = statement is not None and cancellation is not None and cancellation.minute >= statement.minute
        if fact.fault is not None:
            fate = Fate(fact.fault, "torn" if fact.fault == "rejected" else None)
        elif fact.cancels and statement is None:
            fate = Fate("rejected", UNKNOWN_ORDER)
        elif cancelled and fact is cancellation:
            assert statement is not None
            fate = Fate("accepted", None, abs(statement.quantity), "cancelled")
        elif not cancelled and fact is statement:
            fate = Fate("accepted", None, fact.quantity, "sold")
        else:
            fate = Fate("superseded")
        told[fact.file, fact.line] = fate
    return told


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    opened = DuckEngine(memory_limit="200MB", threads=1, scratch=tmp_path_factory.mktemp("judging"))
    files = ", ".join(f"('{file}', {number})" for number, file in enumerate(FILES))
    opened.name_query("arrivals", f"select * from (values {files}) as files(_file_id, _arrival)")
    yield opened
    opened.close()


def judged(engine: DuckEngine, pool: list[Fact], *, fresh: bool) -> list[tuple[tuple[str, int], Fate]]:
    moments = [NOON + timedelta(minutes=fact.minute) for fact in pool]
    columns = {
        "_file_id": [fact.file for fact in pool],
        "_line_number": [fact.line for fact in pool],
        "_load_id": ["load"] * len(pool),
        "_version": moments,
        "_ignored": [fact.fault == "ignored" for fact in pool],
        "_reasons": ["torn" if fact.fault == "rejected" else None for fact in pool],
        "_waits": [False] * len(pool),
        "_was": pa.array([None] * len(pool), pa.string()),
        "_kind": [STREAM if fact.streamed else "vendas" for fact in pool],
        "_standing": [False] * len(pool),
        "_cancels": [fact.cancels for fact in pool],
        "_states": [not fact.cancels for fact in pool],
    }
    assert set(JUDGED) == set(columns) >= set(CARRIED)
    columns |= {
        "order_id": [fact.order for fact in pool],
        "line": ["1"] * len(pool),
        # A cancellation says no more than which line it means.
        "quantity": [None if fact.cancels else fact.quantity for fact in pool],
        "status": [None if fact.cancels else "sold" for fact in pool],
        "stated_by": [STREAM if fact.streamed else "vendas" for fact in pool],
        "updated_at": moments,
        "stated_at": moments,
        "file_id": [fact.file for fact in pool],
        "line_number": [fact.line for fact in pool],
        "stated_file_id": [fact.file for fact in pool],
        "stated_line_number": [fact.line for fact in pool],
    }
    typed = ", ".join(
        f"cast({quote(name) if name in columns else 'null'} as {duckdb_type(column.type.sql)}) as {quote(name)}"
        for name, column in CONTRACT.columns.items()
    )
    with engine.arrow_view("facts", pa.table(columns)):
        _, relation = judge(engine, CONTRACT, "shop", f"select {', '.join(JUDGED)}, {typed} from facts", fresh=fresh)
        rows = engine.rows(f"select _file_id, _line_number, _fate, _reasons, quantity, status from {relation}")
    return [
        ((file, line), Fate(fate, reason, *((quantity, status) if fate == "accepted" else ())))
        for file, line, fate, reason, quantity, status in rows
    ]


@settings(max_examples=100)
@given(pool=pools(), fresh=st.booleans())
def test_every_fact_has_one_fate_and_what_stands_is_what_was_said_last(engine: DuckEngine, pool: list[Fact], fresh: bool) -> None:
    found = judged(engine, pool, fresh=fresh)
    assert len(found) == len(pool)
    assert dict(found) == fates(pool)


def test_of_two_rows_that_were_made_of_one_place_none_is_hidden(engine: DuckEngine) -> None:
    first = Fact("f0", 1, "A", 0, cancels=False, streamed=False, quantity=3, fault=None)
    twin = Fact("f0", 1, "B", 0, cancels=False, streamed=False, quantity=3, fault=None)
    torn = Fact("f0", 1, "A", 0, cancels=False, streamed=False, quantity=3, fault="rejected")
    other = Fact("f1", 1, "A", 1, cancels=False, streamed=False, quantity=3, fault=None)
    for pool in ([first, twin, other], [first, torn, other]):
        assert len(judged(engine, pool, fresh=True)) == len(pool)
