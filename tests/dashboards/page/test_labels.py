"""Names beside the points of a scatter plot, by the page's own rule in a browser."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Browser
from tests.support.nights import REPOSITORY

RULE = (REPOSITORY / "src/sales_tech/dashboards/page/js/labels.js").read_bytes()
ROWS = [{"x": x, "y": y, "d0": name} for x, y, name in ((0, 0, "on"), (50, 100, "far above"), (60, -100, "far below"), (100, 4, "beside"))]


@pytest.mark.parametrize(
    ("begin", "named"),
    [
        # A flat line would run through the names of points on it, and near its height.
        ({"x": 0, "y": 0}, ["far below", "far above"]),
        # A steep one only keeps its own name free.
        ({"x": 0, "y": -100}, ["far below", "far above", "on"]),
    ],
)
def test_no_name_is_crossed_by_a_flat_line_or_stands_on_the_name_of_a_line(
    browser: Browser, begin: dict[str, int], named: list[str]
) -> None:
    line = {"begin": begin, "end": {"x": 100, "y": 0, "name": "zero"}}
    page = browser.new_page()
    found = page.evaluate(
        """async ([rule, rows, lines]) => {
            const { apart } = await import(`data:text/javascript;base64,${rule}`);
            return apart(rows, ["x", "y"], { width: 600, height: 300 }, lines).map((row) => row.d0);
        }""",
        [base64.b64encode(RULE).decode(), ROWS, [line]],
    )
    page.close()
    assert found == named
