"""Whatever comes in, the event contract takes it or tells why not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.functions.events import placed
from tests.support.functions import load

contract = load("land_orders").contract
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def reason(body: str | bytes) -> str:
    with pytest.raises(contract.Refused) as refused:
        contract.check(body, NOW)
    return str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(sorted(placed()["order"])), inner, max_size=4),
    max_leaves=12,
)


@given(st.text() | JSON.map(json.dumps) | st.binary())
def test_any_text_is_refused_with_a_reason_and_nothing_else_happens(body: str | bytes) -> None:
    assert reason(body)


@given(st.data(), JSON)
def test_any_value_in_any_place_is_taken_or_refused_with_a_reason(data: st.DataObject, value: Any) -> None:
    event = placed()
    where = data.draw(st.sampled_from([event, event["order"], event["order"]["lines"][0], event["order"]["customer"]]))
    where[data.draw(st.sampled_from(sorted(where)))] = value
    text = json.dumps(event)
    try:
        assert contract.check(text, NOW) == text
    except contract.Refused as refused:
        assert 0 < len(str(refused)) < 1000
        assert str(refused).isprintable()


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2030, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_times_are_judged_as_moments_whatever_their_offset(local: datetime, minutes: int) -> None:
    sign, size = ("-" if minutes < 0 else "+"), abs(minutes)
    moment = local - timedelta(minutes=minutes)
    good = datetime(2000, 1, 1) <= moment <= datetime(2026, 3, 3, 12)
    text = f"{local.isoformat(timespec='microseconds')}{sign}{size // 60:02}:{size % 60:02}"
    if good:
        contract.check(json.dumps(placed(occurred_at=text)), NOW)
    else:
        assert reason(json.dumps(placed(occurred_at=text))).startswith("occurred_at: a time ")
