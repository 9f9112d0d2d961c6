"""Cells of exports that a spreadsheet would work out as a formula are text there, and numbers stay numbers."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from tests.models.pasts import recipe, small_past
from tests.serving.calling import Caller
from tests.support.nights import REPOSITORY

from sales_tech.orchestration.summary import show_answer
from sales_tech.serving.app import application
from sales_tech.spreadsheets import csv_line, guarded

FORMULAS = {
    "=1+1": "'=1+1",
    "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x.example","a")': '\'=HYPERLINK("http://x.example","a")',
    "+1+1": "'+1+1",
    "-2+3+cmd|' /C calc'!A0": "'-2+3+cmd|' /C calc'!A0",
    "@SUM(1)": "'@SUM(1)",
    "\t=1": "'\t'=1",
    "\r=1": "'\r'=1",
    "\n=1": "'\n'=1",
    "\uff1d1+1": "'\uff1d1+1",
    "\uff0b1+1": "'\uff0b1+1",
    "\uff0d1+1": "'\uff0d1+1",
    "\uff20SUM(1)": "'\uff20SUM(1)",
    'a";=1+1': "a\";'=1+1",
    "a,=1+1": "a,'=1+1",
    'a,"=1+1': "a,'\"=1+1",
    "a\n=1+1": "a\n'=1+1",
    "-": "'-",
    "-1-1": "'-1-1",
    "+5511999990000x": "'+5511999990000x",
}
PLAIN = ["", "a", "-1", "+1", "-1.5", "-1,5", "-1e-7", "10", "a=b", "a-b", "São Paulo", "2026-01-01", "a, b", "a\r\nb", "'", "R$ 1,00"]
BEGINS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?(e[+-]?\d+)?")


@pytest.mark.parametrize(("cell", "safe"), FORMULAS.items())
def test_text_that_begins_a_formula_gets_an_apostrophe(cell: str, safe: str) -> None:
    assert guarded(cell) == safe


@pytest.mark.parametrize("cell", [*PLAIN, None, True, -1, -1.5])
def test_numbers_and_other_text_are_left_alone(cell: object) -> None:
    assert guarded(cell) is cell or guarded(cell) == cell


@given(st.text(alphabet="=+-@\t\r\n;,\"' a1.\uff1d\uff20", max_size=12))
def test_no_cell_begins_a_formula_whatever_a_spreadsheet_takes_for_a_separator(text: str) -> None:
    cells = re.split("[;,\t\r\n]", csv_line([text]))
    assert [cell for cell in cells if cell.strip('"').startswith(BEGINS)] == [] or NUMBER.fullmatch(text)


@given(st.lists(st.text(alphabet="=+-@\t\r\n;,\"' a1", max_size=8), min_size=2, max_size=4))
def test_a_line_is_read_back_as_its_guarded_cells(cells: list[str]) -> None:
    assert list(csv.reader(io.StringIO(csv_line(cells), newline=""))) == [[guarded(cell) for cell in cells]]


def test_a_query_s_csv_is_guarded_and_its_json_is_exact() -> None:
    answer = pa.table({"=name": list(FORMULAS), "units": [-1.5] * len(FORMULAS)})
    shown = {}
    for form in ("csv", "json"):
        out = io.StringIO()
        show_answer(Console(file=out), answer, form)
        shown[form] = out.getvalue()
    header, *rows = csv.reader(io.StringIO(shown["csv"], newline=""))
    assert header == ["'=name", "units"]
    assert rows == [[safe, "-1.5"] for safe in FORMULAS.values()]
    assert [row["=name"] for row in json.loads(shown["json"])] == list(FORMULAS)


def test_the_endpoint_s_csv_is_guarded_and_its_json_is_exact() -> None:
    client = Caller(application(recipe().fit(small_past()).outlook_))
    name = "=HYPERLINK(1)"
    plan = {"promotion_id": name, "sku": "S2", "mechanic": "percentual", "discount_share": 0.2}
    body = {"promotions": [plan | {"starts_on": "2025-06-06", "ends_on": "2025-06-07"}]}
    told = client.post("/invocations", json=body, headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(told.text)))
    assert {row["promotion_id"] for row in rows} == {f"'{name}"}
    assert {row["sku"] for row in rows} == {"S2"}
    assert all(float(row["units"]) > 0 for row in rows)
    assert client.post("/invocations", json=body).json()["promotions"][0]["promotion_id"] == name


def test_the_page_of_dashboards_guards_cells_by_the_same_rule() -> None:
    engine = shutil.which("node")
    source = (REPOSITORY / "src/sales_tech/dashboards/page/js/csv.js").read_text(encoding="utf-8")
    rule = re.search(r"function guarded\(cell\) \{.*?\n\}", source, re.DOTALL)
    assert rule is not None
    if engine is None:
        pytest.skip("no node to run the page's own function; the browser's tests read a whole file")
    cells = [*FORMULAS, *filter(None, PLAIN)]
    script = f"{rule[0]}\nconsole.log(JSON.stringify({json.dumps(cells)}.map(guarded)))"
    told = json.loads(subprocess.run([engine, "-e", script], capture_output=True, text=True, check=True).stdout)
    assert [next(csv.reader(io.StringIO(cell, newline="")))[0] if cell.startswith('"') else cell for cell in told] == [*map(guarded, cells)]
