"""What a dashboard is: data sets with their measures, filters, and sheets of visuals."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from sales_tech.contracts.document import Misfit
from sales_tech.dashboards.visuals import Strict, Visual, Words

Format = Literal["money", "number", "decimal", "percent", "ratio", "hours"]
MOST_ROWS = 50_000


class Ratio(Strict):
    """A sum over a sum, both of columns; null where the second is 0."""

    of: str
    to: str


class Measure(Strict):
    """A sum of a column or a ratio of sums; `estimate` says that it is not counted but estimated.

    `low` and `high` are the columns of its interval, told where a row of the visual is one row of the data.
    `good` is the direction in which it should move.
    """

    label: Words
    sum: str | None = None
    ratio: Ratio | None = None
    format: Format = "number"
    estimate: bool = False
    low: str | None = None
    high: str | None = None
    good: Literal["up", "down"] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Measure:
        if (self.sum is None) == (self.ratio is None):
            raise Misfit(("label",), "a measure with both sum and ratio, or neither", "either sum or ratio")
        if (self.low is None) != (self.high is None):
            raise Misfit(("label",), "an interval with one end", "low and high, or neither")
        return self

    @property
    def columns(self) -> dict[tuple[str, ...], str]:
        """The columns that are summed, by the key they stand under."""
        if self.ratio is not None:
            return {("ratio", "of"): self.ratio.of, ("ratio", "to"): self.ratio.to}
        assert self.sum is not None
        return {("sum",): self.sum}


class Data(Strict):
    """A data set: a gold table or one of the views, its dimensions with their names, its measures and its column of time.

    The period chosen moves only data sets with a `period`; others may be drawn over any of their dates.
    """

    table: str
    dimensions: dict[str, Words] = Field(default_factory=dict)
    measures: dict[str, Measure] = Field(min_length=1)
    period: str | None = None


class Filter(Strict):
    """A control over one dimension: of `one` value, or of `many`. It moves all data sets that have the dimension."""

    column: str
    label: Words
    choose: Literal["one", "many"] = "many"


class Period(Strict):
    """The control over time: months, at first the latest `months` of them."""

    label: Words
    months: int = Field(default=12, ge=1, le=120)


class Sheet(Strict):
    """A page of visuals."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Words
    visuals: list[Visual] = Field(min_length=1)


class Dashboard(Strict):
    """One dashboard, as `dashboards/<name>.yaml` holds it.

    `words` names values of dimensions, such as those of `channel`, in the order in which they are to stand; the data
    and all questions keep the values. What has no words is shown as it is, after those that have.
    """

    name: str
    title: Words
    about: Words
    data: dict[str, Data] = Field(min_length=1)
    period: Period | None = None
    filters: list[Filter] = Field(default_factory=list)
    words: dict[str, dict[str, Words]] = Field(default_factory=dict)
    sheets: list[Sheet] = Field(min_length=1)

    @property
    def visuals(self) -> list[Visual]:
        """All visuals, sheet by sheet."""
        return [visual for sheet in self.sheets for visual in sheet.visuals]
