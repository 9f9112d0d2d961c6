"""The definition of one dashboard, which its analysis and its published form share."""

from __future__ import annotations

from typing import Any

from sales_tech.dashboards.quicksight.charts import chart, visual_id
from sales_tech.dashboards.quicksight.controls import Controls, sheet_id
from sales_tech.dashboards.quicksight.feeds import Feed, feeds_of
from sales_tech.dashboards.quicksight.fields import Fields
from sales_tech.dashboards.quicksight.names import logical
from sales_tech.dashboards.quicksight.words import Language, said
from sales_tech.dashboards.specification import Dashboard, Sheet
from sales_tech.dashboards.visuals import COLUMNS

GRID = 36
TALLEST = 21
_CONTROL = {"width": 6, "height": 3}
_Made = dict[str, Any]


def definition(dashboard: Dashboard, language: Language) -> _Made:
    """The data sets, calculated fields, parameters, filters and sheets of a dashboard."""
    fields = Fields(dashboard, language)
    feeds = [*feeds_of(dashboard, language)]
    by_visual = {visual.name: feed for feed, visuals in feeds for visual in visuals}
    controls = Controls(fields, feeds)
    sheets = [_sheet(fields, controls, by_visual, sheet) for sheet in dashboard.sheets]
    calculated = [
        {"DataSetIdentifier": feed, "Name": name, "Expression": expression} for (feed, name), expression in fields.expressions.items()
    ]
    return {
        "DataSetIdentifierDeclarations": [
            {"Identifier": feed.name, "DataSetArn": {"Fn::GetAtt": [data_set_logical(dashboard, feed), "Arn"]}} for feed, _ in feeds
        ],
        "CalculatedFields": calculated,
        "ColumnConfigurations": [
            {"Column": {"DataSetIdentifier": feed, "ColumnName": name}, "FormatConfiguration": written}
            for (feed, name), written in fields.formats.items()
        ],
        "ParameterDeclarations": controls.declarations(),
        "FilterGroups": controls.groups(),
        "Sheets": sheets,
    }


def data_set_logical(dashboard: Dashboard, feed: Feed) -> str:
    """The logical id of the data set of a feed."""
    return logical("Data", dashboard.name, feed.name)


def _sheet(fields: Fields, controls: Controls, feeds: dict[str, Feed], sheet: Sheet) -> _Made:
    name = fields.dashboard.name
    scale = GRID // COLUMNS
    elements = [
        {
            "ElementId": visual_id(name, visual),
            "ElementType": "VISUAL",
            "ColumnIndex": visual.at.column * scale,
            "ColumnSpan": visual.at.width * scale,
            "RowIndex": visual.at.row * scale,
            "RowSpan": min(visual.at.height * scale, TALLEST),
        }
        for visual in sheet.visuals
    ]
    found: _Made = {
        "SheetId": sheet_id(name, sheet),
        "Name": said(sheet.title, fields.language),
        "ContentType": "INTERACTIVE",
        "Visuals": [chart(fields, feeds[visual.name], visual) for visual in sheet.visuals],
        "Layouts": [{"Configuration": {"GridLayout": {
            "Elements": elements,
            "CanvasSizeOptions": {"ScreenCanvasSizeOptions": {"ResizeOption": "FIXED", "OptimizedViewPortWidth": "1600px"}},
        }}}],
    }  # fmt: skip
    if shown := controls.of_sheet(sheet):
        across = GRID // _CONTROL["width"]
        placed = [
            {
                "ElementId": control[kind]["ParameterControlId"],
                "ElementType": "PARAMETER_CONTROL",
                "ColumnIndex": place % across * _CONTROL["width"],
                "ColumnSpan": _CONTROL["width"],
                "RowIndex": place // across * _CONTROL["height"],
                "RowSpan": _CONTROL["height"],
            }
            for place, control in enumerate(shown)
            for kind in control
        ]
        found["ParameterControls"] = shown
        found["SheetControlLayouts"] = [{"Configuration": {"GridLayout": {"Elements": placed}}}]
    return found
