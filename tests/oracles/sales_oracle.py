"""What silver and gold must hold for a list of erp_br files, worked out again from the definitions.

Plain Python throughout and nothing of sales_tech, so that a mistake would have to be made twice.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
CENT = Decimal("0.01")
STATUS = {"FATURADO": "sold", "CANCELADO": "cancelled", "DEVOLVIDO": "returned"}


class Unreadable(ValueError):
    """A text that is not of its column's type."""


@dataclass(frozen=True, order=True)
class Place:
    """Where a row stands: the file's number in the order of arrival, and the line."""

    arrival: int
    line: int


Line = tuple[Place, str, "Row | None"]
"""A line's place, its file's checksum, and its texts by header: None where it cannot be split."""


@dataclass
class Expected:
    """The tables that must result; `fates` counts rows by kind, file and fate.

    `blamed` gives for each rejected row, by file and line, the columns that its reasons name and
    whether it waits.
    """

    sales: list[Row] = field(default_factory=list)
    products: list[Row] = field(default_factory=list)
    stores: list[Row] = field(default_factory=list)
    fates: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    blamed: dict[tuple[str, int], tuple[frozenset[str], bool]] = field(default_factory=dict)


def expect(files: Iterable[Path], hash_key: bytes) -> Expected:
    """The silver tables of erp_br files, given in the order in which they arrived.

    A file with nothing but blank lines under its header is refused, and so is one whose content came before.
    """
    lines: dict[str, list[Line]] = defaultdict(list)
    seen: set[str] = set()
    for arrival, path in enumerate(files):
        file_id = hashlib.sha256(path.read_bytes()).hexdigest()
        body = path.read_text(encoding="latin-1").partition("\n")[2]
        if file_id not in seen and body.strip():
            seen.add(file_id)
            kind = path.name.partition("_")[0]
            lines[kind] += [(Place(arrival, number), file_id, row) for number, row in _lines(path)]
    expected = Expected()
    products = _judge(expected, "produtos", lines["produtos"], _product, ("sku", "valid_from"))
    expected.products = periods(products)
    expected.stores = _judge(expected, "lojas", lines["lojas"], _store, ("store_id",))
    skus, stores = {row["sku"] for row in products}, {row["store_id"] for row in expected.stores}

    def known_sale(row: Row) -> Row:
        sale = _sale(row, hash_key)
        unknown = {
            name for name, value, known in (("sku", sale["sku"], skus), ("store_id", sale["store_id"], stores)) if value not in known
        }
        if unknown:
            raise Rejected(unknown, waits=True)
        return sale

    expected.sales = _judge(expected, "vendas", lines["vendas"], known_sale, ("order_id", "line"))
    return expected


class Rejected(Exception):
    """A row that cannot be accepted: the columns to blame, and whether it waits for another table."""

    def __init__(self, columns: Iterable[str], *, waits: bool = False) -> None:
        super().__init__()
        self.columns, self.waits = frozenset(columns), waits


def _judge(
    expected: Expected, kind: str, lines: list[tuple[Place, str, Row | None]], typed: Callable[[Row], Row], key: tuple[str, ...]
) -> list[Row]:
    latest: dict[tuple[Any, ...], tuple[tuple[Any, Place], str, Row]] = {}
    for place, file_id, row in lines:
        if row is None:
            expected.fates[kind, file_id, "rejected"] += 1
            expected.blamed[file_id, place.line] = (frozenset(), False)
            continue
        if not any(text.strip(" ") for text in row.values()) or all(text == name for name, text in row.items()):
            expected.fates[kind, file_id, "ignored"] += 1
            continue
        try:
            sound = typed(row) | {"source": "erp_br"}
        except Rejected as rejected:
            expected.fates[kind, file_id, "rejected"] += 1
            expected.blamed[file_id, place.line] = (rejected.columns, rejected.waits)
            continue
        if kind == "vendas":
            where = {"file_id": file_id, "line_number": place.line}
            sound |= where | {f"stated_{name}": value for name, value in where.items()}
        identity = tuple(sound[name] for name in key)
        rank = (sound.get("updated_at", 0), place)
        if identity not in latest or rank > latest[identity][0]:
            if identity in latest:
                expected.fates[kind, latest[identity][1], "superseded"] += 1
            latest[identity] = (rank, file_id, sound)
        else:
            expected.fates[kind, file_id, "superseded"] += 1
    for _, file_id, _ in latest.values():
        expected.fates[kind, file_id, "accepted"] += 1
    return [sound for _, _, sound in latest.values()]


