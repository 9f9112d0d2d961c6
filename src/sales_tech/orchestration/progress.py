"""A line for each step with the time it has taken, alive on a terminal, plain in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sales_tech.orchestration.steps import Step

Watch = Callable[[Step], AbstractContextManager[None]]


@contextmanager
def counter(console: Console, words: str) -> Iterator[Callable[[int], None]]:
    """Show how many of something were handled; the caller tells the number so far."""
    columns = [SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.completed:,} {task.description}"), TimeElapsedColumn()]
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda number: bar.update(task, completed=number)


@contextmanager
def watcher(console: Console) -> Iterator[Watch]:
    """Show each step while it runs: its notebook and seconds; the caller enters the watch around a step."""
    columns = [SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn()]
    bar = Progress(*columns, console=console, disable=not console.is_terminal)

    @contextmanager
    def watch(step: Step) -> Iterator[None]:
        name = f"notebooks/{step.notebook}"
        if not console.is_terminal:
            console.print(f"{name} ...", highlight=False)
        task = bar.add_task(name, total=None)
        began = monotonic()
        try:
            yield
        finally:
            bar.update(task, total=1, completed=1)
            if not console.is_terminal:
                console.print(f"{name} took {monotonic() - began:.1f} s", highlight=False)

    with bar:
        yield watch
