"""The steps of the pipeline: their notebooks, what they need, and why each would run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.contracts.pack import Pack
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import SettingsError
from sales_tech.ingest import batch_csv, order_events
from sales_tech.ingest.arrivals import Unread
from sales_tech.lake.kinds import left_behind
from sales_tech.lake.store import Lake
from sales_tech.models import training
from sales_tech.models.registry import Registry
from sales_tech.orchestration import maintenance
from sales_tech.runs import Run, StepResult
from sales_tech.transform import forecasts, gold, promotions, reference, sales
from sales_tech.transform.mapping import BoundMapping
from sales_tech.transform.staleness import Change


@dataclass(frozen=True)
class Situation:
    """What a step looks at to tell whether it must run."""

    run: Run
    lake: Lake
    engine: DuckEngine
    packs: dict[str, Pack]
    mappings: dict[str, dict[str, BoundMapping]]


@dataclass(frozen=True)
class Step:
    """One notebook of the pipeline, after the steps it `needs`; `why` gives its reasons to run, or none.

    `work` is what the notebook calls, for a place that has no kernel to run it in. `rejected` gives, for a step that
    reads landed files, those that still stand there unread; `warns` what to look at whether or not it has anything to do.
    """

    name: str
    notebook: str
    needs: tuple[str, ...]
    why: Callable[[Situation], list[str]]
    work: Callable[[Run], StepResult]
    rejected: Callable[[Situation], list[Unread]] | None = None
    warns: Callable[[Situation], list[str]] | None = None

    @property
    def reads_files(self) -> bool:
        """Whether it looks at the landing folder."""
        return self.rejected is not None

    def unread(self, at: Situation) -> list[Unread]:
        """The landed files that it rejected in an earlier run and does not look at in this one."""
        return self.rejected(at) if self.rejected else []

    def warnings(self, at: Situation) -> list[str]:
        """What to look at before it runs, of the lake and the packs."""
        return self.warns(at) if self.warns else []


def _new_files(at: Situation) -> list[str]:
    return _counted(batch_csv.why(at.lake, at.engine, at.packs, at.run))


def _new_events(at: Situation) -> list[str]:
    return _counted(order_events.why(at.lake, at.engine, at.run))


def _unread_files(at: Situation) -> list[Unread]:
    return batch_csv.unread(at.lake, at.engine, at.packs, at.run)


def _left_behind(at: Situation) -> list[str]:
    return left_behind(at.lake, at.engine, at.packs)


def _unread_events(at: Situation) -> list[Unread]:
    return order_events.unread(at.lake, at.engine, at.run)


def _counted(counts: Mapping[str, int]) -> list[str]:
    return [f"{count} {reason.replace('file', 'files', 1) if count > 1 else reason}" for reason, count in counts.items()]


def _reference(at: Situation) -> list[str]:
    return _merged(reference.why(at.lake, at.packs, at.mappings, force=at.run.force))


def _sales(at: Situation) -> list[str]:
    return _merged(sales.why(at.lake, at.packs, at.mappings, force=at.run.force))


def _gold(at: Situation) -> list[str]:
    if at.lake.snapshot_id(sales.TABLE) is None:
        return []
    return _merged(gold.why(at.lake, force=at.run.force))


def _promotions(at: Situation) -> list[str]:
    return _merged(promotions.why(at.lake, force=at.run.force))


def _forecasts(at: Situation) -> list[str]:
    return _merged(forecasts.why(at.lake, _calendars(at), Registry(at.run.settings), force=at.run.force))


def _training(at: Situation) -> list[str]:
    return [f"{source}: {reason}" for source, reason in training.why(at.lake, at.engine, at.run, _calendars(at)).items()]


def _calendars(at: Situation) -> dict[str, RetailCalendar]:
    return {name: pack.calendar for name, pack in at.packs.items()}


def _maintenance(at: Situation) -> list[str]:
    return maintenance.why(at.lake, at.engine, at.run)


def _merged(changes: Mapping[Any, Change]) -> list[str]:
    return list(dict.fromkeys(reason for change in changes.values() for reason in change.reasons))


_BUILDING = (
    Step(batch_csv.STEP, "01_ingest/batch_csv.ipynb", (), _new_files, batch_csv.run, _unread_files, _left_behind),
    Step(order_events.STEP, "01_ingest/order_events.ipynb", (), _new_events, order_events.run, _unread_events),
    Step(reference.STEP, "02_silver/reference.ipynb", (batch_csv.STEP,), _reference, reference.run),
    Step(sales.STEP, "02_silver/sales.ipynb", (order_events.STEP, reference.STEP), _sales, sales.run),
    Step(gold.STEP, "03_gold/sales.ipynb", (sales.STEP,), _gold, gold.run),
    Step(promotions.STEP, "03_gold/promotions.ipynb", (gold.STEP,), _promotions, promotions.run),
    Step(training.STEP, "04_ml/train.ipynb", (promotions.STEP,), _training, training.run),
    # After it, but not for want of it: a forecast learns for itself where no model is registered.
    Step(forecasts.STEP, "04_ml/forecast.ipynb", (promotions.STEP,), _forecasts, forecasts.run),
)
# Last, when all have read what is new; after a failure it waits, and leaves what was written for whoever looks for the cause.
STEPS = (
    *_BUILDING,
    Step(maintenance.STEP, "05_maintenance/lake.ipynb", tuple(step.name for step in _BUILDING), _maintenance, maintenance.run),
)


def chosen(names: Iterable[str]) -> tuple[Step, ...]:
    """The named steps in the pipeline's order; all of them for no names. SettingsError for an unknown name."""
    wanted = set(names)
    known = [step.name for step in STEPS]
    if unknown := sorted(wanted - set(known)):
        raise SettingsError(f"no step {', '.join(unknown)}; expected {', '.join(known)}")
    return tuple(step for step in STEPS if not wanted or step.name in wanted)
