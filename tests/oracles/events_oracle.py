"""What order events and lines of vendas make of each order line, worked out again in plain Python.

A fact has its moment, whether it states or cancels, and its content. Nothing of sales_tech is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
Row = dict[str, Any]


@dataclass(frozen=True)
class Fact:
    """One thing that became known of an order line; `content` is None where it is a cancellation."""

    order_id: str
    line: str
    at: datetime
    by: str
    content: tuple[tuple[str, Any], ...] | None


def facts_of_events(events: Iterable[dict[str, Any]]) -> list[Fact]:
    """A fact for each line of each event."""
    facts = []
    for event in events:
        order, at = event["order"], instant(event["occurred_at"])
        for line in order["lines"]:
            content = None if event["event_type"] == "order_cancelled" else tuple(_content(event, line).items())
            facts.append(Fact(order["order_id"], line["line"], at, "order_events", content))
    return facts


def facts_of_sales(rows: Iterable[dict[str, str]]) -> list[Fact]:
    """A fact for each line of vendas, which is sold or cancelled and has no discount and no freight."""
    facts = []
    for row in rows:
        sold = datetime.strptime(row["data_venda"], "%d/%m/%Y %H:%M:%S").replace(tzinfo=SAO_PAULO)
        updated = datetime.strptime(row["atualizado_em"], "%d/%m/%Y %H:%M:%S").replace(tzinfo=SAO_PAULO).astimezone(UTC)
        price = Decimal(row["preco"].replace(",", "."))
        status = {"FATURADO": "sold", "CANCELADO": "cancelled"}[row["situacao"]]
        content = _amounts(sold, row["sku"], int(row["quantidade"]), price, Decimal(0), status)
        facts.append(Fact(row["pedido"], row["item"], updated, "vendas", tuple(content.items())))
    return facts


def sales(facts: Iterable[Fact]) -> list[Row]:
    """The order lines as they must stand; a line that is only cancelled does not."""
    lines: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        lines[fact.order_id, fact.line].append(fact)
    found = []
    for (order_id, line), known in lines.items():
        statements = [fact for fact in known if fact.content is not None]
        if not statements:
            continue
        stated = max(statements, key=lambda fact: (fact.at, fact.by != "order_events"))
        row = {"order_id": order_id, "line": line, **dict(stated.content or ()), "stated_at": stated.at, "stated_by": stated.by}
        row["updated_at"] = stated.at
        undone = max((fact.at for fact in known if fact.content is None), default=None)
        if undone is not None and undone >= stated.at:
            sign = -1 if row["quantity"] < 0 else 1
            row |= {"status": "cancelled", "updated_at": undone}
            row |= {name: sign * row[name] for name in ("quantity", "discount", "net_sales")}
        found.append(row)
    return found


def instant(text: str) -> datetime:
    """An RFC 3339 text as UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _content(event: dict[str, Any], line: dict[str, Any]) -> Row:
    sign = -1 if event["event_type"] == "item_returned" else 1
    sold = datetime.fromisoformat(event["order"]["ordered_at"])
    status = "returned" if sign < 0 else "sold"
    discount = sign * Decimal(line.get("discount") or 0)
    return _amounts(sold, line["sku"], sign * line["quantity"], Decimal(line["unit_price"]), discount, status)


def _amounts(sold: datetime, sku: str, quantity: int, price: Decimal, discount: Decimal, status: str) -> Row:
    return {
        "sold_at": sold.astimezone(UTC),
        "sold_on": sold.astimezone(SAO_PAULO).date(),
        "sku": sku,
        "quantity": quantity,
        "unit_price": price,
        "discount": discount,
        "net_sales": quantity * price - discount,
        "status": status,
    }
