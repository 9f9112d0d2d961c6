"""The ERP's files beside the sales: products, stores, promotions and stock-outs, as rows of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from sales_tech.twin.catalogue import Catalogue
from sales_tech.twin.history import History, Ints
from sales_tech.twin.retailer import Retailer
from sales_tech.twin.stores import opened_by
from sales_tech.twin.text import Rows, Texts, dates, join, money, pick, words

PRODUCT_HEADERS = ("SKU", "Descrição", "Categoria", "Marca", "Preço de Lista", "Custo", "Vigente desde")
STORE_HEADERS = ("Loja", "Nome", "Cidade", "UF", "Região", "Canal", "Aberta em")
PROMOTION_HEADERS = (
    "Código", "Nome", "Mecânica", "SKU", "Desconto %", "Início", "Fim", "Canal", "Região", "Exposição", "Investimento",
)  # fmt: skip
STOCKOUT_HEADERS = ("Loja", "SKU", "Início", "Fim")

Sheet = list[tuple[str, ...]]


def product_sheets(history: History, catalogue: Catalogue) -> Iterator[tuple[date, Sheet]]:
    """By month, the products that are new or cost something else; all products on sale in the first one."""
    revisions = catalogue.revisions.sort_values(["since", "product"], kind="stable", ignore_index=True)
    about = catalogue.products.loc[revisions["product"], ["sku", "name", "category", "brand"]]
    since = _ints(revisions, "since")
    amounts = (money(_ints(revisions, column).tolist()) for column in ("price", "cost"))
    rows = list(zip(*(about[name].tolist() for name in about), *amounts, _days(history, since), strict=True))
    yield from _by_month(history, rows, since)


def store_sheets(history: History, stores: pd.DataFrame) -> Iterator[tuple[date, Sheet]]:
    """All stores that are open, on the first day and on each day when one opens."""
    opened = [day for day in stores["opened_on"] if history.first < day <= history.last]
    for day in sorted({history.first, *opened}):
        open_now = opened_by(stores, day)
        columns = (open_now[name].tolist() for name in ("store_id", "name", "city", "state", "region", "channel"))
        yield day, list(zip(*columns, (f"{opened_on:%d/%m/%Y}" for opened_on in open_now["opened_on"]), strict=True))


def promotion_sheets(retailer: Retailer) -> Iterator[tuple[int, Sheet]]:
    """The promotions that start in each year, one row per SKU; channel and region are blank where it is all of them."""
    history, members = retailer.history, retailer.members
    promotions = retailer.promotions.loc[members["promotion"]]
    start = _ints(promotions, "start")
    texts = {name: promotions[name].tolist() for name in ("code", "name", "mechanic", "channel", "region")}
    columns = (
        *(texts[name] for name in ("code", "name", "mechanic")),
        retailer.catalogue.products["sku"].to_numpy()[_ints(members, "product")].tolist(),
        money((_ints(members, "percent") * 100).tolist()),
        _days(history, start),
        _days(history, _ints(promotions, "end")),
        *(texts[name] for name in ("channel", "region")),
        ["S" if shown else "N" for shown in promotions["display"]],
        money(_ints(members, "investment").tolist()),
    )
    rows = list(zip(*columns, strict=True))
    years = np.array([(history.first + timedelta(days=day)).year for day in start.tolist()], dtype=np.int64)
    for year in np.unique(years).tolist():
        yield year, [rows[row] for row in np.flatnonzero(years == year).tolist()]


def stockout_sheets(retailer: Retailer) -> Iterator[tuple[date, Texts]]:
    """By month, when a SKU was out of stock in a store, as printed lines; none where the retailer does not count stock."""
    if not retailer.scenario.stockouts_flagged:
        return
    history = retailer.history
    product, store, start, end = merged_stockouts(retailer)
    sku, code = words(retailer.catalogue.products["sku"]), words(retailer.stores["store_id"])
    first_day, last_day = dates(history.days, ";"), dates(history.days, "\n")
    for month, (first, stop) in zip(history.months, history.windows(len(history.days)), strict=True):
        # A file tells of its own month: an interval that goes on is told again by the next one.
        rows = np.flatnonzero((start < stop) & (end >= first))
        bounds = np.maximum(start[rows], first), np.minimum(end[rows], stop - 1)
        columns = ((code, store[rows]), (sku, product[rows]), (first_day, bounds[0]), (last_day, bounds[1]))
        yield month, join([pick(texts, places) for texts, places in columns])


def merged_stockouts(retailer: Retailer) -> tuple[Ints, Ints, Ints, Ints]:
    """SKU, store, first and last day of the stock-outs, those that touch or overlap made one, by store, SKU and day."""
    stockouts, days = retailer.stockouts, len(retailer.history.days) + 2
    pair = _ints(stockouts, "store") * len(retailer.catalogue.products) + _ints(stockouts, "product")
    # On one line of days for all pairs, with a gap between pairs, intervals merge in one pass.
    order = np.argsort(pair * days + _ints(stockouts, "start"), kind="stable")
    starts, ends = (pair * days + _ints(stockouts, name) for name in ("start", "end"))
    starts, ends = starts[order], np.maximum.accumulate(ends[order])
    begins = np.flatnonzero(np.append(True, starts[1:] > ends[:-1] + 1))[: len(starts)]
    closing = ends[np.append(begins[1:] - 1, len(ends) - 1)[: len(begins)]]
    pairs, start = np.divmod(starts[begins], days)
    store, product = np.divmod(pairs, len(retailer.catalogue.products))
    return product, store, start, closing % days


def _by_month(history: History, rows: Sequence[tuple[str, ...]], since: Ints) -> Iterator[tuple[date, Sheet]]:
    months = history.month_of(history.days[since])
    for month in np.unique(months).tolist():
        yield history.months[month], [rows[row] for row in np.flatnonzero(months == month).tolist()]


def _days(history: History, positions: Rows) -> list[str]:
    return [f"{history.first + timedelta(days=position):%d/%m/%Y}" for position in positions.tolist()]


def _ints(frame: pd.DataFrame, column: str) -> Ints:
    values: Ints = frame[column].to_numpy(dtype=np.int64)
    return values
