"""The sales files, written month after month from windows of days that threads sell and print ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sales_tech.twin.customers import Customers
from sales_tech.twin.demand import Demand
from sales_tech.twin.dirt import Kind, interruptions, plant
from sales_tech.twin.events import told
from sales_tech.twin.history import Ints, stream
from sales_tech.twin.lines import DEVOLVIDO, Lines, together
from sales_tech.twin.orders import Till
from sales_tech.twin.printing import SALES_HEADERS, Printer
from sales_tech.twin.text import ENCODING, content

HEADER = ";".join(SALES_HEADERS)
# Every so many sales files, one has its header again in the middle.
HEADER_REPEATED_EVERY = 6
RETURN_NUMBERS = 900_001
"""Orders that take something back are numbered from here on, day by day."""

LINES_AT_ONCE = 1 << 15
"""Lines that are printed at once: their columns fit in the processor's cache."""

Watch = Callable[[int], None]


@dataclass(frozen=True)
class SalesSummary:
    """The sales files, the lines of each kind in them, their repeated headers, and the lines that the event stream tells of."""

    files: list[Path]
    kinds: Ints
    repeated_headers: int
    told: Lines


@dataclass(frozen=True)
class _Part:
    # What one window of days leaves: lines by kind, lines for later in the file or for later files, the end of the file.
    kinds: Ints
    late: Lines
    cut: Lines
    told: Lines


class SalesFiles:
    """Writes what a retailer sells; the bytes depend on neither the number of threads nor their order."""

    def __init__(self, demand: Demand, customers: Customers, dirt: bool) -> None:
        self._retailer, self._history, self._dirt = demand.retailer, demand.retailer.history, dirt
        self._till, self._printer = Till(demand, customers), Printer(demand.retailer, customers)
        self._windows = demand.windows()
        self._months = self._history.windows(len(self._history.days))

    def write(self, folder: Path, workers: int, watch: Watch) -> SalesSummary:
        """One file per month; `watch` hears how many lines were written so far."""
        late, stream_lines = [], []
        kinds = np.zeros(len(Kind), dtype=np.int64)
        with ThreadPoolExecutor(workers) as threads:
            parts = self._ahead(threads, folder, workers + 1)
            for month, (_, month_stop) in enumerate(self._months):
                for stop, part in parts:
                    late.append(part.late)
                    stream_lines.append(part.told)
                    kinds += part.kinds
                    watch(int(kinds.sum()))
                    if stop == month_stop:
                        break
                last, rest = self._closing(together(late), month)
                late = [rest]
                kinds += _kinds(last) + _kinds(part.cut)
                with self._path(folder, month).open("ab") as file:
                    file.write(content(self._printer.print(last)))
                    file.write(_half(content(self._printer.print(part.cut))))
                returned = told(self._retailer, last.take(last.status == DEVOLVIDO))
                stream_lines.append(returned.take(returned.kind == Kind.PLAIN))
        months = range(len(self._months))
        files, repeated = [self._path(folder, month) for month in months], sum(self._repeats_header(month) for month in months)
        return SalesSummary(files, kinds, repeated, together(stream_lines))

    def _ahead(self, threads: ThreadPoolExecutor, folder: Path, waiting: int) -> Iterator[tuple[int, _Part]]:
        """The parts in their order, with a few at work or waiting, so that memory stays bounded."""
        queue: deque[tuple[int, Future[_Part]]] = deque()
        before: Future[_Part] | None = None
        for first, stop in self._windows:
            before = threads.submit(self._part, folder, first, stop, before)
            queue.append((stop, before))
            if len(queue) >= waiting:
                stop, done = queue.popleft()
                yield stop, done.result()
        while queue:
            stop, done = queue.popleft()
            yield stop, done.result()

    def _part(self, folder: Path, first: int, stop: int, before: Future[_Part] | None) -> _Part:
        sold = self._till.sell(first, stop)
        lines, late, cut = sold.lines, sold.returns, sold.lines.take(slice(0))
        if self._dirt:
            truncate = stop == self._months[len(self._months) // 2][1]
            planted = plant(self._history, lines, truncate, stream(self._retailer.seed, f"dirt from {first}"))
            lines, late, cut = planted.lines, together([late, planted.late]), planted.cut
        month = int(self._history.month_of(self._history.days[first : first + 1])[0])
        begins = first == self._months[month][0]
        if before and not begins:
            before.result()  # It writes into the same file.
        # Each thread writes what it has just printed: handing it on would cost fresh memory for every line.
        with self._path(folder, month).open("wb" if begins else "ab") as file:
            if begins:
                file.write(f"{HEADER}\n".encode(ENCODING))
            for start in range(0, max(len(lines), 1), LINES_AT_ONCE):
                texts = self._printer.print(lines.take(slice(start, start + LINES_AT_ONCE)))
                if self._dirt and begins and start == 0:
                    rng = stream(self._retailer.seed, f"interruptions from {first}")
                    file.writelines(interruptions(texts, HEADER, self._repeats_header(month), rng))
                else:
                    file.write(content(texts))
        return _Part(_kinds(lines), late, cut, told(self._retailer, sold.lines))

    def _path(self, folder: Path, month: int) -> Path:
        return folder / f"vendas_{self._history.months[month]:%Y-%m}.csv"

    def _repeats_header(self, month: int) -> bool:
        return self._dirt and month % HEADER_REPEATED_EVERY == 0

    def _closing(self, late: Lines, month: int) -> tuple[Lines, Lines]:
        """The late lines of a month's file as they were written, returns numbered, and those of later files."""
        file = np.where(late.kind == Kind.DUPLICATE, self._history.month_of(self._history.days[late.day]), late.file(self._history))
        now = np.flatnonzero(file <= month)
        now = now[np.argsort(late.updated[now], kind="stable")]
        return _numbered(late.take(now)), late.take(file > month)


def _numbered(lines: Lines) -> Lines:
    rows = np.flatnonzero((lines.status == DEVOLVIDO) & (lines.kind == Kind.PLAIN))
    rows = rows[np.argsort(lines.day[rows], kind="stable")]
    day, number = lines.day[rows], lines.number.copy()
    number[rows] = RETURN_NUMBERS + np.arange(len(rows)) - np.searchsorted(day, day)
    return lines.but(number=number)


def _kinds(lines: Lines) -> Ints:
    return np.bincount(lines.kind, minlength=len(Kind))


def _half(line: memoryview) -> memoryview:
    return line[: len(line) // 2]
