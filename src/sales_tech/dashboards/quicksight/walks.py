"""Ways through a generated template: its definitions, what they declare, and everything in them that has a certain key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sales_tech.dashboards.quicksight.expressions import aggregates, type_of

_SHOWN = ("AWS::QuickSight::Analysis", "AWS::QuickSight::Dashboard")


@dataclass(frozen=True)
class Reading:
    """The definition of an analysis or a dashboard, with the data sets that it declares."""

    name: str
    definition: Mapping[str, Any]
    declared: Mapping[str, Mapping[str, Any] | None]

    def columns(self, identifier: str) -> dict[str, str]:
        """The columns of a data set by name, with QuickSight's types."""
        resource = self.declared.get(identifier)
        return columns_of(resource["Properties"]) if resource else {}

    def fields(self, identifier: str) -> dict[str, str]:
        """The columns and calculated fields of a data set, with their types."""
        fields = self.columns(identifier)
        for name, expression in self.calculated(identifier).items():
            fields[name] = type_of(expression, fields)
        return fields

    def calculated(self, identifier: str) -> dict[str, str]:
        """The calculated fields of a data set, with their expressions."""
        return {
            one["Name"]: one["Expression"] for one in self.definition.get("CalculatedFields", []) if one["DataSetIdentifier"] == identifier
        }

    def sums(self, identifier: str, name: str) -> bool:
        """Whether a field is a calculated one that sums by itself."""
        expression = self.calculated(identifier).get(name)
        return expression is not None and aggregates(expression)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters, each with its kind."""
        return {
            body["Name"]: kind for declaration in self.definition.get("ParameterDeclarations", []) for kind, body in declaration.items()
        }


def definitions(template: Mapping[str, Any]) -> Iterator[Reading]:
    """The definitions of a template."""
    for name, resource in template["Resources"].items():
        if resource["Type"] in _SHOWN:
            definition = resource["Properties"]["Definition"]
            declared = {each["Identifier"]: _named(template, each["DataSetArn"]) for each in definition["DataSetIdentifierDeclarations"]}
            yield Reading(name, definition, declared)


def columns_of(properties: Mapping[str, Any]) -> dict[str, str]:
    """The columns that a data set has after its transformations, with QuickSight's types."""
    columns: dict[str, str] = {}
    for physical in properties["PhysicalTableMap"].values():
        (body,) = physical.values()
        columns |= {column["Name"]: column["Type"] for column in body.get("Columns") or body.get("InputColumns", [])}
    for logical in properties.get("LogicalTableMap", {}).values():
        for transform in logical.get("DataTransforms", []):
            for created in transform.get("CreateColumnsOperation", {}).get("Columns", []):
                columns[created["ColumnName"]] = type_of(created["Expression"], columns)
            if renamed := transform.get("RenameColumnOperation"):
                columns[renamed["NewColumnName"]] = columns.pop(renamed["ColumnName"])
    return columns


def walked(node: Any, key: str, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping below a node that has the key, with the way to it; lists tell their elements by id or number."""
    if isinstance(node, dict):
        if key in node:
            yield place, node
        for name, child in node.items():
            yield from walked(child, key, f"{place}.{name}" if place else str(name))
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from walked(child, key, f"{place}[{label(child) or number}]")


def part(place: str, name: str) -> bool:
    """Whether a way leads through a part."""
    return f".{name}." in place


def label(node: Any) -> str | None:
    """The id of an element, looked for one level down too, as visuals and filters stand there."""
    if not isinstance(node, dict):
        return None
    for each in (node, *(child for child in node.values() if isinstance(child, dict) and len(node) == 1)):
        for key in ("VisualId", "SheetId", "FilterGroupId", "FilterId", "ParameterControlId", "ElementId", "Name", "Identifier"):
            if isinstance(each.get(key), str):
                return str(each[key])
    return None


def _named(template: Mapping[str, Any], arn: Any) -> Mapping[str, Any] | None:
    name = arn["Fn::GetAtt"][0] if isinstance(arn, dict) and "Fn::GetAtt" in arn else ""
    resource: Mapping[str, Any] | None = template["Resources"].get(name)
    return resource if resource and resource["Type"] == "AWS::QuickSight::DataSet" else None
