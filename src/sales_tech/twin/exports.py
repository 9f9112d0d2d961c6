"""The files of the pack `erp_br`, written from the sales of a synthetic retailer."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from sales_tech.twin.customers import make_customers
from sales_tech.twin.demand import Demand
from sales_tech.twin.dirt import BLANK_LINES_PER_FILE, Kind, PlantedDirt, odd_names
from sales_tech.twin.events import EventMaker, StreamSummary, write_events
from sales_tech.twin.history import stream
from sales_tech.twin.retailer import Retailer, make_retailer
from sales_tech.twin.sales_files import SalesFiles, SalesSummary, Watch
from sales_tech.twin.scenario import Size, scenario_named
from sales_tech.twin.sheets import (
    PRODUCT_HEADERS,
    PROMOTION_HEADERS,
    STOCKOUT_HEADERS,
    STORE_HEADERS,
    Sheet,
    product_sheets,
    promotion_sheets,
    stockout_sheets,
    store_sheets,
)
from sales_tech.twin.text import ENCODING, content
from sales_tech.twin.truth import promotion_truth

LINES = 120_000
WORKERS = 2


@dataclass(frozen=True)
class TwinSummary:
    """What was written: the files, their lines, the dirt among them, and the event stream of the first online store.

    Headers, repeated ones too, and blank lines do not count as lines; a truncated line does.
    """

    files: tuple[Path, ...]
    size: Size
    sales_lines: int
    product_lines: int
    store_lines: int
    promotion_lines: int
    stockout_lines: int
    dirt: PlantedDirt
    stream: StreamSummary


def write_twin(
    landing: Path,
    *,
    lines: int = LINES,
    difficulty: str = "default",
    seed: int = 7,
    dirt: bool = True,
    truth: Path | None = None,
    size: Size | None = None,
    workers: int = WORKERS,
    watch: Watch = lambda _: None,
) -> TwinSummary:
    """Write the exports into `landing/erp_br`, replacing files of the same name, and the stream into `landing/.events`.

    `lines` is about how many order lines there shall be; `size` takes its place. Without `dirt` every line can be read
    and none is repeated; the sales behind both are the same. `truth` names a file for the true effects of the promotions.
    """
    scenario = scenario_named(difficulty)
    retailer = make_retailer(scenario, size or Size.of_lines(lines, scenario), seed)
    demand, history = Demand(retailer), retailer.history
    customers = make_customers(lines, stream(seed, "customers"))
    folder = landing / "erp_br"
    folder.mkdir(parents=True, exist_ok=True)
    sales = SalesFiles(demand, customers, dirt).write(folder, workers, watch)
    maker = EventMaker(retailer, customers)
    events = write_events(landing / ".events" / "erp_br.jsonl", sales.told, maker, len(history.days) - 1, stream(seed, "events"))

    catalogue = odd_names(retailer.catalogue, stream(seed, "names")) if dirt else retailer.catalogue
    products = {folder / f"produtos_{month:%Y-%m}.csv": rows for month, rows in product_sheets(history, catalogue)}
    stores = {folder / f"lojas_{day}.csv": rows for day, rows in store_sheets(history, retailer.stores)}
    offers = {folder / f"promocoes_{year}.csv": rows for year, rows in promotion_sheets(retailer)}
    for headers, sheets in ((PRODUCT_HEADERS, products), (STORE_HEADERS, stores), (PROMOTION_HEADERS, offers)):
        for path, rows in sheets.items():
            _write_rows(path, headers, rows)
    stockouts = _write_stockouts(folder, retailer)
    if truth:
        truth.parent.mkdir(parents=True, exist_ok=True)
        promotion_truth(demand).to_csv(truth, index=False)
    return TwinSummary(
        files=(*sales.files, *products, *stores, *offers, *stockouts),
        size=Size(
            len(retailer.stores),
            len(catalogue.products),
            len(history.months),
            int((retailer.promotions["start"] < len(history.days)).sum()),
        ),
        sales_lines=int(sales.kinds.sum()),
        product_lines=_lines(products),
        store_lines=_lines(stores),
        promotion_lines=_lines(offers),
        stockout_lines=sum(stockouts.values()),
        dirt=_planted(sales, dirt, products),
        stream=events,
    )


def _planted(sales: SalesSummary, dirt: bool, products: dict[Path, Sheet]) -> PlantedDirt:
    return PlantedDirt(
        duplicates=int(sales.kinds[Kind.DUPLICATE]),
        corrections=int(sales.kinds[Kind.CORRECTION]),
        cancellations=int(sales.kinds[Kind.CANCELLATION]),
        negative_quantities=int(sales.kinds[Kind.NEGATIVE_QUANTITY]),
        unknown_skus=int(sales.kinds[Kind.UNKNOWN_SKU]),
        impossible_dates=int(sales.kinds[Kind.IMPOSSIBLE_DATE]),
        text_quantities=int(sales.kinds[Kind.TEXT_QUANTITY]),
        truncated_lines=int(sales.kinds[Kind.TRUNCATED]),
        blank_lines=BLANK_LINES_PER_FILE * len(sales.files) if dirt else 0,
        repeated_headers=sales.repeated_headers,
        quoted_names=sum('"' in name or ";" in name for rows in products.values() for _, name, *_ in rows),
    )


def _lines(sheets: dict[Path, Sheet]) -> int:
    return sum(len(rows) for rows in sheets.values())


def _write_stockouts(folder: Path, retailer: Retailer) -> dict[Path, int]:
    """One file per month, and how many lines each has."""
    written = {}
    for month, texts in stockout_sheets(retailer):
        path = folder / f"rupturas_{month:%Y-%m}.csv"
        with path.open("wb") as file:
            file.write((";".join(STOCKOUT_HEADERS) + "\n").encode(ENCODING))
            file.write(content(texts))
        written[path] = len(texts)
    return written


def _write_rows(path: Path, headers: Sequence[str], rows: Sheet) -> None:
    text = StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(headers)
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(ENCODING))
