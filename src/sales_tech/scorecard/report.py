"""Runs the trials of fresh seeds and prints their figures with their goals."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sales_tech.scorecard.goals import Figure, figures
from sales_tech.scorecard.trial import STANDARD, Trial, run_trial
from sales_tech.twin.scenario import Size

KNOWN_LIMIT = "shock"


def fresh_seeds(count: int) -> list[int]:
    """Seeds that nobody has seen before."""
    return [secrets.randbelow(2**31) for _ in range(count)]


def run_scorecard(
    difficulties: Sequence[str], seeds: Sequence[int], size: Size = STANDARD, watch: Callable[[Trial], None] = lambda _: None
) -> dict[str, tuple[list[Trial], list[Figure]]]:
    """The trials and figures of each difficulty; `watch` is told of every trial as it ends."""
    told = {}
    for difficulty in difficulties:
        trials = []
        for seed in seeds:
            trials.append(run_trial(difficulty, seed, size))
            watch(trials[-1])
        told[difficulty] = trials, figures(trials)
    return told


def show_trial(console: Console, trial: Trial) -> None:
    """One line on a trial that has ended."""
    table = trial.promotions
    error = table["estimate"].sum() / table["incremental"].sum() - 1
    console.print(f"{trial.difficulty} seed {trial.seed}: {len(table)} promotions in {trial.seconds:.1f} s, total off by {error:+.1%}")


def show_scorecard(console: Console, told: dict[str, tuple[list[Trial], list[Figure]]]) -> bool:
    """Print a table per difficulty; whether all goals hold. The shock scenario is a known limit of any method, and has no goal."""
    holds = True
    for difficulty, (trials, lines) in told.items():
        limit = difficulty == KNOWN_LIMIT
        title = f"{difficulty}: {len(trials)} seeds ({', '.join(str(trial.seed) for trial in trials)})"
        table = Table(title=title + (", a known limit of any method" if limit else ""), title_justify="left")
        for name in ("figure", "estimate", "naive", "oracle", "goal", ""):
            table.add_column(name, justify="left" if name == "figure" else "right")
        for line in lines:
            shown = [_number(value) for value in (line.value, line.naive, line.oracle)]
            table.add_row(line.name, *shown, "" if limit else _goal(line), "" if limit else "yes" if line.holds else "NO")
            holds &= limit or line.holds
        console.print(table)
    return holds


def write_scorecard(path: Path, told: dict[str, tuple[list[Trial], list[Figure]]]) -> None:
    """Write the figures as JSON."""
    document = {
        difficulty: {
            "seeds": [trial.seed for trial in trials],
            "seconds": [round(trial.seconds, 2) for trial in trials],
            "figures": [{name: _plain(value) for name, value in asdict(line).items()} | {"holds": line.holds} for line in lines],
        }
        for difficulty, (trials, lines) in told.items()
    }
    path.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4) if value == value and abs(value) != float("inf") else None
    return value


def _number(value: float) -> str:
    return "" if value != value else f"{value:.3f}"


def _goal(line: Figure) -> str:
    return f"{line.low:g} to {line.high:g}" if line.high != float("inf") else f"from {line.low:g}"
