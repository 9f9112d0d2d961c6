"""What a month on AWS costs, from the assumptions and prices of prices.toml, with the arithmetic shown.

As a program it prints the table: `python infra/costs.py`.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

PRICES = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True)
class Line:
    """One position of the bill: what for, how it is reckoned, and US dollars a month."""

    what: str
    arithmetic: str
    usd: Decimal


def monthly(file: Path = PRICES) -> list[Line]:
    """The positions of a month. Raises KeyError where a position names no assumption or price."""
    given = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    return [_line(what, names, given) for what, names in given["lines"].items()]


def table(lines: list[Line]) -> str:
    """The positions and their sum as a Markdown table."""
    rows = [(line.what, line.arithmetic, f"{line.usd:,.2f}") for line in lines]
    rows += [("**A month**", "", f"**{sum(line.usd for line in lines):,.2f}**")]
    head = "| what | reckoned as | US$ |\n|---|---|---:|\n"
    return head + "".join(f"| {what} | {arithmetic} | {usd} |\n" for what, arithmetic, usd in rows)


def _line(what: str, names: list[str], given: dict[str, Any]) -> Line:
    *quantities, price_name = names
    assumed = [given["assumptions"][name] for name in quantities]
    price = given["prices"][price_name]
    usd = Decimal(price["usd"]) / price.get("per", 1)
    for each in assumed:
        usd *= each["value"]
    unit = f"per {price['per']:,} {price['unit']}" if "per" in price else price["unit"]
    parts = [f"{each['value']:,} {each['unit']}" for each in assumed]
    return Line(what, " × ".join([*parts, f"${price['usd']} {unit}"]), usd)


if __name__ == "__main__":
    sys.stdout.write(table(monthly()))
