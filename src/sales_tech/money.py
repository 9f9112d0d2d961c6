"""Amounts of money as the terminal and the sentences of an answer write them."""

from __future__ import annotations

from decimal import Decimal

_SYMBOLS = {"BRL": "R$", "USD": "US$", "EUR": "€"}


def money(amount: float | Decimal, currency: str, digits: int = 2) -> str:
    """Tell an amount of a currency, given by its ISO code, as R$ 1,299.90."""
    return f"{_SYMBOLS.get(currency, currency)} {amount:,.{digits}f}"
