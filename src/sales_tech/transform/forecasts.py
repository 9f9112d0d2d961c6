"""What will be sold, with the promotions that are planned: the forecasts of every source of which anything changed, as gold tables.

Of earlier nights one forecast a week is kept in gold.demand_forecast itself, for as many weeks as a forecast reaches ahead, and
compared with what was sold since. They are rows and not older snapshots of the table: snapshots expire, and several nights of
one day, or a forced one, would have to be told apart; rows are there for any query.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.contracts.fingerprint import code_fingerprint
from sales_tech.contracts.table import table_contract
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.lake.store import Lake, LakeFile
from sales_tech.lake.write import Staged
from sales_tech.planning import Outlook, PlanBeyondHistory, SourcePast, TooLittleHistory
from sales_tech.planning.accuracy import accuracy_of
from sales_tech.planning.expected import expected_demand
from sales_tech.planning.planned import planned_ahead
from sales_tech.planning.series import UNKNOWN, catalogue_of
from sales_tech.runs import Run, StepResult, exclusive
from sales_tech.transform.estimated import changes_of, commit_frames, stage_frame, stale_sources
from sales_tech.transform.planning_past import ESTIMATES, calendars_of, read_past
from sales_tech.transform.promotion_frames import DAILY, SourceRows, read_source, sources_of
from sales_tech.transform.promotion_frames import INPUTS as ROWS
from sales_tech.transform.sources import view_table
from sales_tech.transform.staleness import UNCHANGED, Change

if TYPE_CHECKING:
    from sales_tech.planning import PromotionPlanner

STEP = "ml/forecast"
DEMAND, PROMOTIONS, ACCURACY = "gold.demand_forecast", "gold.promotion_forecast", "gold.forecast_accuracy"
TABLES = (PROMOTIONS, ACCURACY, DEMAND)
INPUTS = (*ROWS, *ESTIMATES)
KEPT_DAYS = 91

Calendars = Mapping[str, RetailCalendar]
Moved = dict[str, dict[str, list[str]]]


class Learnt(Protocol):
    """What was learnt of the sources: the planners in use."""

    def digest(self, source: str) -> str:
        """What tells the planner of a source from any other; an empty text where it has none."""
        ...

    def planner(self, source: str) -> PromotionPlanner | None:
        """The fitted planner of a source; None where it has none, or none that can be gone on with."""
        ...


def why(lake: Lake, calendars: Calendars, learnt: Learnt | None = None, *, force: bool = False) -> dict[str, Change]:
    """For each of TABLES that must be worked on: what moved since its last commit.

    `calendars` are those of the packs, by source; which planners are in use is looked at where `learnt` is given.
    """
    return _changes(lake, _moved(lake, calendars, learnt), force=force)


def run(run: Run, learnt: Learnt | None = None) -> StepResult:
    """Forecast anew each source of which anything changed, and replace its rows.

    `learnt` gives the fitted planner of a source, which then only takes the newest sales; where it gives none, or is not
    given, one is fitted. A source that cannot be forecast has no rows, and the result's notes say why.
    """
    with exclusive(run.settings), open_engine(run.settings) as engine:
        lake = Lake(run.settings)
        calendars = calendars_of(run.settings)
        moved = _moved(lake, calendars, learnt)
        changes = _changes(lake, moved, force=run.force)
        if not changes:
            return run.record(StepResult(STEP, notes=["nothing to do"]))
        sources = sorted(set(stale_sources(lake, TABLES, changes)).union(*moved.values()))
        return run.record(_build(lake, engine, run, sources, learnt, calendars))


def _changes(lake: Lake, moved: Moved, *, force: bool) -> dict[str, Change]:
    changes = changes_of(lake, TABLES, INPUTS, _code(), force=force)
    for name, by_source in moved.items():
        known = changes.get(name, UNCHANGED)
        changes[name] = replace(known, reasons=(*known.reasons, *(reason for reasons in by_source.values() for reason in reasons)))
    return changes


def _moved(lake: Lake, calendars: Calendars, learnt: Learnt | None) -> Moved:
    """By table the sources with sales that its last commit forecast by another calendar or model, and by which of them."""
    sources = sorted(sources_of(lake, DAILY))
    digests = {source: learnt.digest(source) for source in sources} if learnt else {}
    moved: Moved = {}
    for name in TABLES:
        if (last := lake.provenance(name)) is None:
            continue
        for source in sources:
            reasons = []
            if source in calendars and calendars[source].fingerprint != last.packs.get(source, ""):
                reasons.append(f"changed calendar of {source}")
            if source in digests and digests[source] != last.models.get(source, ""):
                reasons.append(f"another model of {source}")
            if reasons:
                moved.setdefault(name, {})[source] = reasons
    return moved


def _build(lake: Lake, engine: DuckEngine, run: Run, sources: list[str], learnt: Learnt | None, calendars: Calendars) -> StepResult:
    staged: dict[str, list[Staged]] = {name: [] for name in TABLES}
    removed = {name: [file for file in lake.files(name) if file.partition[0] in sources] for name in TABLES}
    rows_in, notes = 0, []
    for source in sources:
        found = read_source(lake, engine, source)
        if found is None:
            notes.append(f"{source}: no sales are left, so nothing is forecast")
            continue
        past = read_past(lake, engine, source, found, calendars.get(source))
        rows_in += found.rows
        try:
            planner = _planner(past, learnt.planner(source) if learnt else None)
        except TooLittleHistory as error:
            notes.append(f"{source}: {error}")
            continue
        outlook = planner.outlook_
        kept = _kept([file for file in removed[DEMAND] if file.partition[0] == source], outlook.origin)
        removed[DEMAND] = [file for file in removed[DEMAND] if file not in kept]
        plans, left_out = planned_ahead(outlook, found.frames.promotions, outlook.last)
        given = {"source": source, "currency": found.currency}
        with _beyond() as guessed:
            frames = {DEMAND: _demand(outlook, plans), PROMOTIONS: _promotions(outlook, plans)}
        frames[ACCURACY] = _accuracy(lake, engine, kept, found, outlook.origin)
        for name, frame in frames.items():
            staged[name].append(stage_frame(lake, engine, run, name, frame, given))
        notes += [f"{source}: {note}" for note in (*planner.notes_, *left_out, *guessed)]
    # What was not made anew stays what the last commit says of it.
    last = lake.provenance(DEMAND)
    applied = (last.packs if last else {}) | {source: calendars.get(source, RetailCalendar()).fingerprint for source in sources}
    models = (last.models if last else {}) | {source: learnt.digest(source) if learnt else "" for source in sources}
    commits = commit_frames(lake, run, STEP, _code(), INPUTS, staged, removed, sources, applied, models)
    return StepResult(STEP, rows_in, commits, notes=notes)


def _planner(past: SourcePast, stored: PromotionPlanner | None) -> PromotionPlanner:
    if stored is not None:
        return stored.observe(past)
    # Heavy to import, and a plan does without it.
    from sales_tech.planning import PromotionPlanner

    return PromotionPlanner(**past.days).fit(past)


@contextmanager
def _beyond() -> Iterator[list[str]]:
    """What is warned of as beyond the past, as notes; other warnings stay warnings."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PlanBeyondHistory)
        yield notes
    for warning in caught:
        if not issubclass(warning.category, PlanBeyondHistory):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    notes += dict.fromkeys(str(warning.message) for warning in caught if issubclass(warning.category, PlanBeyondHistory))


