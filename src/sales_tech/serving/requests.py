"""From the body of a request to the plan it asks about: JSON and CSV with the same names of fields."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from sales_tech.serving.refusals import Problem, Refused, shown

JSON, CSV = "application/json", "text/csv"
MOST_PROMOTIONS, MOST_DEPTHS, MOST_CHANNELS = 2_000, 20, 100
MOST_PROBLEMS = 20
MOST_INVESTED = 1e12  # sums of what is much larger are no numbers any more
EXPECTED = {
    "promotion_id": "a name of up to 100 characters, by which the answer is told apart; left out, the promotion's number",
    "sku": "an SKU that the model knows",
    "skus": "a list of SKUs that the model knows, in place of sku",
    "mechanic": "a mechanic that the SKU's category has seen, such as percentual",
    "discount_share": "a share of the list price above 0 and below 1, such as 0.2 for 20 %",
    "starts_on": "the first day, such as 2026-03-01",
    "ends_on": "the last day, such as 2026-03-10, not before starts_on",
    "channel": "a channel, or nothing for all of them",
    "channels": "a list of channels, in place of channel; an SKU is planned in those of them that sell it",
    "region": "a region, or nothing for all of them",
    "display": "true or false: whether the SKU is displayed besides; nothing for false",
    "investment": f"money from 0 to {MOST_INVESTED:,.0f} spent besides the discount, per SKU; nothing for 0",
    "depths": f"a list of up to {MOST_DEPTHS} shares to compare, such as [0.1, 0.2, 0.3]",
    "days": "true or false: whether the rows of single days are told besides the sums; nothing for true",
    "promotions": f"a list of 1 to {MOST_PROMOTIONS:,} promotions",
}
COLUMNS = ("promotion_id", "sku", "mechanic", "discount_share", "starts_on", "ends_on", "channel", "region", "display", "investment")
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


def _day(value: Any) -> Any:
    # pydantic would take a number for seconds since 1970.
    return date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-03-01") else str(value) + " is no day"


Day = Annotated[date, BeforeValidator(_day)]


class PlannedPromotion(BaseModel):
    """One promotion of one SKU, or of several on the same terms."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    promotion_id: Name | None = Field(None, description=EXPECTED["promotion_id"])
    sku: Name | None = Field(None, description=EXPECTED["sku"])
    skus: list[Name] | None = Field(None, description=EXPECTED["skus"], min_length=1, max_length=MOST_PROMOTIONS)
    mechanic: Name = Field(description=EXPECTED["mechanic"], examples=["percentual"])
    discount_share: Share = Field(description=EXPECTED["discount_share"], examples=[0.2])
    starts_on: Day = Field(description=EXPECTED["starts_on"], examples=["2026-03-01"])
    ends_on: Day = Field(description=EXPECTED["ends_on"], examples=["2026-03-10"])
    channel: Name | None = Field(None, description=EXPECTED["channel"])
    channels: list[Name] | None = Field(None, description=EXPECTED["channels"], min_length=1, max_length=MOST_CHANNELS)
    region: Name | None = Field(None, description=EXPECTED["region"])
    display: bool | None = Field(None, description=EXPECTED["display"])
    investment: float | None = Field(None, ge=0, le=MOST_INVESTED, allow_inf_nan=False, description=EXPECTED["investment"])


class Question(BaseModel):
    """What is asked: planned promotions, discounts to compare for each of them, and whether single days are told."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    promotions: list[PlannedPromotion] = Field(description=EXPECTED["promotions"], min_length=1, max_length=MOST_PROMOTIONS)
    depths: list[Share] | None = Field(None, description=EXPECTED["depths"], min_length=1, max_length=MOST_DEPTHS)
    days: bool | None = Field(None, description=EXPECTED["days"])


@dataclass(frozen=True)
class Asked:
    """A plan with the columns of silver.promotions, one row per promotion and SKU, the depths to compare, and each row's number.

    `days` is whether the rows of single days are told.
    """

    plans: pd.DataFrame
    depths: tuple[float, ...] | None
    rows: tuple[int, ...]
    days: bool = True


def asked(body: bytes, content_type: str) -> Asked:
    """What a request asks; Refused with 400, 415 or 422 for what cannot be understood."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (JSON, CSV):
        raise Refused(
            415,
            Problem(f"Content-Type {shown(kind or 'missing')}", f"{JSON} or {CSV}", "say in the header Content-Type which of them it is"),
        )
    question = _of_csv(body) if kind == CSV else _of_json(body)
    return Asked(*_plans(question), days=question.days is not False)


