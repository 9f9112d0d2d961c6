"""The kinds of visuals there are; each names its roles, and the roles name columns and measures of one data set."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sales_tech.contracts.document import Misfit

COLUMNS = 12
Grain = Literal["day", "week", "month"]


class Strict(BaseModel):
    """A part of a specification: no setting but those that are named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Strict):
    """A text in English and Portuguese."""

    en: str = Field(min_length=1)
    pt: str = Field(min_length=1)


class Place(Strict):
    """Where a visual stands in the grid of its sheet: `column` 0 to 11, `row` from 0, `width` and `height` in cells."""

    column: int = Field(ge=0, lt=COLUMNS)
    row: int = Field(ge=0)
    width: int = Field(ge=1, le=COLUMNS)
    height: int = Field(ge=1, le=24)

    @model_validator(mode="after")
    def _inside(self) -> Place:
        if self.column + self.width > COLUMNS:
            raise Misfit(("width",), f"a visual that ends at column {self.column + self.width}", f"{COLUMNS} columns or fewer")
        return self


class _Visual(Strict):
    """What all visuals have: a name that is unique in the dashboard, a title, the data set, a place, and a note."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Words
    data: str
    at: Place
    note: Words | None = None


class Kpi(_Visual):
    """One figure of the chosen period, beside that of the period of the same length before it."""

    kind: Literal["kpi"]
    value: str
    compare: bool = True


class Line(_Visual):
    """Measures over time, or one measure by the values of `color`."""

    kind: Literal["line"]
    x: str
    grain: Grain = "day"
    values: list[str] = Field(min_length=1)
    color: str | None = None


class Bar(_Visual):
    """A measure by the values of a dimension: the `top` greatest, or in the order of the dimension."""

    kind: Literal["bar"]
    category: str
    value: str
    color: str | None = None
    top: int = Field(default=20, ge=1, le=60)
    order: Literal["value", "category"] = "value"


class StackedArea(_Visual):
    """A measure over time, divided by the values of `color`."""

    kind: Literal["stacked_area"]
    x: str
    grain: Grain = "month"
    value: str
    color: str


class Combo(_Visual):
    """Measures as bars, beside or on top of each other, and another, on its own axis, as a line; `grain` null: x is a dimension."""

    kind: Literal["combo"]
    x: str
    grain: Grain | None = "month"
    bars: list[str] = Field(min_length=1)
    stacked: bool = False
    line: str


class Heatmap(_Visual):
    """A measure by two dimensions."""

    kind: Literal["heatmap"]
    x: str
    y: str
    value: str


class Scatter(_Visual):
    """A point per value of a dimension at two measures; `break_even` draws the line on which both are equal, or y is 0."""

    kind: Literal["scatter"]
    point: str
    x: str
    y: str
    size: str | None = None
    color: str | None = None
    break_even: Literal["zero", "equal"] | None = None


class Step(Strict):
    """One step of a waterfall: a measure, added or taken away."""

    value: str
    subtract: bool = False


class Waterfall(_Visual):
    """Measures that add up, one after the other, and their total."""

    kind: Literal["waterfall"]
    steps: list[Step] = Field(min_length=2)
    total: Words


class Rule(Strict):
    """How cells of a measure are marked: those below or above a bound as good or bad."""

    value: str
    below: float | None = None
    above: float | None = None
    tone: Literal["good", "bad"]

    @model_validator(mode="after")
    def _one_bound(self) -> Rule:
        if (self.below is None) == (self.above is None):
            raise Misfit(("tone",), "a rule with both bounds or none", "either below or above")
        return self


class Table(_Visual):
    """Measures by dimensions, the `top` greatest of the first measure."""

    kind: Literal["table"]
    rows: list[str] = Field(min_length=1)
    values: list[str] = Field(min_length=1)
    rules: list[Rule] = Field(default_factory=list)
    top: int = Field(default=50, ge=1, le=500)


class Fan(_Visual):
    """What was over time, and what is expected with its range."""

    kind: Literal["fan"]
    x: str
    grain: Grain = "day"
    actual: str
    mid: str
    low: str
    high: str


Visual = Annotated[
    Kpi | Line | Bar | StackedArea | Combo | Heatmap | Scatter | Waterfall | Table | Fan,
    Field(discriminator="kind"),
]


def measures_of(visual: Visual) -> list[tuple[tuple[str | int, ...], str]]:
    """The measures of a visual in the order of its roles, each with the key it stands under."""
    match visual:
        case Kpi() | StackedArea() | Heatmap() | Bar():
            return [(("value",), visual.value)]
        case Line():
            return [(("values", place), name) for place, name in enumerate(visual.values)]
        case Combo():
            return [*((("bars", place), name) for place, name in enumerate(visual.bars)), (("line",), visual.line)]
        case Scatter():
            return [((role,), name) for role in ("x", "y", "size") if (name := getattr(visual, role)) is not None]
        case Waterfall():
            return [(("steps", place, "value"), step.value) for place, step in enumerate(visual.steps)]
        case Table():
            return [(("values", place), name) for place, name in enumerate(visual.values)]
        case Fan():
            return [((role,), getattr(visual, role)) for role in ("actual", "mid", "low", "high")]


def dimensions_of(visual: Visual) -> list[tuple[tuple[str | int, ...], str]]:
    """The dimensions by which a visual's rows are told apart, the axis of time among them, each with its key."""
    roles: tuple[str, ...]
    match visual:
        case Kpi() | Waterfall():
            return []
        case Table():
            return [(("rows", place), name) for place, name in enumerate(visual.rows)]
        case Bar():
            roles = ("category", "color")
        case Scatter():
            roles = ("point", "color")
        case Heatmap():
            roles = ("x", "y")
        case Combo() | Fan():
            roles = ("x",)
        case _:
            roles = ("x", "color")
    return [((role,), name) for role in roles if (name := getattr(visual, role)) is not None]


def grain_of(visual: Visual) -> Grain | None:
    """To which periods the dates of a visual's axis of time are rounded down; None where it has no such axis."""
    grain: Grain | None = getattr(visual, "grain", None)
    return grain
