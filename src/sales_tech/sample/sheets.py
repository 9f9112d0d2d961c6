"""How each kind of file looks in the ERP's print: its headers and its rows as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import numpy as np
import pandas as pd

from sales_tech.sample.catalogue import Catalogue
from sales_tech.sample.customers import Customers
from sales_tech.sample.history import History, Ints
from sales_tech.sample.orders import NO_FREIGHT, STATUSES
from sales_tech.sample.places import PLACES, opened_by
from sales_tech.sample.text import Texts, days, money, times, whole

Rows = list[tuple[str, ...]]

SALES_HEADERS = {
    "pedido": "Pedido",
    "item": "Item",
    "data_venda": "Data da Venda",
    "loja": "Loja",
    "canal": "Canal",
    "sku": "SKU",
    "cpf": "CPF do Cliente",
    "nome": "Nome do Cliente",
    "email": "E-mail",
    "quantidade": "Quantidade",
    "preco": "Preço Unitário",
    "desconto": "Desconto",
    "frete": "Frete",
    "promocao": "Promoção",
    "situacao": "Situação",
    "atualizado_em": "Atualizado em",
}
PRODUCT_HEADERS = ("SKU", "Descrição", "Categoria", "Marca", "Preço de Lista", "Custo", "Vigente desde")
PLACE_HEADERS = ("Loja", "Nome", "Cidade", "UF", "Região", "Canal", "Aberta em")
PROMOTION_HEADERS = ("Código", "Nome", "Mecânica", "SKU", "Desconto %", "Início", "Fim", "Canal", "Investimento")


def sales_columns(lines: pd.DataFrame, catalogue: Catalogue, customers: Customers, promotions: pd.DataFrame) -> dict[str, Texts]:
    """The columns of the sales file, printed; `lines` as in `orders`."""
    place, customer = _ints(lines, "place"), _ints(lines, "customer")
    columns = {
        "pedido": whole(_ints(lines, "order")),
        "item": whole(_ints(lines, "item")),
        "data_venda": times(lines["sold_at"].to_numpy()),
        "loja": _texts(shop.code for shop in PLACES)[place],
        "canal": _texts(shop.channel for shop in PLACES)[place],
        "sku": _texts(catalogue.products["sku"])[_ints(lines, "product")],
        "cpf": customers.cpf[customer],
        "nome": customers.name[customer],
        "email": customers.email[customer],
        "quantidade": whole(_ints(lines, "quantity")),
        "preco": money(_ints(lines, "price")),
        "desconto": money(_ints(lines, "discount")),
        "frete": money(_ints(lines, "freight"), blank=NO_FREIGHT),
        # The last one, which row -1 means, is no promotion.
        "promocao": _texts([*promotions["code"], ""])[_ints(lines, "promotion")],
        "situacao": _texts(STATUSES)[_ints(lines, "status")],
        "atualizado_em": times(lines["updated_at"].to_numpy()),
    }
    return {name: columns[name] for name in SALES_HEADERS}


def product_sheets(history: History, catalogue: Catalogue) -> Iterator[tuple[date, Rows]]:
    """The whole catalogue on the first day, then what is new or costs something else, on each day when that is so."""
    revisions = catalogue.revisions.sort_values(["since", "product"], kind="stable", ignore_index=True)
    about = catalogue.products.loc[revisions["product"], ["sku", "name", "category", "brand"]]
    since = history.days[_ints(revisions, "since")]
    columns = [*(about[name].tolist() for name in about), money(_ints(revisions, "price")), money(_ints(revisions, "cost")), days(since)]
    rows = list(zip(*columns, strict=True))
    for day in np.unique(since):
        yield day.item(), [rows[index] for index in np.flatnonzero(since == day).tolist()]


def place_sheets(history: History) -> Iterator[tuple[date, Rows]]:
    """All places that are open, on the first day and on each day when one opens."""
    for day in sorted({history.first, *(place.opened for place in PLACES if history.first < place.opened <= history.last)}):
        yield day, [(p.code, p.name, p.city, p.state, p.region, p.channel, f"{p.opened:%d/%m/%Y}") for p in opened_by(day)]


def promotion_sheets(catalogue: Catalogue, promotions: pd.DataFrame) -> Iterator[tuple[int, Rows]]:
    """The promotions that start in each year."""
    skus = _texts(catalogue.products["sku"])[_ints(promotions, "product")]
    percent, investment = money(_ints(promotions, "percent") * 100), money(_ints(promotions, "investment"))
    start, end = ([f"{day:%d/%m/%Y}" for day in promotions[name]] for name in ("start", "end"))
    texts = (promotions[name].tolist() for name in ("code", "name", "mechanic"))
    rows = list(zip(*texts, skus, percent, start, end, promotions["channel"].tolist(), investment, strict=True))
    years = np.array([day.year for day in promotions["start"]], dtype=np.int64)
    for year in np.unique(years).tolist():
        yield year, [rows[index] for index in np.flatnonzero(years == year).tolist()]


def _ints(frame: pd.DataFrame, column: str) -> Ints:
    return frame[column].to_numpy(dtype=np.int64)


def _texts(values: Iterable[str]) -> Texts:
    return np.array(list(values), dtype=np.object_)
