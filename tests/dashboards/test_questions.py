"""The question of a visual, held against the same worked out in pandas from all rows of its data set."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from math import inf, isnan, nan
from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.dashboards.conftest import plain
from tests.support.dashboards import dashboards

from sales_tech.dashboards.questions import Chosen, question
from sales_tech.dashboards.specification import Dashboard, Data, Measure
from sales_tech.dashboards.visuals import Bar, Kpi, Table, Visual, dimensions_of, grain_of, measures_of
from sales_tech.lake.query import Reader

ALL = [(dashboard, visual) for dashboard in dashboards() for visual in dashboard.visuals]
NAMES = [f"{dashboard.name}-{visual.name}" for dashboard, visual in ALL]
FREQUENCIES = {"day": "D", "week": "W-SUN", "month": "M"}
SOURCE = {"source": ["erp_br"]}


def kept(rows: pd.DataFrame, data: Data, chosen: Chosen) -> pd.DataFrame:
    for column, values in chosen.values.items():
        if column in data.dimensions:
            rows = rows[rows[column].isin(values)]
    if chosen.months is None or data.period is None:
        return rows
    months = rows[data.period].dt.to_period("M")
    first, last = (pd.Period(day, "M") for day in chosen.months)
    return rows[(months >= first) & (months <= last)]


def measured(rows: pd.DataFrame, measure: Measure) -> float:
    if measure.ratio is None:
        return float(rows[measure.sum].astype("float64").sum(min_count=1))
    of, to = (float(rows[column].astype("float64").sum(min_count=1)) for column in (measure.ratio.of, measure.ratio.to))
    return of / to if to else nan


def expected(rows: pd.DataFrame, dashboard: Dashboard, visual: Visual, chosen: Chosen) -> dict[tuple[Any, ...], list[float]]:
    """The measures of a visual by its dimensions; those of a figure by the name of the period."""
    data = dashboard.data[visual.data]
    measures = [data.measures[name] for name in dict.fromkeys(name for _, name in measures_of(visual))]
    if isinstance(visual, Kpi):
        parts = {"current": chosen}
        if visual.compare and chosen.months is not None and data.period is not None:
            first, last = (pd.Period(day, "M") for day in chosen.months)
            length = (last - first).n + 1
            before = ((first - length).start_time.date(), (last - length).start_time.date())
            parts["before"] = Chosen(chosen.values, before)
        return {(name,): [measured(kept(rows, data, part), measure) for measure in measures] for name, part in parts.items()}
    rows = kept(rows, data, chosen)
    keys = []
    for role, name in dimensions_of(visual):
        if role == ("x",) and (grain := grain_of(visual)) is not None:
            keys.append(rows[name].dt.to_period(FREQUENCIES[grain]).dt.start_time.dt.strftime("%Y-%m-%d"))
        else:
            keys.append(rows[name])
    if not keys:
        return {(): [measured(rows, measure) for measure in measures]}
    return {
        key if isinstance(key, tuple) else (key,): [measured(group, measure) for measure in measures]
        for key, group in rows.groupby(keys, dropna=False)
    }


def answered(reader: Reader, dashboard: Dashboard, visual: Visual, chosen: Chosen) -> dict[tuple[Any, ...], list[float]]:
    frame = plain(reader, question(dashboard, visual, chosen))
    measures = list(dict.fromkeys(name for _, name in measures_of(visual)))
    keys = [column for column in frame.columns if column not in measures]
    assert not keys or not frame.duplicated(keys).any()
    for column in keys:
        if pd.api.types.is_datetime64_any_dtype(frame[column]):
            frame[column] = frame[column].dt.strftime("%Y-%m-%d")
    rows = frame[keys].itertuples(index=False, name=None) if keys else [()] * len(frame)
    values = frame[measures].astype("float64").to_numpy().tolist()
    return dict(zip(rows, values, strict=True))


def assert_same(reader: Reader, views: dict[str, pd.DataFrame], dashboard: Dashboard, visual: Visual, chosen: Chosen) -> int:
    told = answered(reader, dashboard, visual, chosen)
    whole = expected(views[dashboard.data[visual.data].table], dashboard, visual, chosen)
    if isinstance(visual, Table) or (isinstance(visual, Bar) and visual.order == "value" and visual.color is None):
        assert len(told) == min(len(whole), visual.top)
        firsts = sorted((found[0] for found in whole.values()), key=lambda value: inf if isnan(value) else -value)
        assert [found[0] for found in told.values()] == pytest.approx(firsts[: visual.top], nan_ok=True)
        whole = {key: whole[key] for key in told}
    assert set(told) == set(whole)
    for key, found in told.items():
        assert found == pytest.approx(whole[key], rel=1e-9, abs=1e-6, nan_ok=True), key
    return len(told)


@pytest.mark.parametrize(("dashboard", "visual"), ALL, ids=NAMES)
def test_a_visual_shows_the_sums_and_ratios_of_its_data(
    reader: Reader, views: dict[str, pd.DataFrame], dashboard: Dashboard, visual: Visual
) -> None:
    assert assert_same(reader, views, dashboard, visual, Chosen(SOURCE)) > 0


@settings(max_examples=40, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.data())
def test_a_filtered_question_is_the_same_as_filtering_the_rows(reader: Reader, views: dict[str, pd.DataFrame], data: st.DataObject) -> None:
    dashboard, visual = data.draw(st.sampled_from(ALL))
    values: dict[str, list[Any]] = {}
    for column in data.draw(st.lists(st.sampled_from([one.column for one in dashboard.filters]), unique=True, max_size=3)):
        known = sorted(
            {value for owner in dashboard.data.values() if column in owner.dimensions for value in views[owner.table][column].unique()}
        )
        values[column] = data.draw(st.lists(st.sampled_from([*known, "d'água"]), min_size=1, max_size=4, unique=True))
    first, last = sorted(data.draw(st.tuples(*[st.dates(date(2026, 1, 1), date(2026, 9, 1))] * 2)))
    months = data.draw(st.sampled_from([None, (first.replace(day=1), last.replace(day=1))]))
    assert_same(reader, views, dashboard, visual, Chosen(values, months))


@pytest.fixture
def kpi() -> Callable[..., tuple[Dashboard, Visual]]:
    return lambda name: next((dashboard, visual) for dashboard, visual in ALL if (dashboard.name, visual.name) == name)


def test_a_figure_is_compared_with_as_many_months_before(kpi: Callable[..., tuple[Dashboard, Visual]]) -> None:
    dashboard, visual = kpi(("sales", "net_sales"))
    sql = question(dashboard, visual, Chosen(months=(date(2026, 2, 1), date(2026, 4, 1))))
    assert "month >= date '2026-02-01' and month < date '2026-05-01'" in sql
    assert "month >= date '2025-11-01' and month < date '2026-02-01'" in sql