def _kept(files: list[LakeFile], origin: pd.Timestamp) -> list[LakeFile]:
    """The files of earlier weeks' forecasts that stay: the last night of each week before that of the origin."""
    nights = sorted({_day(file) for file in files if _week(_day(file)) < _week(origin) and (origin - _day(file)).days <= KEPT_DAYS})
    last = {_week(night): night for night in nights}
    return [file for file in files if _day(file) in last.values()]


def _day(file: LakeFile) -> pd.Timestamp:
    value = file.partition[1]
    return pd.Timestamp(value) if isinstance(value, date) else pd.Timestamp(int(str(value)), unit="D")


def _week(day: pd.Timestamp) -> pd.Timestamp:
    return day - pd.Timedelta(days=day.weekday())


def _demand(outlook: Outlook, plans: pd.DataFrame) -> pd.DataFrame:
    told = expected_demand(outlook, plans)
    return told.assign(made_on=outlook.origin, horizon_days=(told["sold_on"] - outlook.origin).dt.days)


def _promotions(outlook: Outlook, plans: pd.DataFrame) -> pd.DataFrame:
    contract = table_contract(PROMOTIONS)
    if plans.empty:
        kinds = {name: "datetime64[s]" if column.type.name == "date" else None for name, column in contract.columns.items()}
        return pd.DataFrame({name: pd.Series(dtype=kind or object) for name, kind in kinds.items()})
    about = plans[["promotion_id", "sku", "name", "starts_on", "until"]].rename(columns={"until": "ends_on"})
    return outlook.forecast(plans, together=True).assign(made_on=outlook.origin).merge(about, on=["promotion_id", "sku"])


def _accuracy(lake: Lake, engine: DuckEngine, kept: list[LakeFile], found: SourceRows, origin: pd.Timestamp) -> pd.DataFrame:
    view = view_table(engine, lake, DEMAND, view="earlier_forecasts", files=kept)
    numbers = ", ".join(f"cast({name} as double) as {name}" for name in ("units", "units_low", "units_high"))
    made: pd.DataFrame = engine.arrow(
        f"select cast(made_on as timestamp_s) as made_on, sku, channel, cast(sold_on as timestamp_s) as sold_on, category, {numbers} "
        f"from {view} order by made_on, sku, channel, sold_on"
    ).to_pandas()
    daily = found.frames.daily
    first = made["made_on"].min() if len(made) else origin
    sold = daily[daily["sold_on"] > first]
    sales = sold.groupby(["sku", "channel", "sold_on"], observed=True, sort=True)["units"].sum().reset_index()
    categories = catalogue_of(found.frames.products)["category"]
    sales["category"] = sales["sku"].astype(object).map(categories).fillna(UNKNOWN)
    return accuracy_of(made, sales, origin)


def _code() -> str:
    return code_fingerprint(
        *(
            "engines",
            "forecasting",
            "retail_dates.py",
            "planning",
            "promotions/frames.py",
            "transform/estimated.py",
            "transform/forecasts.py",
        ),
        *("transform/planning_past.py", "transform/promotion_frames.py"),
    )
