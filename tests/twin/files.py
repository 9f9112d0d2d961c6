"""Reads the twin's files with the csv module alone, under the column names of the pack."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from sales_tech.contracts.pack import load_pack

PACK = load_pack(Path(__file__).parents[2] / "sources" / "erp_br")
KINDS = ("vendas", "produtos", "lojas", "promocoes", "rupturas")
NAMES = {text: name for contract in PACK.files.values() for name, (text,) in contract.headers.items()}
NAMES |= {"Região": "regiao", "Exposição": "exposicao", "Fim": "fim"}
Row = dict[str, str]


def paths(landing: Path, kind: str) -> list[Path]:
    return sorted(landing.glob(f"erp_br/{kind}_*.csv"))


def records(path: Path) -> list[list[str]]:
    with path.open(encoding="latin-1", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def rows(landing: Path, kind: str) -> Iterator[Row]:
    """Complete data rows of all files of a kind."""
    for path in paths(landing, kind):
        header, *body = records(path)
        for record in body:
            if len(record) == len(header) and record != header:
                yield {NAMES[text]: value for text, value in zip(header, record, strict=True)}


def moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%d/%m/%Y %H:%M:%S")
    except ValueError:
        return None


def day(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").date()


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def units(landing: Path) -> Counter[tuple[str, str]]:
    """Units sold less units returned, by SKU and store; a cancelled line is not a sale."""
    net: Counter[tuple[str, str]] = Counter()
    for row in rows(landing, "vendas"):
        if row["situacao"] != "CANCELADO":
            net[row["sku"], row["loja"]] += int(row["quantidade"])
    return net


def contents(landing: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (*(landing / "erp_br").iterdir(), *(landing / ".events").iterdir())}
