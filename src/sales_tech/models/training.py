"""The step ml/train: a new model for each source whose sales went on, registered where it is better than the one in use."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.errors import ModelError
from sales_tech.lake.store import Lake
from sales_tech.models.artifact import Artifact, write_artifact
from sales_tech.models.card import REFUSED, Figures, ModelCard, far_from
from sales_tech.models.manifest import model_code
from sales_tech.models.parquet import write_frame
from sales_tech.models.registry import Decided, Index, Registry
from sales_tech.promotions.frames import without_strays
from sales_tech.runs import Run, StepResult, exclusive
from sales_tech.transform.promotion_frames import DAILY, sources_of
from sales_tech.transform.sources import view_table

STEP = "ml/train"
FEWEST_DAYS = 7
FOLDER, CARD, TRIAL = "models", "card.json", "trial.parquet"


def why(lake: Lake, engine: DuckEngine, run: Run, calendars: Mapping[str, RetailCalendar]) -> dict[str, str]:
    """The sources that need a new model, and why each does. `calendars` are those of the packs, by source."""
    if lake.snapshot_id(DAILY) is None:
        return {}
    registry = Registry(run.settings)
    known = {source: registry.index(source) for source in sorted(sources_of(lake, DAILY))}
    due = {}
    for source, sold in _sold(lake, engine).items():
        if reason := reason_to_train(known[source], sold, calendars.get(source), force=run.force):
            due[source] = reason
    return due


def run(run: Run) -> StepResult:
    """Fit a challenger for each source that is due, keep what was decided, and register it where it won.

    Cards, and what the forecasters told in the trial, lie in the run's folder below `models/<source>`. The result's notes
    say of which source there is no model, and why.
    """
    from sales_tech.models.championship import contest
    from sales_tech.planning import PromotionPlanner, TooLittleHistory
    from sales_tech.transform.planning_past import ESTIMATES, calendars_of, read_past
    from sales_tech.transform.promotion_frames import INPUTS, read_source

    registry, notes, rows = Registry(run.settings), [], 0
    with exclusive(run.settings), open_engine(run.settings) as engine:
        lake = Lake(run.settings)
        calendars = calendars_of(run.settings)
        due, sold = why(lake, engine, run, calendars), _sold(lake, engine)
        snapshots = {name: number for name in (*INPUTS, *ESTIMATES) if (number := lake.snapshot_id(name)) is not None}
        for source in due:
            found = read_source(lake, engine, source)
            if found is None:
                continue
            rows += found.rows
            past = read_past(lake, engine, source, found, calendars.get(source))
            calendar = past.calendar.fingerprint if past.calendar else ""
            champion, lost = _champion(registry, source)
            try:
                ended = contest(past, source, snapshots, champion, PromotionPlanner(**past.days))
            except TooLittleHistory as error:
                notes.append(f"{source}: {error}")
                registry.decide(source, _decided(sold[source], REFUSED, str(error), calendar=calendar))
                continue
            card = ended.card.model_copy(update={"notes": [*ended.card.notes, *lost]})
            if ended.planner is not None:
                with tempfile.TemporaryDirectory() as work:
                    artifact = write_artifact(Path(work) / "model", ended.planner, card)
                    known = sold[source]
                    registry.register(artifact, card, known.index[-1], units=float(known.sum()), calendar=calendar)
            else:
                decision = card.decision
                registry.decide(source, _decided(sold[source], decision.outcome, decision.reason, card.origin, calendar=calendar))
                if champion is None or run.force:
                    notes.append(f"{source}: the new model is not registered: {decision.reason}")
            folder = run.folder / FOLDER / source
            folder.mkdir(parents=True, exist_ok=True)
            (folder / CARD).write_text(card.model_dump_json(indent=1), encoding="utf-8")
            (folder / "card.md").write_text(card.markdown(), encoding="utf-8")
            if ended.trial is not None:
                write_frame(ended.trial.frame(), folder / TRIAL)
    return run.record(StepResult(STEP, rows, notes=notes))


def cards_of(run: Run) -> dict[str, ModelCard]:
    """By source the card of the model that this run tried, or, where it tried none, that of the one in use."""
    registry = Registry(run.settings)
    cards = {source: registry.card(source) for source in registry.sources()}
    tried = sorted((run.folder / FOLDER).glob(f"*/{CARD}"))
    return cards | {path.parent.name: ModelCard.model_validate_json(path.read_bytes()) for path in tried}


def decisions(run: Run) -> pd.DataFrame:
    """The latest decision on each source's models: source, champion, its origin, outcome, reason, when and on which sales it fell."""
    registry = Registry(run.settings)
    rows = []
    for source in registry.decided():
        index = registry.index(source)
        last, champion = index.decisions[-1], None if index.champion is None else index.named(index.champion)
        rows.append(
            {
                "source": source,
                "champion": index.champion,
                "learnt_until": None if champion is None else champion.origin,
                "outcome": last.outcome,
                "reason": last.reason,
                "sales_until": last.sales_until,
                "decided_at": last.decided_at,
            }
        )
    return pd.DataFrame(rows, columns=["source", "champion", "learnt_until", "outcome", "reason", "sales_until", "decided_at"])


def figures(cards: Mapping[str, ModelCard]) -> pd.DataFrame:
    """How good each forecaster was, one row per source and forecaster."""
    rows = [{"source": source} | one.model_dump() for source, card in cards.items() for one in card.figures]
    return pd.DataFrame(rows, columns=["source", *Figures.model_fields])


def reason_to_train(index: Index, sold: pd.Series, calendar: RetailCalendar | None = None, *, force: bool = False) -> str | None:
    """Why a source that sold so many units by day, in order, needs a new model; None where it does not."""
    if force:
        return "forced"
    if not index.decisions:
        return "no model yet"
    last = index.decisions[-1]
    if (days := (sold.index[-1] - last.sales_until).days) >= FEWEST_DAYS:
        return f"sales went on for {days} days since the last model was tried"
    now = float(sold[: last.sales_until].sum())
    if last.units is not None and far_from(last.units, now):
        return f"{last.units:,.0f} units were sold up to {last.sales_until} when the last model was tried, {now:,.0f} are known now"
    if last.code != model_code():
        return "the model was fitted by other code"
    if calendar is not None and calendar.fingerprint != last.calendar:
        return "the calendar of its pack has changed"
    return None


def _sold(lake: Lake, engine: DuckEngine) -> dict[str, pd.Series]:
    # By source the units of each day with a sale, in order of the days.
    view_table(engine, lake, DAILY)
    rows = engine.arrow(f"select source, sold_on, sum(units)::double as units from {DAILY} group by all order by source, sold_on")
    by_source = rows.to_pandas(date_as_object=True).groupby("source", sort=True)
    return {str(source): without_strays(days.set_index("sold_on")["units"]) for source, days in by_source}


def _champion(registry: Registry, source: str) -> tuple[Artifact | None, list[str]]:
    if registry.champion(source) is None:
        return None, []
    try:
        return registry.open(source), []
    except ModelError as error:
        return None, [f"The model in use cannot be opened: {error}. The new one had only the simple forecasts to beat."]


def _decided(sold: pd.Series, outcome: str, reason: str, origin: date | None = None, *, calendar: str) -> Decided:
    return Decided(
        origin=origin,
        sales_until=sold.index[-1],
        decided_at=datetime.now(UTC),
        code=model_code(),
        outcome=outcome,
        reason=reason,
        calendar=calendar,
        units=float(sold.sum()),
    )
