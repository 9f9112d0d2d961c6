"""Amounts, counts and shares as text.

Amounts follow the habit of their currency (R$ 1,2 mi, $1.2M), counts and shares that of the language.
"""

from __future__ import annotations

_SYMBOLS = {"BRL": "R$ ", "USD": "$"}
_UNITS = {"BRL": ("", " mil", " mi", " bi", " tri"), "USD": ("", "K", "M", "B", "T")}
_SWAP = str.maketrans(",.", ".,")


def money(amount: float, currency: str) -> str:
    """Tell an amount to three figures with its unit, as R$ 350 mil, R$ 1,25 mi or $1.25M."""
    power = unit_power(amount)
    scaled = f"{abs(amount) / 1000**power:.3g}"
    number = scaled.translate(_SWAP) if currency == "BRL" else scaled
    return f"{_sign(amount)}{_symbol(currency)}{number}{_unit(currency, power)}"


def price(amount: float, currency: str) -> str:
    """Tell an amount to the cent, as R$ 1.299,90 or $1,299.90."""
    text = f"{abs(amount):,.2f}"
    return f"{_sign(amount)}{_symbol(currency)}{text.translate(_SWAP) if currency == 'BRL' else text}"


def unit_power(amount: float) -> int:
    """Choose the unit an amount is best told in, as the power of a thousand: 0 for units, 1 for thousands, 2 for millions and on."""
    power = 0
    while power < len(_UNITS["USD"]) - 1 and float(f"{abs(amount) / 1000**power:.3g}") >= 1000:
        power += 1
    return power


def unit_name(currency: str, power: int) -> str:
    """Name what a number in that unit is counted in, as R$ mil, $K or JPY K."""
    symbol = _symbol(currency)
    return f"{symbol.strip() if currency in _SYMBOLS else symbol}{_unit(currency, power)}".strip()


def in_unit(amount: float, currency: str, power: int) -> str:
    """Tell an amount in the unit of `power` without naming it, to two figures below ten."""
    scaled = amount / 1000**power
    text = f"{scaled:,.0f}" if abs(scaled) >= 9.95 or scaled == 0 else f"{scaled:.1f}"
    return text.translate(_SWAP) if currency == "BRL" else text


def count(number: float, language: str) -> str:
    """Tell a count with marks between the thousands, as 16.060 in Portuguese."""
    text = f"{number:,.0f}"
    return text.translate(_SWAP) if language == "pt" else text


def units(number: float, language: str) -> str:
    """Tell a number of units, with one decimal where it is below ten."""
    text = f"{number:,.1f}" if abs(number) < 9.95 and number else f"{number:,.0f}"
    text = text.replace("-", "−")
    return text.translate(_SWAP) if language == "pt" else text


def ratio(number: float, language: str) -> str:
    """Tell a ratio to one decimal."""
    text = f"{number:.1f}".replace("-", "−")
    return text.replace(".", ",") if language == "pt" else text


def signed(text: str, number: float) -> str:
    """Put a plus before the text of a number that is above zero."""
    return f"+{text}" if number > 0 else text


def share(part: float, language: str) -> str:
    """Tell a share as a percentage, with one decimal where it is below ten percent or just short of everything."""
    percent = 100 * part
    whole = abs(percent) >= 9.95 and not 99 < percent < 100
    text = f"{percent:.0f}%" if whole or percent == 0 else f"{percent:.1f}%"
    if text == "0.0%":
        text = "<0.1%"
    if text == "100.0%":
        text = ">99.9%"
    return text.replace(".", ",") if language == "pt" else text


def _sign(amount: float) -> str:
    return "−" if amount < 0 else ""


def _symbol(currency: str) -> str:
    return _SYMBOLS.get(currency, f"{currency} ")


def _unit(currency: str, power: int) -> str:
    return _UNITS.get(currency, _UNITS["USD"])[power]