def _lines(path: Path) -> list[tuple[int, Row | None]]:
    """Each line after the header: its number, and its texts by header, or None where it cannot be split."""
    header, *lines = path.read_text(encoding="latin-1").removesuffix("\n").split("\n")
    names = header.split(";")
    rows: list[tuple[int, Row | None]] = []
    for number, line in enumerate(lines, start=2):
        values = next(csv.reader([line], delimiter=";"), [])
        if not line.strip():
            values = [""] * len(names)
        rows.append((number, dict(zip(names, values, strict=True)) if len(values) == len(names) else None))
    return rows


class _Cells:
    """The typed cells of a row, and the columns that are missing or cannot be read."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self.wrong: set[str] = set()

    def read(self, header: str, name: str, kind: Callable[[str], Any] = str, *, required: bool = False) -> Any:
        text = self._row[header].strip(" ")
        if not text:
            self.wrong |= {name} if required else set()
            return None
        try:
            return kind(text)
        except ValueError:
            self.wrong.add(name)
            return None

    def check(self) -> None:
        if self.wrong:
            raise Rejected(self.wrong)


def whole(text: str) -> int:
    """A whole number."""
    if not re.fullmatch(r"[+-]?\d{1,18}", text):
        raise Unreadable(text)
    return int(text)


def money(text: str) -> Decimal:
    """An amount with decimal comma and at most two decimals; dots may stand between thousands only."""
    if not re.fullmatch(r"[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+)(,\d{1,2}0*)?", text):
        raise Unreadable(text)
    return Decimal(text.replace(".", "").replace(",", ".")).quantize(CENT)


def moment(text: str) -> datetime:
    """A local time of São Paulo as written in the files, without its zone."""
    return datetime.strptime(text, "%d/%m/%Y %H:%M:%S")


def day(text: str) -> date:
    """A day as written in the files."""
    return datetime.strptime(text, "%d/%m/%Y").date()


def instant(local: datetime) -> datetime:
    """The instant of a local time in São Paulo."""
    return local.replace(tzinfo=SAO_PAULO).astimezone(UTC)


def keyed_hash(text: str, key: bytes) -> str:
    """The first 128 bits of HMAC-SHA256 of the lower-case text."""
    return hmac.new(key, text.strip(" ").lower().encode(), hashlib.sha256).hexdigest()[:32]


def _sale(row: Row, hash_key: bytes) -> Row:
    cells = _Cells(row)
    order = cells.read("Pedido", "pedido", required=True)
    item = cells.read("Item", "item", whole, required=True)
    sold = cells.read("Data da Venda", "data_venda", moment, required=True)
    store = cells.read("Loja", "loja", required=True)
    channel = cells.read("Canal", "canal")
    sku = cells.read("SKU", "sku", required=True)
    customer = cells.read("CPF do Cliente", "cpf")
    quantity = cells.read("Quantidade", "quantidade", whole, required=True)
    price = cells.read("Preço Unitário", "preco", money, required=True)
    discount = cells.read("Desconto", "desconto", money) or Decimal("0.00")
    freight = cells.read("Frete", "frete", money) or Decimal("0.00")
    promotion = cells.read("Promoção", "promocao")
    situation = cells.read("Situação", "situacao", required=True)
    updated = cells.read("Atualizado em", "atualizado_em", moment, required=True)
    cells.check()

    status = STATUS.get(situation)
    if status == "returned":
        quantity, discount = -abs(quantity), -abs(discount)
    wrong = set()
    if status is None:
        wrong.add("status")
    if not -(2**31) <= quantity < 2**31:
        # Without a quantity there are no net sales either, and nothing more can be said of its sign.
        wrong |= {"quantity", "net_sales"}
    elif quantity == 0 or (quantity < 0 and status in ("sold", "cancelled")):
        wrong.add("quantity")
    if price < 0:
        wrong.add("unit_price")
    if freight < 0:
        wrong.add("freight")
    if not 2000 <= sold.year < 2100:
        wrong.add("sold_on")
    if wrong:
        raise Rejected(wrong)
    return {
        "order_id": order,
        "line": str(item),
        "sold_at": instant(sold),
        "sold_on": sold.date(),
        "store_id": store,
        "channel": channel.lower() if channel else "unknown",
        "sku": sku,
        "customer_key": keyed_hash(customer, hash_key) if customer else None,
        "customer_state": None,
        "quantity": quantity,
        "unit_price": price,
        "discount": discount,
        "freight": freight,
        "net_sales": quantity * price - discount,
        "currency": "BRL",
        "promotion_id": promotion,
        "status": status,
        "updated_at": instant(updated),
        "stated_at": instant(updated),
        "stated_by": "vendas",
    }


def _product(row: Row) -> Row:
    cells = _Cells(row)
    product = {
        "sku": cells.read("SKU", "sku", required=True),
        "valid_from": cells.read("Vigente desde", "vigente_desde", day, required=True),
        "name": cells.read("Descrição", "descricao", required=True),
        "category": cells.read("Categoria", "categoria"),
        "category_en": None,
        "brand": cells.read("Marca", "marca"),
        "price": cells.read("Preço de Lista", "preco", money),
        "cost": cells.read("Custo", "custo", money),
        "currency": "BRL",
    }
    cells.check()
    negative = {name for name in ("price", "cost") if product[name] is not None and product[name] < 0}
    if negative:
        raise Rejected(negative)
    return product


def _store(row: Row) -> Row:
    cells = _Cells(row)
    store = {
        "store_id": cells.read("Loja", "loja", required=True),
        "name": cells.read("Nome", "nome"),
        "city": cells.read("Cidade", "cidade"),
        "state": cells.read("UF", "uf"),
        "region": cells.read("Região", "regiao"),
        "channel": cells.read("Canal", "canal", str.lower),
        "opened_on": cells.read("Aberta em", "aberta_em", day),
    }
    cells.check()
    return store


def periods(observations: list[Row]) -> list[Row]:
    """Observations that hold from a day on, as periods; those that change nothing extend the one before."""
    found = []
    for sku in {row["sku"] for row in observations}:
        kept: list[Row] = []
        for row in sorted((row for row in observations if row["sku"] == sku), key=lambda row: row["valid_from"]):
            if kept and all(kept[-1][name] == value for name, value in row.items() if name != "valid_from"):
                continue
            kept.append(dict(row))
        for row, after in zip(kept, [*kept[1:], None], strict=True):
            row["valid_to"] = after["valid_from"] if after else None
        found += kept
    return found


def daily_sales(sales: list[Row], products: list[Row]) -> list[Row]:
    """gold.daily_sales: one row per day, store and SKU with any sale or return."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for sale in sales:
        if sale["status"] != "cancelled":
            groups[sale["source"], sale["sold_on"], sale["store_id"], sale["sku"]].append(sale)
    rows = []
    for (source, sold_on, store, sku), lines in groups.items():
        promoted = [line for line in lines if line["promotion_id"] is not None]
        units, net = sum(line["quantity"] for line in lines), _sum(line["net_sales"] for line in lines)
        unit_cost = next(
            (product["cost"] for product in products if (product["source"], product["sku"]) == (source, sku) and _holds(product, sold_on)),
            None,
        )
        rows.append(
            {
                "source": source,
                "sold_on": sold_on,
                "store_id": store,
                "sku": sku,
                "channel": max(line["channel"] for line in lines),
                "units": units,
                "gross_sales": _sum(line["quantity"] * line["unit_price"] for line in lines),
                "discount": _sum(line["discount"] for line in lines),
                "net_sales": net,
                "cost": units * unit_cost if unit_cost is not None else None,
                "margin": net - units * unit_cost if unit_cost is not None else None,
                "promoted_units": sum(line["quantity"] for line in promoted),
                "promoted_net_sales": _sum(line["net_sales"] for line in promoted),
                "returned_units": sum(-line["quantity"] for line in lines if line["status"] == "returned"),
                "returned_gross_sales": _sum(-line["quantity"] * line["unit_price"] for line in lines if line["status"] == "returned"),
                "returned_net_sales": _sum(-line["net_sales"] for line in lines if line["status"] == "returned"),
                "lines": len(lines),
                "currency": lines[0]["currency"],
            }
        )
    return rows


