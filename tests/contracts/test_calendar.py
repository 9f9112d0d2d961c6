"""A retailer's own days in its pack: what is read of them, what they do not touch, and mistakes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.contracts.pack import load_pack

ANNIVERSARY = "occasions:\n  aniversário: [[2026-08-17, 2026-08-23], ['2025-08-18', '2025-08-24']]\n"


def test_a_pack_tells_its_occasions_in_the_order_of_time(draft: Any) -> None:
    draft.texts["retail-calendar.yaml"] = f"country: PT\n{ANNIVERSARY}"
    pack = load_pack(draft.write())
    assert pack.calendar.country == "PT"
    assert pack.calendar.days == {"aniversário": [("2025-08-18", "2025-08-24"), ("2026-08-17", "2026-08-23")]}
    assert set(pack.files) == {"vendas"}


def test_the_calendar_is_no_part_of_what_makes_a_pack_s_tables(draft: Any) -> None:
    without = load_pack(draft.write())
    draft.texts["retail-calendar.yaml"] = ANNIVERSARY
    pack = load_pack(draft.write())
    assert pack.fingerprint == without.fingerprint
    assert pack.calendar.fingerprint


def test_a_calendar_that_says_nothing_is_as_none() -> None:
    assert RetailCalendar(occasions={}).fingerprint == ""
    assert RetailCalendar().days is None


def test_days_that_say_the_same_have_one_fingerprint_and_others_another() -> None:
    first, second = (date(2025, 8, 18), date(2025, 8, 24)), (date(2026, 8, 17), date(2026, 8, 23))
    told = RetailCalendar(occasions={"a": [first, second], "b": [first]})
    assert told.fingerprint == RetailCalendar(occasions={"b": [first], "a": [second, first]}).fingerprint
    assert told.fingerprint != RetailCalendar(occasions={"a": [first], "b": [first]}).fingerprint
    assert told.fingerprint != told.model_copy(update={"country": "PT"}).fingerprint


MISTAKES = {
    "unknown setting": ("ocasiões: {}\n", 1, "unknown setting ocasiões", "docs/packs.md"),
    "unknown country": ("country: XX\n", 1, "country 'XX'", "an ISO code such as BR"),
    "no days": ("country: BR\noccasions:\n  anniversary: []\n", 3, "occasion 'anniversary' without any days", "[[2026-08-17, 2026-08-23]]"),
    "backwards": (
        "occasions:\n  x: [[2026-08-23, 2026-08-17]]\n",
        2,
        "ends on 2026-08-17, before it begins",
        "the first day before the last",
    ),
    "one day alone": ("occasions:\n  x: [[2026-08-23]]\n", 2, "occasions.x", ""),
    "no date": ("occasions:\n  x: [[soon, 2026-08-17]]\n", 2, "occasions.x", "date"),
}


@pytest.mark.parametrize("text, line, found, expected", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_file_and_line(draft: Any, text: str, line: int, found: str, expected: str) -> None:
    draft.texts["retail-calendar.yaml"] = text
    file, at, told, wanted = draft.mistake()
    assert (file, at) == ("retail-calendar.yaml", line)
    assert found in told
    assert expected in wanted
