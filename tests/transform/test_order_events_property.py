"""Doubled, shuffled and weeks late, a stream gives the same silver as it does clean and in order."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.oracles import events_oracle as oracle
from tests.support.compare import comparable
from tests.support.events import Event, amended, cancelled, land_events, line, placed, returned
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import night, read, settings_in

from sales_tech.transform import gold

pytestmark = pytest.mark.usefixtures("hash_key")

PROVENANCE = frozenset({"file_id", "line_number", "stated_file_id", "stated_line_number"})
"""Which of several equal copies of a fact a row cites depends on what came first."""
SHOWN = ("order_id", "line", "sold_at", "sold_on", "sku", "quantity", "unit_price", "discount", "net_sales", "status")
FACTS = ("updated_at", "stated_at", "stated_by")


def moment(day: int, order: int) -> str:
    """A time on a day counted from 1 January 2026, another one for each order."""
    return f"2026-{1 + day // 28:02}-{1 + day % 28:02}T{8 + order % 12:02}:{order * 7 % 60:02}:{order % 60:02}-03:00"


@st.composite
def orders(draw: st.DrawFn) -> list[Event]:
    """The events of some orders over two months, in the order in which they happened."""
    events = []
    for number in range(draw(st.integers(3, 12))):
        day = draw(st.integers(0, 40))
        name = f"P{number}"
        bought = [
            line(str(item), sku=draw(st.sampled_from("AB")), quantity=draw(st.integers(1, 3))) for item in range(1, draw(st.integers(2, 4)))
        ]
        order = placed(name, moment(day, number), *bought)
        fate = draw(
            st.sampled_from(("kept", "kept", "kept", "amended", "cancelled", "cancelled and amended", "revived", "returned", "lost"))
        )
        if fate != "lost":
            events.append(order)
        if "amended" in fate:
            later = [{**one, "unit_price": "12.50", "discount": "0.50"} for one in bought]
            events.append(amended(order, moment(day + 2, number), lines=later))
        if "cancelled" in fate or fate in ("revived", "lost"):
            events.append(cancelled(name, moment(day + 3, number), *(one["line"] for one in bought)))
        if fate == "revived":
            events.append(amended(order, moment(day + 4, number)))
        if fate == "returned":
            events.append(returned(f"R{number}", name, moment(day + 9, number), bought[0]))
    return sorted(events, key=lambda event: event["occurred_at"])


@st.composite
def exports(draw: st.DrawFn) -> list[dict[str, str]]:
    """What the ERP says of some of the orders, at moments between those of the events."""
    rows = []
    for number in draw(st.lists(st.integers(0, 11), unique=True, max_size=6)):
        day = draw(st.integers(1, 50))
        rows.append(
            sale(
                f"P{number}",
                preco="11,00",
                data_venda=f"0{1 + number % 9}/01/2026 12:00:00",
                situacao=draw(st.sampled_from(("FATURADO", "FATURADO", "CANCELADO"))),
                atualizado_em=f"{1 + day % 28:02}/{1 + day // 28:02}/2026 23:59:59",
            )
        )
    return rows


def outcome(lake: Any) -> dict[str, Any]:
    return {name: comparable(read(lake, name, without=PROVENANCE)) for name in ("silver.sales", *gold.MODELS)}


def fallen(events: list[Event], seed: int) -> list[list[Event]]:
    """The stream on three nights: a fifth doubled, each night shuffled, some events up to three weeks late."""
    rng = random.Random(seed)
    nights: list[list[Event]] = [[], [], []]
    last = max(1, len(events))
    for position, event in enumerate(events):
        for _ in range(1 + (rng.random() < 0.2)):
            on_time = position * len(nights) // last
            nights[min(len(nights) - 1, on_time + rng.choice((0, 0, 0, 1, 2)))].append(event)
    for evening in nights:
        rng.shuffle(evening)
    return nights


@settings(max_examples=8, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(orders(), exports(), st.integers(0, 1000))
def test_a_doubled_shuffled_late_stream_gives_the_tables_of_a_clean_one(events: list[Event], rows: list[dict[str, str]], seed: int) -> None:
    with TemporaryDirectory() as folder:
        clean, rough = settings_in(Path(folder) / "clean", "erp_br"), settings_in(Path(folder) / "rough", "erp_br")
        for lake in (clean, rough):
            land_reference(lake.landing, "A", "B")
        land_events(clean.landing, *events)
        if rows:
            land_erp(clean.landing, "vendas_2026", *rows)
        night(clean)
        for number, evening in enumerate(fallen(events, seed)):
            for start in range(0, len(evening), 3):
                land_events(rough.landing, *evening[start : start + 3])
            if rows[number::3]:
                land_erp(rough.landing, f"vendas_2026_{number}", *rows[number::3])
            night(rough)
        assert outcome(rough) == outcome(clean)
        expected = oracle.sales([*oracle.facts_of_events(events), *oracle.facts_of_sales(rows)])
        found = [{name: row[name] for name in (*SHOWN, *FACTS)} for row in read(rough, "silver.sales")]
        assert comparable(found) == comparable(expected)