def _holds(product: Row, on: date) -> bool:
    return bool(product["valid_from"] <= on and (product["valid_to"] is None or on < product["valid_to"]))


def kpis_daily(sales: list[Row], daily: list[Row]) -> list[Row]:
    """gold.kpis_daily: one row per day with any sale or return."""
    rows = []
    for source, sold_on in {(row["source"], row["sold_on"]) for row in daily}:
        parts = [row for row in daily if (row["source"], row["sold_on"]) == (source, sold_on)]
        lines = [line for line in sales if (line["source"], line["sold_on"]) == (source, sold_on)]
        sold = [line for line in lines if line["status"] == "sold"]
        orders, net = len({line["order_id"] for line in sold}), _sum(row["net_sales"] for row in parts)
        rows.append(
            {
                "source": source,
                "sold_on": sold_on,
                "orders": orders,
                "customers": len({line["customer_key"] for line in sold} - {None}),
                "units": sum(row["units"] for row in parts),
                "gross_sales": _sum(row["gross_sales"] for row in parts),
                "discount": _sum(row["discount"] for row in parts),
                "net_sales": net,
                "cost": _sum_known(row["cost"] for row in parts),
                "margin": _sum_known(row["margin"] for row in parts),
                "promoted_units": sum(row["promoted_units"] for row in parts),
                "returned_units": sum(row["returned_units"] for row in parts),
                "cancelled_lines": sum(line["status"] == "cancelled" for line in lines),
                "average_ticket": float(net) / orders if orders else None,
                "currency": parts[0]["currency"],
            }
        )
    return rows


