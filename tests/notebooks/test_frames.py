"""How a notebook shows its tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sales_tech import notebook


def test_a_table_leaves_no_column_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "_current", [])
    shown = ("display.max_columns", 20, "display.max_colwidth", 50, "display.float_format", None)
    with pd.option_context(*shown):
        notebook.begin(lake=str(tmp_path / "lake"), landing=str(tmp_path / "landing"))
        html = pd.DataFrame([range(30)])._repr_html_()
    assert html.count("<td>") == 30
