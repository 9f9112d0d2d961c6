"""What a planner learns from, as a folder of Parquet files: a training container needs it, and no lake.

A training job could be told the lake's address instead. It would then need rights on catalog, tables and queries, and would
learn from what the lake holds when it starts; these files are what was looked at when the job was ordered.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.errors import ModelError
from sales_tech.models.parquet import read_frame, write_frame

if TYPE_CHECKING:
    from sales_tech.planning import SourcePast

ABOUT = "about.json"
FRAMES = ("daily", "products", "stores", "promotions", "stockouts")
# By the names of SourcePast, of which one is a name of SourceFrames as well.
ESTIMATES = {"results": "results", "daily": "promotion_daily", "response": "response", "elasticity": "elasticity"}


class About(BaseModel):
    """Which source it is, its currency and calendar, the snapshots of the tables, and which frames the source does not have."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    source: str
    currency: str
    snapshots: dict[str, int]
    absent: tuple[str, ...] = ()
    calendar: RetailCalendar | None = None


@dataclass(frozen=True)
class Exported:
    """A source's past, and what it is of."""

    about: About
    past: SourcePast


def export_past(past: SourcePast, folder: Path, source: str, snapshots: dict[str, int]) -> None:
    """Write what a planner learns from into a folder, for the channel of a training job."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = {name: getattr(past.frames, name) for name in FRAMES}
    frames |= {file: getattr(past, name) for name, file in ESTIMATES.items()}
    for name, frame in frames.items():
        if frame is not None:
            write_frame(frame, folder / f"{name}.parquet")
    absent = tuple(name for name, frame in frames.items() if frame is None)
    about = About(source=source, currency=past.currency, snapshots=snapshots, absent=absent, calendar=past.calendar)
    (folder / ABOUT).write_text(about.model_dump_json(indent=1), encoding="utf-8")


def read_exported(folder: Path) -> Exported:
    """The past in a folder that `export_past` wrote; ModelError names what is missing."""
    from sales_tech.planning import SourcePast
    from sales_tech.promotions.frames import SourceFrames

    try:
        about = About.model_validate_json((folder / ABOUT).read_bytes())
        frames = {name: read_frame(folder / f"{name}.parquet") for name in (*FRAMES, *ESTIMATES.values()) if name not in about.absent}
    except FileNotFoundError as error:
        raise ModelError(
            f"{error.filename} is not there; expected {ABOUT} and the frames of a source, as export_past writes them"
        ) from error
    except (ValidationError, OSError, ValueError) as error:
        raise ModelError(f"{folder} cannot be read as an exported source: {error}; export it again") from error
    source = SourceFrames(*(frames.get(name) for name in FRAMES))  # type: ignore[arg-type]  # daily and products are never absent
    estimates = {name: frames[file] for name, file in ESTIMATES.items()}
    return Exported(about, SourcePast(source, **estimates, currency=about.currency, calendar=about.calendar))
