"""The fields of a visual: dimensions as they are, and measures as calculated fields under the names that readers see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sales_tech.dashboards.quicksight.feeds import Feed
from sales_tech.dashboards.quicksight.names import identifier
from sales_tech.dashboards.quicksight.words import PARTS, Language, number_format, said
from sales_tech.dashboards.specification import Dashboard, Measure
from sales_tech.dashboards.visuals import Grain, Visual

FIRST, LAST = "FirstMonth", "LastMonth"
_MONTHS = f"(dateDiff(truncDate('MM', ${{{FIRST}}}), truncDate('MM', ${{{LAST}}}), 'MM') + 1)"


@dataclass
class Fields:
    """The calculated fields of a dashboard and how figures are written, made as its visuals ask for them."""

    dashboard: Dashboard
    language: Language
    expressions: dict[tuple[str, str], str] = field(default_factory=dict)
    formats: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def dimension(self, feed: Feed, visual: Visual, role: str, column: str, grain: Grain | None = None) -> dict[str, Any]:
        """A dimension in a field well; of a date rounded down to the grain where there is one."""
        shown = feed.dimensions[column].shown if column in feed.dimensions else column
        plain: dict[str, Any] = {"FieldId": identifier(self.dashboard.name, visual.name, role, column), "Column": _column(feed, shown)}
        if grain is not None:
            return {"DateDimensionField": {**plain, "DateGranularity": grain.upper()}}
        text = shown != column or feed.columns[column] == "STRING"
        return {"CategoricalDimensionField" if text else "NumericalDimensionField": plain}

    def measure(self, feed: Feed, visual: Visual, role: str, name: str, part: str = "") -> dict[str, Any]:
        """A measure in a field well: of all rows, or of the `current` or the `before` part of the period."""
        measure = self.dashboard.data[visual.data].measures[name]
        label = said(measure.label, self.language) + (f" ({said(PARTS[part], self.language)})" if part else "")
        within = self._named(feed, said(PARTS[part], self.language).capitalize(), _within(feed, part)) if part else ""
        expression = _expression(measure, within)
        plain: dict[str, Any] = {
            "FieldId": identifier(self.dashboard.name, visual.name, role, part, name),
            "Column": _column(feed, self._named(feed, label, expression)),
        }
        if measure.sum is not None and not part:
            plain["AggregationFunction"] = {"SimpleNumericalAggregation": "SUM"}
        self._formatted(feed, plain["Column"]["ColumnName"], measure)
        return {"NumericalMeasureField": plain}

    def amount(self, feed: Feed, visual: Visual, column: str, measure: Measure) -> dict[str, Any]:
        """The sum of a column of the feed itself, written as a measure is."""
        self._formatted(feed, column, measure)
        return {
            "NumericalMeasureField": {
                "FieldId": identifier(self.dashboard.name, visual.name, "value", column),
                "Column": _column(feed, column),
                "AggregationFunction": {"SimpleNumericalAggregation": "SUM"},
            }
        }

    def _formatted(self, feed: Feed, name: str, measure: Measure) -> None:
        self.formats[feed.name, name] = {"NumberFormatConfiguration": number_format(measure.format, self.language)}

    def _named(self, feed: Feed, label: str, expression: str) -> str:
        """The name of the calculated field of an expression; another name where the label already stands for something else."""
        taken = {name.lower() for name in (*feed.columns, *feed.added)}
        base = label.replace("{", "(").replace("}", ")")
        known = {name.lower(): name for owner, name in self.expressions if owner == feed.name}
        number = 1
        while True:
            name = base if number == 1 else f"{base} {number}"
            name = known.get(name.lower(), name)  # QuickSight tells no small letters from capitals in names
            if name.lower() not in taken and self.expressions.setdefault((feed.name, name), expression) == expression:
                return name
            number += 1


def field_id(made: dict[str, Any]) -> str:
    """The id of a field of a field well."""
    (inner,) = made.values()
    return str(inner["FieldId"])


def _column(feed: Feed, name: str) -> dict[str, str]:
    return {"DataSetIdentifier": feed.name, "ColumnName": name}


def _expression(measure: Measure, within: str) -> str:
    def total(column: str) -> str:
        return f"sumIf({{{column}}}, {{{within}}} = 1)" if within else f"sum({{{column}}})"

    if measure.ratio is not None:
        of, to = total(measure.ratio.of), total(measure.ratio.to)
        return f"ifelse({to} <> 0, {of} / {to}, NULL)"
    return total(str(measure.sum)) if within else f"{{{measure.sum}}}"


def _within(feed: Feed, part: str) -> str:
    """An expression that is 1 in the rows of the chosen period or of as many months before it, and 0 in others."""
    first = f"truncDate('MM', ${{{FIRST}}})"
    if part == "current":
        begin, end = first, f"addDateTime(1, 'MM', truncDate('MM', ${{{LAST}}}))"
    else:
        begin, end = f"addDateTime(-{_MONTHS}, 'MM', {first})", first
    return f"ifelse({{{feed.period}}} >= {begin} AND {{{feed.period}}} < {end}, 1, 0)"
