"""What an Outlook says to a plan, as JSON or CSV."""

from __future__ import annotations

import json
import math
import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sales_tech.forecasting.checks import PlanBeyondHistory
from sales_tech.planning.cautions import cautions
from sales_tech.planning.lookup import runs
from sales_tech.planning.plans import PlanRefused
from sales_tech.serving.refusals import Problem, Refused, shown
from sales_tech.serving.requests import CSV, JSON, Asked
from sales_tech.spreadsheets import guarded

if TYPE_CHECKING:
    from sales_tech.planning import Outlook

MOST_ROWS = 200_000
SUMMED = ("baseline_units", "uplift_units", "units", "revenue", "baseline_revenue", "margin", "baseline_margin")
_ONE_AT_A_TIME = threading.Lock()


def kind_of_answer(accept: str) -> str:
    """JSON or CSV, by the header Accept; JSON where it does not matter. Refused with 406 where neither is accepted."""
    wanted: list[tuple[float, str]] = []
    for part in accept.split(",") if accept.strip() else ["*/*"]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        try:
            wanted.append((-float(weight), name))
        except ValueError:
            wanted.append((-1.0, name))
    for order, name in sorted(wanted, key=lambda one: one[0]):
        if order < 0 and name in (JSON, "*/*", "application/*"):
            return JSON
        if order < 0 and name in (CSV, "text/*"):
            return CSV
    raise Refused(406, Problem(f"Accept {shown(accept)}", f"{JSON} or {CSV}", "accept one of the two"))


def answer(outlook: Outlook, question: Asked, kind: str, *, days: bool = True) -> bytes:
    """The body of an answer; Refused with 422 for a plan that the outlook cannot tell of.

    JSON has `origin`, `currency`, `promotions` (totals of each), `days` (the rows of Outlook.forecast, unless left out),
    `alternatives` (those of Outlook.alternatives) and `warnings`; CSV has the rows of `days` only.
    """
    _check_size(outlook, question)
    # Warnings are collected by process, those of its other threads among them, and an answer keeps a core busy anyway.
    with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PlanBeyondHistory)
        try:
            if kind == CSV:
                forecast, alternatives = outlook.forecast(question.plans), None
            else:
                forecast, alternatives = outlook.answered(question.plans, question.depths)
        except PlanRefused as error:
            raise Refused(
                422, Problem(shown(error.found), error.expected, f"correct {error.field}", question.rows[error.row], error.field)
            ) from None
        except ValueError as error:
            raise Refused(422, Problem(str(error), "a plan that the model can tell of", "change the plan as told")) from None
    if alternatives is None:
        return _for_spreadsheets(forecast).to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\r\n").encode()
    beyond = dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, PlanBeyondHistory))
    told: dict[str, Any] = {
        "origin": f"{outlook.origin:%Y-%m-%d}",
        "currency": outlook.currency,
        "promotions": totals(forecast),
        "alternatives": records(alternatives),
        "warnings": [*beyond, *cautions(outlook, question.plans, forecast)],
    }
    if days:
        told["days"] = records(forecast)
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def check_length(told: bytes, most: int | None) -> None:
    """Refused with 422 for an answer of more than `most` bytes: what passes it on would make a fault of it, and tell nobody why."""
    if most is not None and len(told) > most:
        remedy = 'leave the rows of days out by "days": false, or ask in several requests'
        raise Refused(422, Problem(f"an answer of {len(told):,} bytes", f"at most {most:,}, which is what this endpoint passes on", remedy))


def totals(forecast: pd.DataFrame) -> list[dict[str, Any]]:
    """Of each promotion the sums over SKUs, channels and days of what adds up; a margin that is partly not known is not."""
    names = forecast["promotion_id"].to_numpy(dtype=object)
    sums = {name: forecast[name].to_numpy() for name in SUMMED}
    return [
        {"promotion_id": promotion} | {name: _number(float(values[span].sum())) for name, values in sums.items()}
        for promotion, span in runs(names)
    ]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as JSON has them: days as text, nothing for what is not known, numbers as they are."""
    names = frame.columns.tolist()
    columns = [_plain(frame[name].to_numpy()) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _for_spreadsheets(frame: pd.DataFrame) -> pd.DataFrame:
    # Few values stand in many rows.
    texts = [name for name in frame.columns if frame[name].dtype.kind not in "bifuM"]
    return frame.assign(**{name: frame[name].map({one: guarded(one) for one in frame[name].unique()}) for name in texts})


def _plain(values: np.ndarray) -> list[Any]:
    if values.dtype.kind == "M":
        return [str(day) for day in np.datetime_as_string(values, unit="D")]
    if values.dtype.kind == "f" and np.isnan(values).any():
        return [_number(value) for value in values.tolist()]
    told: list[Any] = values.tolist()
    return told


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _check_size(outlook: Outlook, question: Asked) -> None:
    # Only days ahead are told of a promotion that has begun; a day beyond them is refused by its own rule.
    day = np.timedelta64(1, "D")
    starts = np.maximum(question.plans["starts_on"].to_numpy(), outlook.origin.to_datetime64() + day)
    ends = np.minimum(question.plans["ends_on"].to_numpy(), outlook.last.to_datetime64())
    if (rows := int(np.maximum((ends - starts) // day + 1, 0).sum())) > MOST_ROWS:
        raise Refused(
            422,
            Problem(
                f"{rows:,} days of SKUs in all", f"at most {MOST_ROWS:,}", "ask in several requests, or for fewer days", field="ends_on"
            ),
        )
