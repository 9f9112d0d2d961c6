"""What no schema sees in QuickSight's template: each of these faults gives a blank visual, an empty one, or a failed deploy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sales_tech.dashboards.quicksight import access
from sales_tech.dashboards.quicksight.expressions import faults as expression_faults
from sales_tech.dashboards.quicksight.feeds import REGION
from sales_tech.dashboards.quicksight.sheets import sheet_faults
from sales_tech.dashboards.quicksight.walks import Reading, definitions, part, walked
from sales_tech.dashboards.specification import MOST_ROWS
from sales_tech.engines.dialect import parse_query
from sales_tech.errors import QueryError

_KIND = "AWS::QuickSight::"
_IDS = ("VisualId", "SheetId", "FilterGroupId", "FilterId", "ParameterControlId", "CustomActionId")


def faults(template: Mapping[str, Any], rows: Mapping[str, int] | None = None) -> list[str]:
    """Every fault of a template, each with the resource and the place in it; `rows` are those of data sets, by their logical ids."""
    found: list[str] = []
    for name, resource in template["Resources"].items():
        if resource["Type"].startswith(_KIND):
            found += [f"{name}: {text}" for text in _permission_faults(resource)]
        if resource["Type"] == f"{_KIND}DataSet":
            found += [f"{name}: {text}" for text in _data_set_faults(template, name, resource, (rows or {}).get(name, 0))]
    for reading in definitions(template):
        found += [f"{reading.name}: {text}" for text in (*_definition_faults(reading), *sheet_faults(reading))]
    return found


def _permission_faults(resource: Mapping[str, Any]) -> Iterator[str]:
    kind = resource["Type"]
    if kind not in access.OWNER:
        return
    for granted in walked(resource["Properties"].get("Permissions", []), "Principal"):
        needed = (access.VIEWER.get(kind, ()) if granted[1]["Principal"] == {"Ref": "ReaderArn"} else ()) or access.OWNER[kind]
        missing = sorted({f"quicksight:{action}" for action in needed} - set(granted[1].get("Actions", [])))
        if missing:
            yield f"permissions without {', '.join(missing)}; expected all actions of its kind, or it is not shown"
    if not resource["Properties"].get("Permissions"):
        yield "no permissions; expected those of its owner, or nobody sees it"


def _data_set_faults(template: Mapping[str, Any], name: str, resource: Mapping[str, Any], rows: int) -> Iterator[str]:
    if rows > MOST_ROWS:
        yield f"{rows} rows; expected at most {MOST_ROWS}: let a view sum them up"
    properties = resource["Properties"]
    scheduled = [each["Properties"]["DataSetId"] for each in template["Resources"].values() if each["Type"] == f"{_KIND}RefreshSchedule"]
    if properties["DataSetId"] not in scheduled:
        yield "no refresh schedule; expected one, or it stays as it was first loaded"
    for table, physical in properties["PhysicalTableMap"].items():
        (body,) = physical.values()
        columns = body.get("Columns") or body.get("InputColumns", [])
        named = [column["Name"] for column in columns]
        yield from (f"table {table}: column {column} is there twice" for column, times in Counter(named).items() if times > 1)
        if REGION in named and name != "Rules" and "RowLevelPermissionDataSet" not in properties:
            yield f"table {table}: a region without row-level security; expected RowLevelPermissionDataSet"
        if "SqlQuery" in body:
            yield from _sql_faults(table, body["SqlQuery"], named)


def _sql_faults(table: str, query: Any, named: list[str]) -> Iterator[str]:
    text = (query["Fn::Sub"] if isinstance(query, dict) else query).replace("${DatabasePrefix}", "").replace("${Access}", "access")
    try:
        selected = parse_query(text).named_selects
    except QueryError as error:
        yield f"table {table}: SQL that Athena cannot read: {error}"
        return
    if list(selected) != named:
        odd = sorted(set(selected) ^ set(named)) or ["their order"]
        yield f"table {table}: columns and SQL differ in {', '.join(odd)}; expected the columns that are selected"


def _definition_faults(reading: Reading) -> Iterator[str]:
    yield from _duplicates(reading)
    for identifier, resource in reading.declared.items():
        if resource is None:
            yield f"data set {identifier}: declared, but no data set of the template; expected one"
    for place, column in walked(reading.definition, "DataSetIdentifier"):
        owner = column["DataSetIdentifier"]
        if owner not in reading.declared:
            yield f"{place}: data set {owner} is not declared; expected one of {', '.join(reading.declared)}"
        elif "ColumnName" in column and column["ColumnName"] not in reading.fields(owner):
            yield f"{place}: no column {column['ColumnName']} in data set {owner}; expected one of {', '.join(reading.fields(owner))}"
    for one in reading.definition.get("CalculatedFields", []):
        owner, name = one["DataSetIdentifier"], one["Name"]
        if owner in reading.declared:
            others = {field: kind for field, kind in reading.fields(owner).items() if field != name}
            for fault in expression_faults(one["Expression"], others, frozenset(reading.parameters)):
                yield f"calculated field {name} of {owner}: {fault} in {one['Expression']}"
            if name in reading.columns(owner):
                yield f"calculated field {name} of {owner}: it hides a column; expected another name"


def _duplicates(reading: Reading) -> Iterator[str]:
    for key in _IDS:
        # Scopes and layouts name ids again; only where an id comes with more than itself is something made.
        made = [(place, each[key]) for place, each in walked(reading.definition, key) if "Scope" not in each]
        for value, times in Counter(value for _, value in made).items():
            if times > 1:
                places = ", ".join(place for place, each in made if each == value)
                yield f"{places}: {key} {value} is there {times} times; expected each once"
    fields = [(place, each["FieldId"]) for place, each in walked(reading.definition, "FieldId") if part(place, "FieldWells")]
    for value, times in Counter(value for _, value in fields).items():
        if times > 1:
            places = ", ".join(place for place, each in fields if each == value)
            yield f"{places}: FieldId {value} is there {times} times; expected each once"
    named = Counter((one["DataSetIdentifier"], one["Name"].lower()) for one in reading.definition.get("CalculatedFields", []))
    for (owner, name), times in named.items():
        if times > 1:
            yield f"calculated field {name} of {owner}: there {times} times; expected each once"
