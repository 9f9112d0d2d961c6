"""The ten kinds of visuals as QuickSight draws them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sales_tech.dashboards.quicksight.feeds import AMOUNT, PLACE, STEP, Feed
from sales_tech.dashboards.quicksight.fields import Fields, field_id
from sales_tech.dashboards.quicksight.names import identifier
from sales_tech.dashboards.quicksight.theme import BAD, BLUE, GOOD, GRID
from sales_tech.dashboards.quicksight.words import BREAK_EVEN, CLICK, ESTIMATE, FIRST_PAGE, LINES_FOR_BAND, said
from sales_tech.dashboards.visuals import (
    Bar,
    Combo,
    Fan,
    Heatmap,
    Kpi,
    Line,
    Scatter,
    StackedArea,
    Table,
    Visual,
    Waterfall,
    Words,
    measures_of,
)

_Made = dict[str, Any]
_COLORS = 25


def compares(fields: Fields, visual: Visual) -> bool:
    """Whether a visual holds two periods in itself, so that no filter of the period may touch it."""
    timed = fields.dashboard.period is not None and fields.dashboard.data[visual.data].period is not None
    return isinstance(visual, Kpi) and visual.compare and timed


def chart(fields: Fields, feed: Feed, visual: Visual) -> _Made:
    """A visual of a sheet, with its title, its words, and what a click does."""
    maker = _Maker(fields, feed, visual)
    kind, body = maker.made()
    subtitle = " ".join(maker.words())
    inner = {
        "VisualId": visual_id(fields.dashboard.name, visual),
        "Title": {"Visibility": "VISIBLE", "FormatText": {"PlainText": said(visual.title, fields.language)}},
        "Subtitle": {"Visibility": "VISIBLE", "FormatText": {"PlainText": subtitle}} if subtitle else {"Visibility": "HIDDEN"},
        **body,
    }
    if isinstance(visual, Bar):
        inner["Actions"] = [maker.click()]
    return {kind: inner}


def visual_id(dashboard: str, visual: Visual) -> str:
    """The id of a visual."""
    return identifier(dashboard, "visual", visual.name)


@dataclass(frozen=True)
class _Maker:
    fields: Fields
    feed: Feed
    visual: Visual

    def made(self) -> tuple[str, _Made]:
        """The kind of the visual in QuickSight's words, and its configuration."""
        match self.visual:
            case Kpi():
                return "KPIVisual", self._kpi(self.visual)
            case Line() | StackedArea() | Fan():
                return "LineChartVisual", self._line(self.visual)
            case Bar():
                return "BarChartVisual", self._bar(self.visual)
            case Combo():
                return "ComboChartVisual", self._combo(self.visual)
            case Heatmap():
                return "HeatMapVisual", self._heatmap(self.visual)
            case Scatter():
                return "ScatterPlotVisual", self._scatter(self.visual)
            case Waterfall():
                return "WaterfallVisual", self._waterfall(self.visual)
            case Table():
                return "TableVisual", self._table(self.visual)

    def words(self) -> list[str]:
        """What stands under the title: the note, that a figure is an estimate, and what QuickSight shows differently."""
        found: list[Words] = [self.visual.note] if self.visual.note else []
        measures = self.fields.dashboard.data[self.visual.data].measures
        if any(measures[name].estimate for _, name in measures_of(self.visual)):
            found.append(ESTIMATE)
        if isinstance(self.visual, Fan):
            found.append(LINES_FOR_BAND)
        if isinstance(self.visual, Scatter) and self.visual.break_even:
            found.append(BREAK_EVEN[self.visual.break_even])
        said_here = [f"{said(words, self.fields.language).rstrip('.')}." for words in found]
        if isinstance(self.visual, Table):
            said_here.append(said(FIRST_PAGE, self.fields.language).format(top=self.visual.top))
        return said_here

    def click(self) -> _Made:
        """A click filters the other visuals of the sheet."""
        operation = {
            "SelectedFieldsConfiguration": {"SelectedFieldOptions": "ALL_FIELDS"},
            "TargetVisualsConfiguration": {"SameSheetTargetVisualConfiguration": {"TargetVisualOptions": "ALL_VISUALS"}},
        }
        return {
            "CustomActionId": identifier(self.fields.dashboard.name, self.visual.name, "click"),
            "Name": said(CLICK, self.fields.language),
            "Status": "ENABLED",
            "Trigger": "DATA_POINT_CLICK",
            "ActionOperations": [{"FilterOperation": operation}],
        }

    def _kpi(self, kpi: Kpi) -> _Made:
        both = compares(self.fields, kpi)
        wells = {"Values": [self._measure("value", kpi.value, "current" if both else "")]}
        if both:
            wells["TargetValues"] = [self._measure("value", kpi.value, "before")]
        # QuickSight shows nothing where only some of these are given.
        options = {
            "Comparison": {"ComparisonMethod": "PERCENT_DIFFERENCE"},
            "PrimaryValueDisplayType": "ACTUAL",
            "PrimaryValueFontConfiguration": {"FontSize": {"Relative": "EXTRA_LARGE"}},
            "ProgressBar": {"Visibility": "HIDDEN"},
            "SecondaryValue": {"Visibility": "VISIBLE" if both else "HIDDEN"},
            "SecondaryValueFontConfiguration": {"FontSize": {"Relative": "MEDIUM"}},
            "TrendArrows": {"Visibility": "VISIBLE" if both else "HIDDEN"},
        }
        return {"ChartConfiguration": {"FieldWells": wells, "KPIOptions": options}}

    def _line(self, line: Line | StackedArea | Fan) -> _Made:
        values = [self._measure(str(role[0]), name) for role, name in measures_of(line)]
        wells = {"Category": [self.fields.dimension(self.feed, line, "x", line.x, line.grain)], "Values": values}
        color = None if isinstance(line, Fan) else line.color
        if color:
            wells["Colors"] = [self._dimension("color", color)]
        configuration: _Made = {
            "FieldWells": {"LineChartAggregatedFieldWells": wells},
            "SortConfiguration": {"CategorySort": [_sorted(wells["Category"][0], "ASC")]},
            "Type": "STACKED_AREA" if isinstance(line, StackedArea) else "LINE",
            "Legend": {"Visibility": "VISIBLE" if color or len(values) > 1 else "HIDDEN"},
        }
        if color:
            configuration["SortConfiguration"]["ColorItemsLimitConfiguration"] = {"ItemsLimit": _COLORS, "OtherCategories": "INCLUDE"}
        if isinstance(line, Fan):
            configuration["Series"] = [
                _dotted(field, style) for field, style in zip(values, ("SOLID", "DASHED", "DOTTED", "DOTTED"), strict=True)
            ]
        return {"ChartConfiguration": configuration}

    def _bar(self, bar: Bar) -> _Made:
        by_value = bar.order == "value"
        wells = {"Category": [self._dimension("category", bar.category)], "Values": [self._measure("value", bar.value)]}
        first = _sorted(wells["Values"][0], "DESC") if by_value else self._in_order(wells["Category"][0], bar.category)
        sort: _Made = {"CategorySort": [first]}
        if by_value and bar.color is None:
            sort["CategoryItemsLimit"] = {"ItemsLimit": bar.top, "OtherCategories": "EXCLUDE"}
        if bar.color:
            wells["Colors"] = [self._dimension("color", bar.color)]
            sort["ColorItemsLimit"] = {"ItemsLimit": _COLORS, "OtherCategories": "INCLUDE"}
        configuration = {
            "FieldWells": {"BarChartAggregatedFieldWells": wells},
            "SortConfiguration": sort,
            "Orientation": "HORIZONTAL" if by_value else "VERTICAL",
            "BarsArrangement": "STACKED" if bar.color else "CLUSTERED",
            "CategoryLabelOptions": self._label(wells["Category"][0], bar.category),
        }
        return {"ChartConfiguration": configuration}

    def _combo(self, combo: Combo) -> _Made:
        x = self.fields.dimension(self.feed, combo, "x", combo.x, combo.grain)
        wells = {
            "Category": [x],
            "BarValues": [self._measure("bars", name) for name in combo.bars],
            "LineValues": [self._measure("line", combo.line)],
        }
        configuration = {
            "FieldWells": {"ComboChartAggregatedFieldWells": wells},
            "SortConfiguration": {"CategorySort": [self._in_order(x, combo.x)]},
            "BarsArrangement": "STACKED" if combo.stacked else "CLUSTERED",
            "Legend": {"Visibility": "VISIBLE"},
        }
        return {"ChartConfiguration": configuration}

    def _heatmap(self, heatmap: Heatmap) -> _Made:
        rows, columns = self._dimension("y", heatmap.y), self._dimension("x", heatmap.x)
        colors = [{"Color": GRID}, {"Color": BLUE}]
        configuration = {
            "FieldWells": {
                "HeatMapAggregatedFieldWells": {"Rows": [rows], "Columns": [columns], "Values": [self._measure("value", heatmap.value)]}
            },
            "SortConfiguration": {
                "HeatMapRowSort": [self._in_order(rows, heatmap.y)],
                "HeatMapColumnSort": [self._in_order(columns, heatmap.x)],
            },
            "ColorScale": {"ColorFillType": "GRADIENT", "Colors": colors},
            "RowLabelOptions": self._label(rows, heatmap.y),
            "ColumnLabelOptions": self._label(columns, heatmap.x),
        }
        return {"ChartConfiguration": configuration}

    def _scatter(self, scatter: Scatter) -> _Made:
        point = self._dimension("point", scatter.point)
        wells = {"XAxis": [self._measure("x", scatter.x)], "YAxis": [self._measure("y", scatter.y)]}
        # The field of the category gives the colour; the label tells points apart within one.
        if scatter.color:
            wells |= {"Category": [self._dimension("color", scatter.color)], "Label": [point]}
        else:
            wells["Category"] = [point]
        if scatter.size:
            wells["Size"] = [self._measure("size", scatter.size)]
        configuration = {
            "FieldWells": {"ScatterPlotCategoricallyAggregatedFieldWells": wells},
            "Legend": {"Visibility": "VISIBLE" if scatter.color else "HIDDEN"},
        }
        return {"ChartConfiguration": configuration}

    def _waterfall(self, waterfall: Waterfall) -> _Made:
        measures = self.fields.dashboard.data[waterfall.data].measures
        value = self.fields.amount(self.feed, waterfall, AMOUNT, measures[waterfall.steps[0].value])
        configuration = {
            "FieldWells": {"WaterfallChartAggregatedFieldWells": {"Categories": [self._dimension("step", STEP)], "Values": [value]}},
            "SortConfiguration": {"CategorySort": [self._by(PLACE)]},
            "WaterfallChartOptions": {"TotalBarLabel": said(waterfall.total, self.fields.language)},
        }
        return {"ChartConfiguration": configuration}

    def _table(self, table: Table) -> _Made:
        rows = [self._dimension("rows", name) for name in table.rows]
        values = {name: self._measure("values", name) for name in table.values}
        labels = self.fields.dashboard.data[table.data].dimensions
        named = [
            {"FieldId": field_id(row), "CustomLabel": said(labels[name], self.fields.language)}
            for row, name in zip(rows, table.rows, strict=True)
        ]
        configuration = {
            "FieldWells": {"TableAggregatedFieldWells": {"GroupBy": rows, "Values": [*values.values()]}},
            "SortConfiguration": {
                "RowSort": [_sorted(values[table.values[0]], "DESC"), *(_sorted(row, "ASC") for row in rows)],
                "PaginationConfiguration": {"PageSize": table.top, "PageNumber": 1},
            },
            "FieldOptions": {"SelectedFieldOptions": named},
        }
        made: _Made = {"ChartConfiguration": configuration}
        if table.rules:
            made["ConditionalFormatting"] = {"ConditionalFormattingOptions": self._rules(table, values)}
        return made

    def _rules(self, table: Table, values: dict[str, _Made]) -> list[_Made]:
        rules = []
        for rule in table.rules:
            inner = values[rule.value]["NumericalMeasureField"]
            column = f"{{{inner['Column']['ColumnName']}}}"
            figure = f"SUM({column})" if "AggregationFunction" in inner else column
            sign, bound = ("<", rule.below) if rule.below is not None else (">", rule.above)
            plainly = f"{Decimal(str(bound)):f}"  # no expression of QuickSight has a number such as 1e-05
            color = {"Solid": {"Expression": f"{figure} {sign} {plainly}", "Color": GOOD if rule.tone == "good" else BAD}}
            rules.append({"Cell": {"FieldId": inner["FieldId"], "TextFormat": {"TextColor": color}}})
        return rules

    def _measure(self, role: str, name: str, part: str = "") -> _Made:
        return self.fields.measure(self.feed, self.visual, role, name, part)

    def _dimension(self, role: str, column: str) -> _Made:
        return self.fields.dimension(self.feed, self.visual, role, column)

    def _in_order(self, field: _Made, column: str) -> _Made:
        """By the dimension, in the order of its words where it has some."""
        known = self.feed.dimensions.get(column)
        return self._by(known.place) if known and known.place else _sorted(field, "ASC")

    def _by(self, place: str) -> _Made:
        least = {"NumericalAggregationFunction": {"SimpleNumericalAggregation": "MIN"}}
        by = {"DataSetIdentifier": self.feed.name, "ColumnName": place}
        return {"ColumnSort": {"SortBy": by, "Direction": "ASC", "AggregationFunction": least}}

    def _label(self, field: _Made, column: str) -> _Made:
        ((_, inner),) = field.items()
        label = said(self.fields.dashboard.data[self.visual.data].dimensions[column], self.fields.language)
        applied = {"FieldId": inner["FieldId"], "Column": inner["Column"]}
        return {"Visibility": "VISIBLE", "AxisLabelOptions": [{"CustomLabel": label, "ApplyTo": applied}]}


def _sorted(field: _Made, direction: str) -> _Made:
    return {"FieldSort": {"FieldId": field_id(field), "Direction": direction}}


def _dotted(field: _Made, style: str) -> _Made:
    settings = {"LineStyleSettings": {"LineVisibility": "VISIBLE", "LineStyle": style}}
    return {"DataFieldSeriesItem": {"FieldId": field_id(field), "AxisBinding": "PRIMARY_YAXIS", "Settings": settings}}
