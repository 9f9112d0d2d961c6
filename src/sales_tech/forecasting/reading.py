"""Panels and plans read alike: yes and no, and numbers that a database or a join made objects or texts of, are numbers on both sides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
import pandas as pd

from sales_tech.forecasting.roles import DEPTH, KIND, NONE, PRICE, ROLES, TEXTS, called_mechanic, is_number, named_as, plain

PAIRS = (
    ("yes", "no"),
    ("y", "n"),
    ("sim", "nao"),
    ("s", "n"),
    ("si", "no"),
    ("true", "false"),
    ("t", "f"),
    ("verdadeiro", "falso"),
    ("ja", "nein"),
    ("oui", "non"),
)
"""Texts for yes and no, in small letters without accents."""
ARROW_DAYS = ("date32[day][pyarrow]", "date64[ms][pyarrow]")
_WORDS = {yes: 1.0 for yes, _ in PAIRS} | {no: 0.0 for _, no in PAIRS}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_MONEY = r"(?:r|us)?[$€£¥]|brl|usd|eur|gbp"
_AMOUNT = re.compile(
    rf"(?=.*\d)[+-]?\s*(?:{_MONEY})?\s*[+-]?(?:\d{{1,3}}(?:[.,'\s]\d{{3}})+|\d*)(?:[.,]\d*)?\s*(?:{_MONEY}|reais|%)?", re.IGNORECASE
)
"""A number as people write one: R$ 1.234,50, $8.00, 20%."""
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(\.\d{3})+")
_BLANK = ("", "nan")


def tidied(frame: pd.DataFrame, columns: Sequence[str], time: str, what: str) -> pd.DataFrame:
    """A frame with rows numbered, whose dates are timestamps where Arrow keeps days; ValueError for a column that is there twice."""
    twice = [name for name in dict.fromkeys(columns) if np.sum(frame.columns == name) > 1]
    if twice:
        raise ValueError(f"{what} has more than one column {', '.join(twice)}; expected one of each name; rename or drop the others")
    frame = frame.reset_index(drop=True)
    if time in frame.columns and str(frame[time].dtype) in ARROW_DAYS:
        return frame.assign(**{time: frame[time].astype("datetime64[s]")})
    return frame


def with_numbers(panel: pd.DataFrame, plan: Sequence[str], given: Mapping[str, str] | None) -> pd.DataFrame:
    """A panel whose plan columns of yes and no, and of numbers kept as objects or texts, are numbers (NaN where missing).

    Texts that are whole numbers are codes, and stay texts, unless the column is called a price or a depth. `given` are the
    roles that the user told. ValueError for a text among the numbers of a price or a depth, for a column of numbers as people
    write them (R$ 8,00 or 20%) that is not called a mechanic, or where a role needs numbers.
    """
    read = {}
    for column in plan:
        role = (given or {}).get(column)
        if is_number(panel[column]) or role in TEXTS or role not in (None, *ROLES):
            continue
        place, values = _distinct(panel[column])
        numbers = [_number_of(value, words=True) for value in values]
        if role is not None:
            _require_all(values, numbers, f"roles has {column}: {role}, but the panel")
        elif not _are_numbers(column, panel[column], values):
            continue
        read[column] = _spread(place, numbers, panel.index)
    return panel.assign(**read) if read else panel


def like_numbers(frame: pd.DataFrame, roles: Mapping[str, str], what: str) -> pd.DataFrame:
    """A frame whose plan columns that were numbers at the fit, which have the other roles than texts, are numbers too.

    ValueError names the column and what in it is no number.
    """
    read = {}
    for column, role in roles.items():
        if role in TEXTS or column not in frame.columns or is_number(frame[column]) or frame[column].isna().all():
            continue
        place, values = _distinct(frame[column])
        numbers = [_number_of(value, words=role not in (PRICE, DEPTH)) for value in values]
        _require_all(values, numbers, f"{what}: column {column} is {frame[column].dtype} and was one of numbers at the fit, but")
        read[column] = _spread(place, numbers, frame.index)
    return frame.assign(**read) if read else frame


def _distinct(values: pd.Series) -> tuple[np.ndarray, list[object]]:
    objects = values.astype(object)
    try:
        place, distinct = pd.factorize(objects)
    except TypeError:
        # Lists and the like cannot be told apart but by their texts.
        place, distinct = pd.factorize(objects.astype(str).where(objects.notna()))
    return place, list(distinct)


def _spread(place: np.ndarray, numbers: Sequence[float | None], index: pd.Index) -> pd.Series:
    # A place of -1 is a missing value, for which the last number stands.
    return pd.Series(np.array([*numbers, np.nan], dtype=np.float64)[place], index)


def _number_of(value: object, *, words: bool) -> float | None:
    # What is not a number at all is None, what is missing is NaN.
    if isinstance(value, bool | np.bool_ | int | float | np.integer | np.floating | Decimal):
        return float(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if words and plain(text) in _WORDS:
        return _WORDS[plain(text)]
    return float(text) if _NUMBER.fullmatch(text) else np.nan if text.lower() in _BLANK else None


def _are_numbers(column: str, whole: pd.Series, values: Sequence[object]) -> bool:
    if not values:
        return False
    texts = {plain(value.strip()) for value in values if isinstance(value, str)}
    if _say_yes_or_no({plain(str(value).strip()) for value in values}.difference(_BLANK)):
        return True
    priced, deep = (named_as(role, column) for role in (PRICE, DEPTH))
    numbers = [_number_of(value, words=False) for value in values]
    wrong = [value for value, number in zip(values, numbers, strict=True) if number is None]
    told = [number for number in numbers if number is not None and number == number]
    _refuse_written(column, whole, [*map(str, values)], [*map(str, wrong)], told, priced=priced, deep=deep)
    if wrong or not told:
        return False
    if not texts and (not isinstance(whole.dtype, pd.CategoricalDtype) or all(isinstance(value, bool | np.bool_) for value in values)):
        return True
    return priced or deep or any(number % 1 for number in told) or {*told} == {0.0, 1.0}


def _refuse_written(
    column: str, whole: pd.Series, texts: Sequence[str], wrong: Sequence[str], told: Sequence[float], *, priced: bool, deep: bool
) -> None:
    # Numbers that are not written as such would be taken for so many mechanics, none of which is more than another.
    texts, wrong = ([text.strip() for text in some] for some in (texts, wrong))
    amounts = [text for text in wrong if _AMOUNT.fullmatch(text)]
    if priced:
        dotted = [text for text in texts if "." in text]
        mixed = dotted and all(map(_THOUSANDS.fullmatch, dotted)) and any(re.fullmatch(r"\d{3}", text) for text in texts)
        odd = dotted if mixed else wrong if any(number % 1 for number in told) or 2 * (len(told) + len(amounts)) >= len(texts) else []
    else:
        named = [text for text in wrong if text not in amounts and not NONE.match(plain(text))]
        odd = [] if named or called_mechanic(column) else amounts or (wrong if deep and told else [])
    if odd:
        raise ValueError(
            f"the panel: column {column} is {whole.dtype} and {'called a price' if priced else 'looks like numbers'}, but has {odd[0]!r}; "
            "expected numbers, with a point before decimals and no other sign (0.2 for 20%); convert it, as with str.replace and "
            f"pandas.to_numeric, or pass roles={{{column!r}: {KIND!r}}} where each text names a mechanic"
        )


def _say_yes_or_no(texts: set[str]) -> bool:
    # A single letter may be the code of anything; so may a lone no, which the texts of a mechanic know, too.
    alone = {"true", "false"} | {yes for yes, _ in PAIRS if len(yes) > 1}
    return any(texts == {*pair} for pair in PAIRS) or (len(texts) == 1 and texts <= alone)


def _require_all(values: Sequence[object], numbers: Sequence[float | None], what: str) -> None:
    wrong = [value for value, number in zip(values, numbers, strict=True) if number is None]
    if wrong:
        raise ValueError(f"{what} has {wrong[0]!r}; expected numbers, with a point before decimals; convert it with pandas.to_numeric")
