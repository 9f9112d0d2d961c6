"""The files of the pack `erp_br`, written from an invented history."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from sales_tech.sample.catalogue import make_catalogue
from sales_tech.sample.customers import make_customers
from sales_tech.sample.demand import draw_lines, expected_lines
from sales_tech.sample.dirt import BLANK_LINES_PER_FILE, Kind, PlantedDirt, cut, garble, interleave, odd_names, plant
from sales_tech.sample.events import EventMaker, StreamSummary, write_events
from sales_tech.sample.history import History, stream
from sales_tech.sample.orders import make_orders
from sales_tech.sample.promotions import active_promotions, make_promotions
from sales_tech.sample.sheets import (
    PLACE_HEADERS,
    PRODUCT_HEADERS,
    PROMOTION_HEADERS,
    SALES_HEADERS,
    Rows,
    place_sheets,
    product_sheets,
    promotion_sheets,
    sales_columns,
)
from sales_tech.sample.text import Texts

# Fixed, so that the bytes do not depend on today's date.
LAST_MONTH = date(2026, 6, 1)
ENCODING = "latin-1"
SALES_HEADER = ";".join(SALES_HEADERS.values())
# Every so many sales files, one has its header again in the middle.
HEADER_REPEATED_EVERY = 6


@dataclass(frozen=True)
class SampleSummary:
    """What was written: the files, their lines, the dirt among them, and the event stream of the online shop.

    Headers, repeated ones too, and blank lines do not count as lines; a truncated line does.
    """

    files: tuple[Path, ...]
    sales_lines: int
    product_lines: int
    store_lines: int
    promotion_lines: int
    dirt: PlantedDirt
    stream: StreamSummary


def write_sample(
    landing: Path,
    *,
    seed: int = 7,
    months: int = 18,
    last_month: date = LAST_MONTH,
    skus: int = 320,
    lines_per_day: float = 280,
    dirt: bool = True,
) -> SampleSummary:
    """Write the exports into `landing/erp_br`, replacing files of the same name, and the stream into `landing/.events`.

    `lines_per_day` is the mean number of order lines over the history, before returns and dirt. Without
    `dirt` every line can be read and none is repeated; the sales behind both are the same.
    """
    history = History.ending(last_month, months)
    catalogue = make_catalogue(history, skus, stream(seed, "catalogue"))
    customers = make_customers(stream(seed, "customers"))
    promotions = make_promotions(history, catalogue, lines_per_day, seed)
    active = active_promotions(history, catalogue, promotions)
    demand = draw_lines(expected_lines(history, catalogue, promotions, active, lines_per_day), stream(seed, "demand"))
    lines = make_orders(history, catalogue, customers, promotions, active, demand, stream(seed, "orders"))
    maker = EventMaker(catalogue, customers, promotions["code"].tolist())
    events = write_events(landing / ".events" / "erp_br.jsonl", history, lines, maker, stream(seed, "events"))
    lines = _filed(history, lines)
    if dirt:
        lines = plant(history, lines, stream(seed, "dirt"))
        catalogue = odd_names(catalogue, stream(seed, "names"))
    lines = lines.sort_values(["file", "written", "order", "item"], kind="stable", ignore_index=True)
    columns = sales_columns(lines, catalogue, customers, promotions)
    garble(columns, lines["kind"].to_numpy(), stream(seed, "garble"))

    folder = landing / "erp_br"
    folder.mkdir(parents=True, exist_ok=True)
    sales, repeated_headers = _write_sales(folder, history, lines, columns, stream(seed, "interleave") if dirt else None)
    products = {folder / f"produtos_{day}.csv": rows for day, rows in product_sheets(history, catalogue)}
    places = {folder / f"lojas_{day}.csv": rows for day, rows in place_sheets(history)}
    offers = {folder / f"promocoes_{year}.csv": rows for year, rows in promotion_sheets(catalogue, promotions)}
    for headers, sheets in ((PRODUCT_HEADERS, products), (PLACE_HEADERS, places), (PROMOTION_HEADERS, offers)):
        for path, rows in sheets.items():
            _write_rows(path, headers, rows)

    of_kind = np.bincount(lines["kind"], minlength=len(Kind)).tolist()
    planted = PlantedDirt(
        duplicates=of_kind[Kind.DUPLICATE],
        corrections=of_kind[Kind.CORRECTION],
        cancellations=of_kind[Kind.CANCELLATION],
        negative_quantities=of_kind[Kind.NEGATIVE_QUANTITY],
        unknown_skus=of_kind[Kind.UNKNOWN_SKU],
        impossible_dates=of_kind[Kind.IMPOSSIBLE_DATE],
        text_quantities=of_kind[Kind.TEXT_QUANTITY],
        truncated_lines=of_kind[Kind.TRUNCATED],
        blank_lines=BLANK_LINES_PER_FILE * len(sales) if dirt else 0,
        repeated_headers=repeated_headers,
        quoted_names=sum('"' in name or ";" in name for rows in products.values() for _, name, *_ in rows),
    )
    return SampleSummary(
        files=(*sales, *products, *places, *offers),
        sales_lines=len(lines),
        product_lines=_lines(products),
        store_lines=_lines(places),
        promotion_lines=_lines(offers),
        dirt=planted,
        stream=events,
    )


def _filed(history: History, lines: pd.DataFrame) -> pd.DataFrame:
    """Put every line into the file of the month of its sale, in the order of its last update."""
    return lines.assign(kind=int(Kind.PLAIN), file=history.month_of(lines["sold_at"].to_numpy()), written=lines["updated_at"])


def _write_sales(
    folder: Path, history: History, lines: pd.DataFrame, columns: dict[str, Texts], rng: np.random.Generator | None
) -> tuple[list[Path], int]:
    """Write one file per month, with what goes wrong between lines if `rng` is given; the files, and the headers repeated."""
    printed = list(map(";".join, zip(*columns.values(), strict=True)))
    for row in np.flatnonzero(lines["kind"] == Kind.TRUNCATED).tolist():
        printed[row] = cut(printed[row])
    truncated = set(lines.loc[lines["kind"] == Kind.TRUNCATED, "file"])
    bounds = np.searchsorted(lines["file"].to_numpy(), np.arange(len(history.months) + 1)).tolist()
    paths, repeated = [], 0
    for file, month in enumerate(history.months):
        body = printed[bounds[file] : bounds[file + 1]]
        if rng is not None:
            again = file % HEADER_REPEATED_EVERY == 0
            repeated += again
            body = interleave(body, SALES_HEADER, again, rng)
        path = folder / f"vendas_{month:%Y-%m}.csv"
        path.write_bytes(("\n".join([SALES_HEADER, *body]) + "\n" * (file not in truncated)).encode(ENCODING))
        paths.append(path)
    return paths, repeated


def _lines(sheets: dict[Path, Rows]) -> int:
    return sum(len(rows) for rows in sheets.values())


def _write_rows(path: Path, headers: Sequence[str], rows: Rows) -> None:
    text = StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(headers)
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(ENCODING))
