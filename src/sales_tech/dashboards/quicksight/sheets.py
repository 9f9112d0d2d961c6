"""Faults of sheets: layout, visuals and their fields, controls, and the scopes of filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sales_tech.dashboards.quicksight.expressions import tokens
from sales_tech.dashboards.quicksight.walks import Reading, part, walked

GRID = 36
KPI_OPTIONS = frozenset(
    ("Comparison", "PrimaryValueDisplayType", "PrimaryValueFontConfiguration", "ProgressBar", "SecondaryValue",
     "SecondaryValueFontConfiguration", "TrendArrows")
)  # fmt: skip
_SOUGHT = ("CategoryValue", "CategoryValues", "ParameterName", "SelectAllOptions")
_NUMBERS = ("INTEGER", "DECIMAL")


def sheet_faults(reading: Reading) -> Iterator[str]:
    """Every fault of the sheets of a definition."""
    for sheet in reading.definition["Sheets"]:
        where = f"sheet {sheet['SheetId']}"
        yield from (f"{where}: {text}" for text in _layout_faults(sheet))
        for visual in sheet["Visuals"]:
            if len(visual) != 1:
                yield f"{where}: a visual of {len(visual)} kinds, {' and '.join(visual)}; expected one"
            for kind, body in visual.items():
                yield from (f"{where}, visual {body.get('VisualId')}: {text}" for text in _visual_faults(reading, kind, body))
        for place, control in walked(sheet.get("ParameterControls", []), "SourceParameterName"):
            if control["SourceParameterName"] not in reading.parameters:
                yield f"{where}, control {place}: no parameter {control['SourceParameterName']}; expected a declared one"
    yield from _filter_faults(reading)


def _layout_faults(sheet: Mapping[str, Any]) -> Iterator[str]:
    visuals = {body.get("VisualId") for visual in sheet["Visuals"] for body in visual.values()}
    controls = {control["ParameterControlId"] for _, control in walked(sheet.get("ParameterControls", []), "ParameterControlId")}
    for layouts, there in (("Layouts", visuals), ("SheetControlLayouts", controls)):
        taken: dict[tuple[int, int], str] = {}
        placed = [element for _, element in walked(sheet.get(layouts, []), "ElementId")]
        for element in placed:
            name = element["ElementId"]
            if name not in there:
                yield f"{layouts}: element {name} is not on the sheet; expected one of {', '.join(sorted(map(str, there)))}"
            if element["ColumnIndex"] + element["ColumnSpan"] > GRID:
                yield f"{layouts}: element {name} ends at column {element['ColumnIndex'] + element['ColumnSpan']}; expected {GRID} or less"
            for row in range(element["RowIndex"], element["RowIndex"] + element["RowSpan"]):
                for column in range(element["ColumnIndex"], element["ColumnIndex"] + element["ColumnSpan"]):
                    if taken.setdefault((row, column), name) != name:
                        yield f"{layouts}: element {name} stands on {taken[row, column]} at row {row}, column {column}"
                        break
        for name in sorted(map(str, there - {element["ElementId"] for element in placed})):
            yield f"{layouts}: {name} has no place; expected one"


def _visual_faults(reading: Reading, kind: str, body: Mapping[str, Any]) -> Iterator[str]:
    configuration = body.get("ChartConfiguration", {})
    wells = configuration.get("FieldWells", {})
    fields = {field["FieldId"]: field for _, field in walked(wells, "FieldId")}
    for place, named in walked({key: value for key, value in body.items() if key != "Actions"}, "FieldId"):
        if not part(f"{place}.", "FieldWells") and named["FieldId"] not in fields:
            yield f"{place}: no field {named['FieldId']}; expected a field of the visual"
    for well in _wells(wells):
        for made in well:
            for form, field in made.items():
                yield from _field_faults(reading, form, field)
    if kind == "LineChartVisual":
        inner = wells.get("LineChartAggregatedFieldWells", {})
        if inner.get("Colors") and len(inner.get("Values", [])) > 1:
            yield f"{len(inner['Values'])} values with colors; expected one value where a line has colors"
    if kind == "KPIVisual" and "KPIOptions" in configuration and (missing := KPI_OPTIONS - configuration["KPIOptions"].keys()):
        yield f"KPIOptions without {', '.join(sorted(missing))}; expected all or none of them, or the figure is blank"
    for _, rule in walked(body.get("ConditionalFormatting", {}), "Expression"):
        known = {field["Column"]["ColumnName"] for field in fields.values()}
        for piece in tokens(rule["Expression"]):
            if piece.kind == "field" and piece.text not in known:
                yield f"ConditionalFormatting: no field {{{piece.text}}} in {rule['Expression']}; expected a field of the visual"


def _wells(node: Any) -> Iterator[list[dict[str, Any]]]:
    if isinstance(node, dict):
        for child in node.values():
            yield from _wells(child)
    elif isinstance(node, list):
        yield node


def _field_faults(reading: Reading, form: str, field: Mapping[str, Any]) -> Iterator[str]:
    owner, name = field["Column"]["DataSetIdentifier"], field["Column"]["ColumnName"]
    kind = reading.fields(owner).get(name)
    if kind is None:
        return  # told as an unknown column
    where = f"field {field['FieldId']}"
    match form:
        case "CategoricalDimensionField" if kind == "DATETIME":
            yield f"{where}: the date {name} as a category; expected a DateDimensionField, or the visual is blank"
        case "CategoricalDimensionField" if kind != "STRING":
            yield f"{where}: {name} is {kind}; expected a text, or a NumericalDimensionField"
        case "NumericalDimensionField" if kind not in _NUMBERS:
            yield f"{where}: {name} is {kind}; expected a number"
        case "DateDimensionField" if kind != "DATETIME":
            yield f"{where}: {name} is {kind}; expected a date"
        case "NumericalMeasureField" if kind not in _NUMBERS:
            yield f"{where}: a measure over {name}, which is {kind}; expected a number"
        case "NumericalMeasureField" if reading.sums(owner, name) == ("AggregationFunction" in field):
            yield f"{where}: {name} is summed {'twice' if 'AggregationFunction' in field else 'nowhere'}; expected once"


def _filter_faults(reading: Reading) -> Iterator[str]:
    visuals = {
        sheet["SheetId"]: {body.get("VisualId") for visual in sheet["Visuals"] for body in visual.values()}
        for sheet in reading.definition["Sheets"]
    }
    controlled = {
        sheet["SheetId"]: {
            control["SourceParameterName"] for _, control in walked(sheet.get("ParameterControls", []), "SourceParameterName")
        }
        for sheet in reading.definition["Sheets"]
    }
    everywhere = set[str]().union(*controlled.values())
    for group in reading.definition.get("FilterGroups", []):
        where = f"filter group {group['FilterGroupId']}"
        bound = {value for key in ("ParameterName", "Parameter") for _, each in walked(group["Filters"], key) for value in [each[key]]}
        for name in sorted(bound - reading.parameters.keys()):
            yield f"{where}: no parameter {name}; expected a declared one"
        for name in sorted(bound & reading.parameters.keys() - everywhere):
            yield f"{where}: bound to the parameter {name}, which has no control; expected one, or its visuals are empty"
        for _, matched in walked(group["Filters"], "MatchOperator"):
            if len(said := [key for key in _SOUGHT if key in matched]) != 1:
                yield f"{where}: a match by {' and '.join(said) or 'nothing'}; expected one, or QuickSight refuses the definition"
        for _, scope in walked(group["ScopeConfiguration"], "SheetId"):
            sheet = scope["SheetId"]
            if sheet not in visuals:
                yield f"{where}: no sheet {sheet}; expected one of {', '.join(visuals)}"
                continue
            for name in scope.get("VisualIds", []):
                if name not in visuals[sheet]:
                    yield f"{where}: no visual {name} on sheet {sheet}; expected one of {', '.join(sorted(map(str, visuals[sheet])))}"
            for name in sorted(bound & everywhere - controlled[sheet]):
                yield f"{where}: bound to the parameter {name}, which has no control on sheet {sheet}; expected one"
    counted = Counter(
        name for names in ([one["Name"] for one in each.values()] for each in reading.definition["ParameterDeclarations"]) for name in names
    )
    yield from (f"parameter {name}: declared {times} times; expected once" for name, times in counted.items() if times > 1)