def orders_daily(sales: list[Row]) -> list[Row]:
    """gold.orders_daily: one row per day, store, channel and customer's state; an order counts at the store of its first sold line."""
    firsts: dict[tuple[Any, ...], Row] = {}
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for sale in sorted(sales, key=lambda sale: str(sale["line"])):
        if sale["status"] == "sold":
            firsts.setdefault((sale["sold_on"], sale["order_id"]), sale)
        if sale["status"] != "cancelled":
            groups[sale["sold_on"], sale["store_id"], sale["channel"], sale.get("customer_state") or "unknown"].append(sale)
    return [
        {
            "source": lines[0]["source"],
            "sold_on": sold_on,
            "store_id": store,
            "channel": channel,
            "customer_state": state,
            "orders": sum(line is firsts.get((sold_on, line["order_id"])) for line in lines),
            "lines": len(lines),
            "units": sum(line["quantity"] for line in lines),
            "discount": _sum(line["discount"] for line in lines),
            "net_sales": _sum(line["net_sales"] for line in lines),
            "currency": lines[0]["currency"],
        }
        for (sold_on, store, channel, state), lines in groups.items()
    ]


REGIONS = {
    "Norte": "AC AM AP PA RO RR TO",
    "Nordeste": "AL BA CE MA PB PE PI RN SE",
    "Centro-Oeste": "DF GO MS MT",
    "Sudeste": "ES MG RJ SP",
    "Sul": "PR RS SC",
}


def stores(daily: list[Row], known: list[Row], shown: int = 20) -> list[Row]:
    """gold.stores: one row per store with any sale or return, the greatest by name, the others by region."""
    told = {store["store_id"]: store for store in known}
    money: dict[str, Decimal] = defaultdict(lambda: Decimal("0.00"))
    for row in daily:
        money[row["store_id"]] += row["net_sales"]
    names = {}
    for store in money:
        place = told.get(store, {})
        city = place.get("city")
        names[store] = place.get("name") or (f"{city} {store[:8]}" if city else store)
    taken = Counter(names.values())
    rows = []
    for rank, store in enumerate(sorted(money, key=lambda store: (-money[store], store)), start=1):
        place = told.get(store, {})
        name = names[store] if taken[names[store]] == 1 else f"{names[store]} ({store})"
        by_state = (region for region, states in REGIONS.items() if place.get("state") in states.split())
        region = place.get("region") or next(by_state, "unknown")
        rows.append(
            {
                "source": daily[0]["source"],
                "store_id": store,
                "name": name,
                "shown_as": name if rank <= shown else f"others ({region})",
                "city": place.get("city"),
                "state": place.get("state") or "unknown",
                "region": region,
                "net_sales": money[store],
                "sales_rank": rank,
            }
        )
    return rows


def last_together(sold: Iterable[tuple[date, int]]) -> date:
    """The last of the days that no gap of more than 366 days parts from most units sold; of equal ones, from the earlier."""
    units: Counter[date] = Counter()
    for day, quantity in sold:
        units[day] += quantity
    stretches: list[list[date]] = []
    for day in sorted(units):
        if not stretches or day - stretches[-1][-1] > timedelta(days=366):
            stretches.append([])
        stretches[-1].append(day)
    return max(stretches, key=lambda days: sum(units[day] for day in days))[-1]


