"""Questions that cannot be read, and answers that cannot be shown, are told in words."""

from __future__ import annotations

import io
from time import process_time

import pyarrow as pa
import pytest
from rich.console import Console

from sales_tech.engines.dialect import parse_query
from sales_tech.errors import QueryError
from sales_tech.orchestration.summary import show_answer


@pytest.mark.parametrize("call", ["row(", "date("])
def test_what_could_be_read_in_ever_more_ways_is_refused_in_time(call: str) -> None:
    began = process_time()
    with pytest.raises(QueryError, match=r"cannot be read: calls with names of types, .* are nested too deeply; expected one select"):
        parse_query(f"select {call * 22}1{')' * 22}")
    assert process_time() - began < 20, "an unbounded reader takes minutes"


def test_brackets_too_deep_to_be_read_are_told_so() -> None:
    with pytest.raises(QueryError, match="nested too deeply"):
        parse_query(f"{'(' * 2000}1{')' * 2000}")


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_day_behind_the_year_9999_is_told_as_one_that_cannot_be_shown(form: str) -> None:
    answer = pa.table({"day": pa.array([253402300800000000], pa.timestamp("us"))})
    with pytest.raises(QueryError, match="years 1 to 9999"):
        show_answer(Console(file=io.StringIO()), answer, form)
