"""Questions that cannot be read, and answers that cannot be shown, are told in words."""

from __future__ import annotations

import io
import json
from decimal import Decimal
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


def shown(answer: pa.Table, form: str) -> str:
    out = io.StringIO()
    show_answer(Console(file=out), answer, form)
    return out.getvalue()


def test_amounts_are_digit_by_digit_in_json_and_what_is_no_number_is_null() -> None:
    amount = Decimal("12345678901234567.89")
    answer = pa.table(
        {
            "amount": pa.array([amount], pa.decimal128(38, 2)),
            "parts": pa.array([[amount]], pa.list_(pa.decimal128(38, 2))),
            "ratio": [float("nan")],
            "most": [float("inf")],
            "place": ["São Paulo"],
        }
    )
    (row,) = json.loads(shown(answer, "json"), parse_float=Decimal, parse_constant=pytest.fail)
    assert row == {"amount": amount, "parts": [amount], "ratio": None, "most": None, "place": "São Paulo"}
    assert json.loads(shown(answer.slice(1), "json")) == []


def test_lists_are_shown_as_json_and_not_as_python_in_tables_and_csv() -> None:
    answer = pa.table({"parts": pa.array([[Decimal("1.10")], None], pa.list_(pa.decimal128(4, 2)))})
    assert shown(answer, "csv") == "parts\n[1.10]\n\n"
    assert shown(answer, "table").split() == ["parts", "[1.10]", "2", "rows"]


def test_two_columns_of_one_name_are_refused_in_json_where_one_would_be_lost() -> None:
    answer = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["n", "n"])
    with pytest.raises(QueryError, match=r"several columns are named n; expected a name of its own for each"):
        shown(answer, "json")
    assert shown(answer, "csv") == "n,n\n1,2\n"
