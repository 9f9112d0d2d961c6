"""What a planner asks: promotions to come, one row per promotion and SKU, and what is refused of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sales_tech.forecasting.shapes import require_columns

# fmt: off
COLUMNS = (
    "promotion_id", "sku", "mechanic", "discount_share", "starts_on", "ends_on", "channel", "region", "display", "investment",
)
# fmt: on
WANTED = ("promotion_id", "sku", "discount_share", "starts_on", "ends_on")
UNKNOWN_MECHANIC = "unknown"


@dataclass(frozen=True)
class Rule:
    """What rows of a plan must keep: which field breaks it, how that is said of a row (its fields in braces), and what is expected."""

    field: str
    said: str
    expected: str
    wrong: ArrayLike


class PlanRefused(ValueError):
    """A row of a plan that cannot be told: its number from 0, the field, what was found there and what was expected."""

    def __init__(self, row: int, about: Mapping[Any, Any], rule: Rule) -> None:
        about = {name: ", ".join(value) if isinstance(value, tuple) else value for name, value in about.items()}
        said = rule.said.format_map(about)
        super().__init__(f"promotion {about['promotion_id']}, SKU {about['sku']}: {said}; expected {rule.expected}")
        value = about[rule.field]
        self.row, self.field, self.expected = row, rule.field, rule.expected
        self.found = f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def refuse(plans: pd.DataFrame, *rules: Rule) -> None:
    """PlanRefused for the first row that breaks the first rule of those that are broken."""
    for rule in rules:
        if np.any(rule.wrong):
            row = int(np.argmax(np.asarray(rule.wrong)))
            raise PlanRefused(row, plans.iloc[row].to_dict(), rule)


def plans_of(plans: pd.DataFrame) -> pd.DataFrame:
    """The plans with all COLUMNS in plain types; ValueError for what is missing, PlanRefused for what cannot be.

    Left out columns mean: mechanic not told, all channels, all regions, no display, no investment. A channel may be several, as a
    list; they become a tuple.
    """
    require_columns(plans, WANTED, "the plan")
    if plans.empty:
        raise ValueError("the plan has no rows; expected one row per promotion and SKU")
    given: dict[str, list[Any]] = {name: plans[name].tolist() if name in plans else [None] * len(plans) for name in COLUMNS}
    given["channel"] = [_single(value) for value in given["channel"]]
    given = {
        name: [None if not isinstance(value, tuple) and (pd.isna(value) or value == "") else value for value in values]
        for name, values in given.items()
    }
    for name in WANTED:
        if None in given[name]:
            row = given[name].index(None)
            where = f"promotion {given['promotion_id'][row]}, SKU {given['sku'][row]}"
            raise ValueError(f"{where}: {name} is missing; expected one in every row of the plan")
    told: dict[str, np.ndarray] = {name: _texts(given[name]) for name in ("promotion_id", "sku", "channel", "region")}
    told["mechanic"] = _texts([UNKNOWN_MECHANIC if kind is None else kind for kind in given["mechanic"]])
    for name in ("starts_on", "ends_on"):
        try:
            told[name] = pd.to_datetime(given[name]).to_numpy().astype("datetime64[D]").astype("datetime64[s]")
        except (ValueError, TypeError) as error:
            raise ValueError(f"{name} of the plan is {given[name][0]!r}; expected days such as 2026-03-01 ({error})") from error
    for name in ("discount_share", "investment"):
        try:
            told[name] = np.array([0.0 if value is None else value for value in given[name]], dtype=np.float64)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{name} of the plan is {given[name][0]!r}; expected numbers") from error
    told["display"] = np.array([value is not None and bool(value) for value in given["display"]], dtype=bool)
    checked = pd.DataFrame({name: pd.Series(told[name], dtype=told[name].dtype) for name in COLUMNS})
    _check(checked)
    return checked


def channels_of(value: Any) -> tuple[str, ...] | None:
    """The channels that a row of a plan names; None for all."""
    if isinstance(value, list | tuple):
        return tuple(dict.fromkeys(value)) or None
    return None if pd.isna(value) or value == "" else (value,)


def _single(value: Any) -> Any:
    several = channels_of(value)
    return several if several is None or len(several) > 1 else several[0]


def _texts(values: list[Any]) -> np.ndarray:
    # The None behind them keeps numpy from making a table of them.
    return np.array([*values, None], dtype=object)[:-1]


def _check(plans: pd.DataFrame) -> None:
    depth, keys = plans["discount_share"], list(zip(plans["promotion_id"], plans["sku"], strict=True))
    first: dict[object, int] = {}
    refuse(
        plans,
        Rule(
            "discount_share",
            "discount_share is {discount_share}",
            "a share of the list price above 0 and below 1, such as 0.2",
            ~((depth > 0) & (depth < 1)),
        ),
        Rule(
            "ends_on",
            "it ends on {ends_on:%Y-%m-%d}, before it starts on {starts_on:%Y-%m-%d}",
            "a last day that is not before the first",
            plans["ends_on"] < plans["starts_on"],
        ),
        Rule(
            "investment",
            "investment is {investment}",
            "money of 0 or more",
            ~((plans["investment"] >= 0) & np.isfinite(plans["investment"])),
        ),
        Rule(
            "sku", "it is listed twice", "one row per promotion and SKU", [first.setdefault(key, at) != at for at, key in enumerate(keys)]
        ),
    )
