"""The lake that the dashboards are asked of, and their rows as pandas holds them."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.support.dashboards import lake_of_dashboards

from sales_tech.dashboards.views import relation_sql, view_names
from sales_tech.lake.query import Reader


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Answers questions on a small lake in which every view has rows."""
    return Reader(lake_of_dashboards(tmp_path_factory.mktemp("dashboards")))


@pytest.fixture(scope="session")
def views(reader: Reader) -> dict[str, pd.DataFrame]:
    """All rows of every view, decimals as floats and dates as timestamps."""
    return {name: plain(reader, f"select * from {relation_sql(name)} as t") for name in view_names()}


def plain(reader: Reader, sql: str) -> pd.DataFrame:
    """The rows of a query, decimals as floats and dates as timestamps."""
    table = reader.arrow(sql)
    frame = table.to_pandas(date_as_object=False)
    for column in table.schema:
        if str(column.type).startswith("decimal"):
            frame[column.name] = frame[column.name].astype("float64")
    return frame
