"""How much QuickSight takes: the lengths of texts and the numbers of things that a specification may bring into the template.

Source: the pages of AWS::QuickSight::Dashboard, ::DataSet and their parts in the CloudFormation template reference, which are no wider
than those of the API reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sales_tech.dashboards.quicksight.names import LONGEST_SLUG
from sales_tech.dashboards.quicksight.walks import label

_LONGEST_STACK = "x" * 20  # as infra/stack.py takes its name
_SHOWN = 40
_WHY = "which is what QuickSight takes"
NAMES = {"AWS::QuickSight::DataSet": 128, "AWS::QuickSight::Dashboard": 2048}
TEXTS: dict[tuple[str, ...], int] = {
    ("Title", "FormatText", "PlainText"): 512,
    ("Subtitle", "FormatText", "PlainText"): 1024,
    ("CalculatedFields", "Name"): 127,
    ("CreateColumnsOperation", "Columns", "Expression"): 250_000,
    ("Sheets", "Name"): 2048,
    ("Dropdown", "Title"): 2048,
    ("DateTimePicker", "Title"): 2048,
    ("SelectedFieldOptions", "CustomLabel"): 2048,
}
LISTS: dict[tuple[str, ...], int] = {
    ("Definition", "Sheets"): 20,
    ("Sheets", "Visuals"): 50,
    ("Definition", "DataSetIdentifierDeclarations"): 50,
    ("Definition", "CalculatedFields"): 500,
    ("Definition", "FilterGroups"): 2000,
}
LOWEST_ROW = 9009


def excesses(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is too long, too many, too low on its sheet, or there twice, each with what is expected instead."""
    names: Counter[str] = Counter()
    for name, resource in template["Resources"].items():
        if most := NAMES.get(resource["Type"]):  # an analysis has the definition of its dashboard
            properties = resource["Properties"]
            yield from _too_long(f"{name}.Name", properties["Name"], most)
            for way, place, value in _parts(properties, (), name):
                yield from _excess(way, place, value)
            names.update([_text(properties["DashboardId"])] if "DashboardId" in properties else [])
    for one, times in names.items():
        if times > 1:
            told = f"{times} dashboards are {one.removeprefix(f'{_LONGEST_STACK}-')} in QuickSight"
            yield told, f"files whose names differ in their first {LONGEST_SLUG} letters and digits"


def _excess(way: tuple[str, ...], place: str, value: Any) -> Iterator[tuple[str, str]]:
    for tail, most in TEXTS.items():
        if way[-len(tail) :] == tail:
            yield from _too_long(place, value, most)
    most_of_list = LISTS.get(way[-2:])
    if most_of_list is not None and len(value) > most_of_list:
        yield f"{place}: {len(value)} of them", f"at most {most_of_list}, {_WHY}"
    if way[-1] == "RowIndex" and value > LOWEST_ROW:
        yield f"{place}: row {value}", f"at most {LOWEST_ROW}, {_WHY}; a row of a specification is three of these"


def _too_long(place: str, value: Any, most: int) -> Iterator[tuple[str, str]]:
    text = _text(value)
    if len(text) > most:
        yield f"{place}: {len(text)} characters, {text.removeprefix(_LONGEST_STACK).lstrip(': ')[:_SHOWN]}...", f"at most {most}, {_WHY}"


def _parts(node: Any, way: tuple[str, ...], place: str) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Everything below a node: the keys that lead to it, the same with the elements of lists, and what it is."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield (*way, key), f"{place}.{key}", child
            yield from _parts(child, (*way, key), f"{place}.{key}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from _parts(child, way, f"{place}[{(label(child) or str(number))[:_SHOWN]}]")


def _text(value: Any) -> str:
    text = value["Fn::Sub"] if isinstance(value, dict) else value
    return str(text).replace("${Name}", _LONGEST_STACK)