def product_performance(daily: list[Row], products: list[Row]) -> list[Row]:
    """gold.product_performance: one row per SKU, over the 365 days up to the last day with a sale or return that lies with the rest."""
    if not daily:
        return []
    last = last_together((row["sold_on"], row["units"] + row["returned_units"]) for row in daily)
    window = [row for row in daily if last - timedelta(days=365) < row["sold_on"] <= last]
    by_sku: dict[str, list[Row]] = defaultdict(list)
    for row in window:
        by_sku[row["sku"]].append(row)
    ranked = sorted(by_sku, key=lambda sku: (-_sum(row["net_sales"] for row in by_sku[sku]), sku))
    everything = _sum(row["net_sales"] for row in window)
    latest = {product["sku"]: product for product in products if product["valid_to"] is None}
    rows, running = [], Decimal(0)
    for rank, sku in enumerate(ranked, start=1):
        parts = by_sku[sku]
        net, units = _sum(row["net_sales"] for row in parts), sum(row["units"] for row in parts)
        margin, returned = _sum_known(row["margin"] for row in parts), sum(row["returned_units"] for row in parts)
        costed = _sum_known(row["net_sales"] for row in parts if row["margin"] is not None)
        before = _share(running, everything, 1.0)
        running += net
        product = latest.get(sku, {})
        rows.append(
            {
                "source": parts[0]["source"],
                "sku": sku,
                "name": product.get("name"),
                "category": product.get("category"),
                "brand": product.get("brand"),
                "first_sold_on": min(row["sold_on"] for row in parts),
                "last_sold_on": max(row["sold_on"] for row in parts),
                "days_sold": len({row["sold_on"] for row in parts}),
                "units": units,
                "net_sales": net,
                "margin": margin,
                "costed_net_sales": costed,
                "promoted_units": sum(row["promoted_units"] for row in parts),
                "returned_units": returned,
                "margin_share": _share(margin, costed) if margin is not None else None,
                "discount_share": _share(_sum(row["discount"] for row in parts), _sum(row["gross_sales"] for row in parts)),
                "promoted_share": _share(sum(row["promoted_units"] for row in parts), units),
                "return_share": _share(returned, units + returned),
                "sales_rank": rank,
                "cumulative_share": _share(running, everything, 1.0),
                "abc_class": "A" if before < 0.8 else "B" if before < 0.95 else "C",
                "currency": parts[0]["currency"],
            }
        )
    return rows


def customer_value(sales: list[Row]) -> list[Row]:
    """gold.customer_value: one row per customer who bought in the 365 days up to the last sale that lies with the rest."""
    sold = [sale for sale in sales if sale["status"] == "sold"]
    if not sold:
        return []
    told = [sale for sale in sales if sale["status"] != "cancelled"]
    until = last_together((sale["sold_on"], sale["quantity"] if sale["status"] == "sold" else 0) for sale in told)
    last = max(sale["sold_on"] for sale in sold if sale["sold_on"] <= until)
    by_customer: dict[str, list[Row]] = defaultdict(list)
    for sale in sales:
        if sale["status"] != "cancelled" and sale["customer_key"] and last - timedelta(days=365) < sale["sold_on"] <= last:
            by_customer[sale["customer_key"]].append(sale)
    rows = []
    for customer, lines in by_customer.items():
        bought = [line for line in lines if line["status"] == "sold"]
        if not bought:
            continue
        orders, monetary = len({line["order_id"] for line in bought}), _sum(line["net_sales"] for line in lines)
        rows.append(
            {
                "source": lines[0]["source"],
                "customer_key": customer,
                "first_order_on": min(line["sold_on"] for line in bought),
                "last_order_on": max(line["sold_on"] for line in bought),
                "recency_days": (last - max(line["sold_on"] for line in bought)).days,
                "frequency": orders,
                "monetary": monetary,
                "average_ticket": float(monetary) / orders,
                "frequency_score": min(orders, 3) if orders <= 3 else 4 if orders <= 5 else 5,
                "currency": lines[0]["currency"],
            }
        )
    recency = fifths(sorted(rows, key=lambda row: (row["last_order_on"], row["customer_key"])))
    spending = fifths(sorted(rows, key=lambda row: (row["monetary"], row["customer_key"])))
    for row in rows:
        row["recency_score"], row["monetary_score"] = recency[row["customer_key"]], spending[row["customer_key"]]
        row["segment"] = _segment(row["recency_score"], row["frequency_score"], row["monetary_score"])
    return rows


def fifths(ordered: list[Row]) -> dict[str, int]:
    """The fifth, from 1, in which each customer of an ordered list stands; the first fifths take what is left over."""
    size, left_over = divmod(len(ordered), 5)
    scores = [score for score in range(1, 6) for _ in range(size + (score <= left_over))]
    return {row["customer_key"]: score for row, score in zip(ordered, scores, strict=True)}


def _segment(recency: int, frequency: int, monetary: int) -> str:
    if recency >= 4 and frequency >= 3:
        return "champion"
    if recency >= 3 and frequency >= 2:
        return "loyal"
    if recency >= 4:
        return "promising"
    return "at_risk" if frequency >= 2 or monetary >= 4 else "dormant"


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal("0.00"))


def _sum_known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return _sum(known) if known else None


def _share(part: Decimal | int, whole: Decimal | int | None, otherwise: float | None = None) -> float | None:
    return float(part) / float(whole) if whole else otherwise
