"""What a planner asks: promotions to come, one row per promotion and SKU, and what is refused of them."""

from __future__ import annotations

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


def plans_of(plans: pd.DataFrame) -> pd.DataFrame:
    """The plans with all COLUMNS in plain types; ValueError for what is missing or cannot be.

    Left out columns mean: mechanic not told, all channels, all regions, no display, no investment.
    """
    require_columns(plans, WANTED, "the plan")
    if plans.empty:
        raise ValueError("the plan has no rows; expected one row per promotion and SKU")
    given: dict[str, list[Any]] = {name: plans[name].tolist() if name in plans else [None] * len(plans) for name in COLUMNS}
    given = {name: [None if value == "" or pd.isna(value) else value for value in values] for name, values in given.items()}
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
    _check(told)
    return pd.DataFrame({name: pd.Series(told[name], dtype=told[name].dtype) for name in COLUMNS})


def _texts(values: list[Any]) -> np.ndarray:
    # The None behind them keeps numpy from making a table of them.
    return np.array([*values, None], dtype=object)[:-1]


def _check(plans: dict[str, np.ndarray]) -> None:
    depth, keys = plans["discount_share"], list(zip(plans["promotion_id"].tolist(), plans["sku"].tolist(), strict=True))
    first: dict[object, int] = {}
    refused: dict[str, ArrayLike] = {
        "discount_share is {discount_share}; expected a share of the list price above 0 and below 1, such as 0.2": ~(
            (depth > 0) & (depth < 1)
        ),
        "it ends on {ends_on:%Y-%m-%d}, before it starts on {starts_on:%Y-%m-%d}; expected a last day that is not before the first": (
            plans["ends_on"] < plans["starts_on"]
        ),
        "investment is {investment}; expected 0 or more": plans["investment"] < 0,
        "it is listed twice; expected one row per promotion and SKU": [first.setdefault(key, at) != at for at, key in enumerate(keys)],
    }
    for words, wrong in refused.items():
        if np.any(wrong):
            at = int(np.argmax(wrong))
            row = {name: pd.Timestamp(values[at]) if values.dtype.kind == "M" else values[at] for name, values in plans.items()}
            raise ValueError(f"promotion {row['promotion_id']}, SKU {row['sku']}: {words.format_map(row)}")
