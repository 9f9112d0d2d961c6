"""Questions that cannot be read, and answers that cannot be shown, are told in words."""

from __future__ import annotations

import io

import pyarrow as pa
import pytest
from rich.console import Console

from sales_tech.engines.dialect import parse_query
from sales_tech.errors import QueryError
from sales_tech.orchestration.summary import show_answer


def test_brackets_too_deep_to_be_read_are_told_so() -> None:
    with pytest.raises(QueryError, match="nested too deeply"):
        parse_query(f"{'(' * 2000}1{')' * 2000}")


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_day_behind_the_year_9999_is_told_as_one_that_cannot_be_shown(form: str) -> None:
    answer = pa.table({"day": pa.array([253402300800000000], pa.timestamp("us"))})
    with pytest.raises(QueryError, match="years 1 to 9999"):
        show_answer(Console(file=io.StringIO()), answer, form)