def _of_json(body: bytes) -> Question:
    try:
        # Some editors put the mark of UTF-8 before the text, as in a CSV.
        return Question.model_validate_json(body.removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        raise _refused(error.errors(include_url=False, include_context=False)) from None


def _of_csv(body: bytes) -> Question:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(400, Problem(f"a byte at {error.start:,} that is no UTF-8", "text in UTF-8", "write the file in UTF-8")) from None
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header, *rows = [[cell.strip() for cell in row] for row in reader if row] or [[]]
    except csv.Error as error:
        raise Refused(400, Problem(f"line {reader.line_num} that is no CSV: {error}", "commas between fields", "mend the line")) from None
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and mark in header[0]:
            problem = Problem(f"{name} between fields", "commas between fields, and a point in numbers", "write the file with commas")
            raise Refused(422, problem)
    if strange := [name for name in header if name not in COLUMNS]:
        raise Refused(
            422,
            Problem(
                f"the column {shown(strange[0])}", f"columns among {', '.join(COLUMNS)}", "rename or remove it", field=shown(strange[0])
            ),
        )
    if twice := [name for at, name in enumerate(header) if name in header[:at]]:
        raise Refused(422, Problem(f"the column {twice[0]} twice", "each column once", "remove or rename one of them", field=twice[0]))
    if len(rows) > MOST_PROMOTIONS or not rows:
        remedy = "ask in several requests" if rows else "write a row for each promotion"
        raise Refused(422, Problem(f"{len(rows):,} rows", f"1 to {MOST_PROMOTIONS:,} below the line of names", remedy))
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise Refused(
                422, Problem(f"{len(row)} fields", f"{len(header)}, as the first line names", "quote fields that hold a comma", row=number)
            )
    named = [{name: cell for name, cell in zip(header, row, strict=True) if cell} for row in rows]
    try:
        return Question.model_validate({"promotions": named})
    except ValidationError as error:
        raise _refused(error.errors(include_url=False, include_context=False)) from None


def _refused(errors: list[ErrorDetails]) -> Refused:
    if errors[0]["type"] == "json_invalid":
        return Refused(
            400, Problem("a body that is no JSON: " + errors[0]["msg"].partition(": ")[2], "JSON text in UTF-8", "mend the text")
        )
    return Refused(422, *[_problem(error) for error in errors[:MOST_PROBLEMS]])


def _problem(error: ErrorDetails) -> Problem:
    names = [part for part in error["loc"] if isinstance(part, str)]
    numbers = [part for part in error["loc"] if isinstance(part, int)]
    row = numbers[0] + 1 if numbers and names and names[0] == "promotions" else None
    field = names[-1] if names else None
    expected = EXPECTED.get(field or "", "")
    if error["type"] == "missing":
        return Problem("nothing", expected, f"add {field}", row, field)
    if error["type"] == "extra_forbidden":
        return Problem(f"the field {shown(field)}", f"only {', '.join(EXPECTED)}", "remove it, or correct its name", row, shown(field))
    found = error["input"] if not isinstance(error["input"], dict | list) else f"{len(error['input'])} entries"
    if error["type"] == "model_type":
        what, such = ("a list of promotions", '{"promotions": [...]}') if row is None else ("the fields of a promotion", '{"sku": ...}')
        return Problem(shown(found), f"an object with {what}", f"write it in braces, such as {such}", row)
    if error["type"] == "too_long":
        return Problem(shown(found), expected, "ask in several requests", row, field)
    if error["type"] == "too_short":
        return Problem(shown(found), expected, "name at least one", row, field)
    if field in ("starts_on", "ends_on"):
        found = str(found).removesuffix(" is no day")
    return Problem(shown(found), expected, f"correct {field}", row, field)


def _plans(question: Question) -> tuple[pd.DataFrame, tuple[float, ...] | None, tuple[int, ...]]:
    problems: list[Problem] = []
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    seen: dict[tuple[str, str], int] = {}
    given = {promotion.promotion_id for promotion in question.promotions}
    for number, promotion in enumerate(question.promotions, 1):
        problems += _inconsistent(promotion, number)
        name = promotion.promotion_id or str(number)
        if promotion.promotion_id is None and name in given:
            found = f"nothing, which means {name}, the promotion_id of another"
            problems.append(Problem(found, "names that tell promotions apart", "give it a promotion_id of its own", number, "promotion_id"))
        skus = promotion.skus or [str(promotion.sku)]
        if [sku for sku in skus if seen.setdefault((name, sku), number) != number]:
            problems.append(
                Problem(
                    shown(name), "each promotion of an SKU once", "give the second one a promotion_id of its own", number, "promotion_id"
                )
            )
        for sku in skus:
            row = promotion.model_dump(exclude={"skus", "channels"}) | {"promotion_id": name, "sku": sku}
            rows.append(row | ({"channel": tuple(promotion.channels)} if promotion.channels else {}))
            numbers.append(number)
    if problems:
        raise Refused(422, *problems[:MOST_PROBLEMS])
    if len(rows) > MOST_PROMOTIONS:
        raise Refused(422, Problem(f"{len(rows):,} SKUs in all", f"at most {MOST_PROMOTIONS:,}", "ask in several requests", field="skus"))
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    kinds = {"starts_on": "datetime64[s]", "ends_on": "datetime64[s]", "discount_share": "float64", "investment": "float64"}
    plans = pd.DataFrame({name: pd.Series(values, dtype=kinds.get(name, object)) for name, values in columns.items()})
    return plans, None if question.depths is None else tuple(question.depths), tuple(numbers)


def _inconsistent(promotion: PlannedPromotion, number: int) -> Iterator[Problem]:
    if (promotion.sku is None) == (promotion.skus is None):
        found = "neither sku nor skus" if promotion.sku is None else "both sku and skus"
        yield Problem(found, "one of the two", "name the SKU in sku, or several in skus", number, "sku")
    if promotion.skus is not None and len(set(promotion.skus)) < len(promotion.skus):
        yield Problem("an SKU twice in skus", "each SKU once", "remove the second one", number, "skus")
    if promotion.channel is not None and promotion.channels is not None:
        yield Problem(
            "both channel and channels", "one of the two", "name the channel in channel, or several in channels", number, "channels"
        )
    if promotion.channels is not None and len(set(promotion.channels)) < len(promotion.channels):
        yield Problem("a channel twice in channels", "each channel once", "remove the second one", number, "channels")
    if promotion.ends_on < promotion.starts_on:
        yield Problem(
            str(promotion.ends_on),
            f"a day not before {promotion.starts_on}, when it starts",
            "correct starts_on or ends_on",
            number,
            "ends_on",
        )
