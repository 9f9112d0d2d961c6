"""Filters of a dashboard: the parameters that hold what is chosen, the controls that set them, and what they filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sales_tech.dashboards.quicksight.charts import compares, visual_id
from sales_tech.dashboards.quicksight.feeds import Feed
from sales_tech.dashboards.quicksight.fields import FIRST, LAST, Fields
from sales_tech.dashboards.quicksight.names import identifier, parameter
from sales_tech.dashboards.quicksight.words import FROM, TO, said
from sales_tech.dashboards.specification import Filter, Sheet
from sales_tech.dashboards.visuals import Visual

SOURCE = "source"
_Made = dict[str, Any]
# The night knows the sales until the day before it.
_THIS_MONTH = "truncDate('MM', addDateTime(-1, 'DD', now()))"


@dataclass(frozen=True)
class Controls:
    """The filters of one dashboard over its feeds."""

    fields: Fields
    feeds: list[tuple[Feed, list[Visual]]]

    def declarations(self) -> list[_Made]:
        """The parameters: one of texts for each filter, and two of months for the period."""
        found: list[_Made] = []
        for each in self.fields.dashboard.filters:
            kind = "SINGLE_VALUED" if each.choose == "one" else "MULTI_VALUED"
            first = {"DefaultValues": {"StaticValues": [{"Ref": "Source"}]}} if _begins_with_a_source(each) else {}
            plain = {"Name": parameter(each.column), "ParameterValueType": kind, **first}
            found.append({"StringParameterDeclaration": {**plain, "ValueWhenUnset": {"ValueWhenUnsetOption": "RECOMMENDED_VALUE"}}})
        if period := self.fields.dashboard.period:
            first_month = f"addDateTime(-{period.months - 1}, 'MM', {_THIS_MONTH})" if period.months > 1 else _THIS_MONTH
            for name, expression in ((FIRST, first_month), (LAST, _THIS_MONTH)):
                default = {"RollingDate": {"Expression": expression}}
                found.append({"DateTimeParameterDeclaration": {"Name": name, "TimeGranularity": "MONTH", "DefaultValues": default}})
        return found

    def of_sheet(self, sheet: Sheet) -> list[_Made]:
        """The controls at the top of a sheet: those that move one of its visuals."""
        here = {visual.name for visual in sheet.visuals}
        feeds = [feed for feed, visuals in self.feeds if any(visual.name in here for visual in visuals)]
        dashboard = self.fields.dashboard
        found: list[_Made] = []
        if dashboard.period is not None and any(feed.period for feed in feeds):
            for name, label in ((FIRST, FROM), (LAST, TO)):
                title = f"{said(dashboard.period.label, self.fields.language)}: {said(label, self.fields.language).lower()}"
                plain = {"ParameterControlId": self._control(sheet, name), "Title": title, "SourceParameterName": name}
                found.append({"DateTimePicker": {**plain, "DisplayOptions": {"DateTimeFormat": "MM/YYYY"}}})
        for each in dashboard.filters:
            owners = [feed for feed in feeds if _choice(feed, each.column)]
            if owners:
                values = {"LinkToDataSetColumn": {"DataSetIdentifier": owners[0].name, "ColumnName": _choice(owners[0], each.column)}}
                found.append({"Dropdown": {
                    "ParameterControlId": self._control(sheet, each.column),
                    "Title": said(each.label, self.fields.language),
                    "SourceParameterName": parameter(each.column),
                    "Type": "SINGLE_SELECT" if each.choose == "one" else "MULTI_SELECT",
                    "SelectableValues": values,
                }})  # fmt: skip
        return found

    def groups(self) -> list[_Made]:
        """The filter of each parameter over each feed that it moves."""
        found = []
        for feed, visuals in self.feeds:
            for each in self.fields.dashboard.filters:
                if choice := _choice(feed, each.column):
                    found.append(self._group(feed, each.column, self._chosen(feed, each, choice), visuals))
            timed = [visual for visual in visuals if not compares(self.fields, visual)]
            if self.fields.dashboard.period is not None and feed.period is not None and timed:
                found.append(self._group(feed, feed.period, self._within(feed, feed.period), timed))
        return found

    def _chosen(self, feed: Feed, one: Filter, choice: str) -> _Made:
        """The rows of the chosen values; all rows while none is chosen, which an unset parameter stands for."""
        chosen = {"MatchOperator": "EQUALS", "ParameterName": parameter(one.column), "NullOption": "NON_NULLS_ONLY"}
        body = {
            "FilterId": self._id(feed, one.column, "filter"),
            "Column": {"DataSetIdentifier": feed.name, "ColumnName": choice},
            "Configuration": {"CustomFilterConfiguration": chosen},
        }
        return {"CategoryFilter": body}

    def _within(self, feed: Feed, period: str) -> _Made:
        """The rows of the chosen months, both ends among them."""
        body: _Made = {
            "FilterId": self._id(feed, period, "filter"),
            "Column": {"DataSetIdentifier": feed.name, "ColumnName": period},
            "RangeMinimumValue": {"Parameter": FIRST},
            "RangeMaximumValue": {"Parameter": LAST},
            "IncludeMinimum": True,
            "IncludeMaximum": True,
            "NullOption": "NON_NULLS_ONLY",
            "TimeGranularity": "MONTH",
        }
        return {"TimeRangeFilter": body}

    def _group(self, feed: Feed, column: str, body: _Made, visuals: list[Visual]) -> _Made:
        dashboard = self.fields.dashboard
        names = {visual.name for visual in visuals}
        scopes: list[_Made] = []
        for sheet in dashboard.sheets:
            of_feed = [visual for visual in sheet.visuals if visual.name in self._reading(feed)]
            moved = [visual_id(dashboard.name, visual) for visual in of_feed if visual.name in names]
            where = {"SheetId": sheet_id(dashboard.name, sheet)}
            # A filter of one data set leaves the visuals of the others on its sheets alone.
            if moved and len(moved) == len(of_feed):
                scopes.append({**where, "Scope": "ALL_VISUALS"})
            elif moved:
                scopes.append({**where, "Scope": "SELECTED_VISUALS", "VisualIds": moved})
        return {
            "FilterGroupId": self._id(feed, column, "group"),
            "Filters": [body],
            "ScopeConfiguration": {"SelectedSheets": {"SheetVisualScopingConfigurations": scopes}},
            "CrossDataset": "SINGLE_DATASET",
            "Status": "ENABLED",
        }

    def _reading(self, feed: Feed) -> set[str]:
        return {visual.name for each, visuals in self.feeds for visual in visuals if each.name == feed.name}

    def _id(self, feed: Feed, column: str, kind: str) -> str:
        return identifier(self.fields.dashboard.name, kind, feed.name, column)

    def _control(self, sheet: Sheet, name: str) -> str:
        return identifier(self.fields.dashboard.name, "control", sheet.name, name)


def sheet_id(dashboard: str, sheet: Sheet) -> str:
    """The id of a sheet."""
    return identifier(dashboard, "sheet", sheet.name)


def _begins_with_a_source(one: Filter) -> bool:
    # Sources have different currencies, so their amounts are never added up.
    return (one.column, one.choose) == (SOURCE, "one")


def _choice(feed: Feed, column: str) -> str | None:
    return feed.dimensions[column].choice if column in feed.dimensions else None
