"""What a forecaster is told at its making: each parameter of its kind, each column with one part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sales_tech.forecasting.occasions import own_occasions
from sales_tech.forecasting.past import UNKNOWN
from sales_tech.forecasting.shapes import TOLD, period_of, quantile_columns


def check_parameters(asked: Mapping[str, Any]) -> None:
    """ValueError that names the first parameter which is not of its kind, or the columns that have two parts."""
    for name in ("plan", "static", "quantiles"):
        if isinstance(asked[name], str | None | float):
            raise ValueError(f"{name} is {asked[name]!r}; expected a list, which may be empty")
    period_of(asked["freq"])
    quantile_columns(asked["quantiles"])
    own_occasions(asked["occasions"] or {})
    for name in ("horizon", "trees", "most_rows"):
        value = asked[name]
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} is {value!r}; expected a whole number, 1 or more")
    if asked["weeks"] not in (None, "first", "last"):
        raise ValueError(f"weeks is {asked['weeks']!r}; expected 'first', 'last' or None")
    if not len(asked["series"]) or isinstance(asked["series"], str):
        raise ValueError(f"series is {asked['series']!r}; expected a list of one or more columns")
    if asked["fill_gaps"] not in (None, 0, UNKNOWN):
        raise ValueError(f"fill_gaps is {asked['fill_gaps']!r}; expected None, 0 or {UNKNOWN!r}")
    _check_columns(asked)


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """A seed as scikit-learn takes one: a whole number itself, otherwise drawn from a RandomState, or from NumPy's own for None."""
    drawn = check_random_state(random_state)
    return int(random_state) if isinstance(random_state, int | np.integer) else int(drawn.randint(np.iinfo(np.int32).max))


def _check_columns(asked: Mapping[str, Any]) -> None:
    parts: dict[str, list[str]] = {"series": [*asked["series"]], "time": [asked["time"]], "target": [asked["target"]]}
    parts |= {
        "plan": [*asked["plan"]],
        "static": [*asked["static"]],
        "available": [asked["available"]] if asked["available"] is not None else [],
    }
    for part, names in parts.items():
        for name, times in Counter(names).items():
            if not isinstance(name, str):
                raise ValueError(
                    f"{part} has the column {name!r}; expected names that are texts; rename the columns, as by columns.map(str)"
                )
            if times > 1:
                raise ValueError(f"{part} has the column {name} {times} times; expected it once")
    # A series may be an attribute of itself, and what was on the shelf may be known ahead.
    for one, other in (
        ("series", "time"),
        ("series", "target"),
        ("time", "target"),
        *(
            (one, other)
            for one in ("series", "time", "target")
            for other in ("plan", "static", "available")
            if (one, other) != ("series", "static")
        ),
    ):
        both = [name for name in parts[one] if name in parts[other]]
        if both:
            raise ValueError(
                f"the column {both[0]} is in {one} and in {other}; expected one part of each column; leave it out of one of them"
            )
    taken = [name for name in (*asked["series"], asked["time"]) if name in (*TOLD, *quantile_columns(asked["quantiles"]).values())]
    if taken:
        raise ValueError(
            f"series and time have {', '.join(taken)}, as a forecast calls a column of its own; expected other names; rename them"
        )
