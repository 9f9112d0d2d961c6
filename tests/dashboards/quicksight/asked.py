"""What a visual of the template asks, as SQL that is read out of the template alone: its data set, fields, filters and order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

_PIECE = re.compile(r"\$\{(\w+)\}|\{([^{}]*)\}|'([^']*)'|(\w+)(\()?|(<>|<=|>=|.)", re.DOTALL)
_PLAIN = {"sum": "sum", "now": "now"}


@dataclass(frozen=True)
class Asking:
    """A definition of the template and what is chosen in its controls: texts by parameter, and the months."""

    template: Mapping[str, Any]
    definition: Mapping[str, Any]
    texts: Mapping[str, Sequence[str]]
    months: Mapping[str, date]

    def question(self, sheet: str, visual: Mapping[str, Any]) -> str:
        """The rows of a visual: its dimensions, then its values, as its wells name them."""
        ((kind, body),) = visual.items()
        wells = body["ChartConfiguration"]["FieldWells"]
        fields = [field for well in _lists(wells) for field in well]
        owner = next(iter(fields[0].values()))["Column"]["DataSetIdentifier"]
        columns = {}
        grouped, order = [], {}
        for made in fields:
            ((form, field),) = made.items()
            sql = self._field(owner, form, field)
            columns[field["FieldId"]] = sql
            if form != "NumericalMeasureField":
                grouped.append(sql)
        for key, entry in self._sorts(body["ChartConfiguration"].get("SortConfiguration", {})):
            if "FieldSort" in entry:
                order[columns[entry["FieldSort"]["FieldId"]]] = entry["FieldSort"]["Direction"]
            elif key:
                by = entry["ColumnSort"]
                assert by["AggregationFunction"]["NumericalAggregationFunction"] == {"SimpleNumericalAggregation": "MIN"}
                order[f"min({self._expression(owner, '{' + by['SortBy']['ColumnName'] + '}')})"] = by["Direction"]
        text = f"select {', '.join(columns.values())}\nfrom ({self._rows(owner)}) as t"
        filters = self._filters(sheet, body["VisualId"], owner)
        if filters:
            text += f"\nwhere {' and '.join(filters)}"
        if grouped:
            text += f"\ngroup by {', '.join(grouped)}"
        if order:
            text += "\norder by " + ", ".join(f"{sql} {direction} nulls last" for sql, direction in order.items())
        return text + self._limit(kind, body["ChartConfiguration"])

    def _field(self, owner: str, form: str, field: Mapping[str, Any]) -> str:
        assert field["Column"]["DataSetIdentifier"] == owner
        sql = self._expression(owner, "{" + field["Column"]["ColumnName"] + "}")
        if form == "DateDimensionField":
            return f"cast(date_trunc('{field['DateGranularity'].lower()}', {sql}) as date)"
        if "AggregationFunction" in field:
            assert field["AggregationFunction"] == {"SimpleNumericalAggregation": "SUM"}
            return f"sum(cast({sql} as double))"
        return sql

    def _rows(self, owner: str) -> str:
        """The data set as QuickSight loads it."""
        (arn,) = (each["DataSetArn"] for each in self.definition["DataSetIdentifierDeclarations"] if each["Identifier"] == owner)
        properties = self.template["Resources"][arn["Fn::GetAtt"][0]]["Properties"]
        (physical,) = properties["PhysicalTableMap"].values()
        ((kind, body),) = physical.items()
        if kind == "CustomSql":
            sql = body["SqlQuery"]["Fn::Sub"].replace("${DatabasePrefix}", "")
            columns = [column["Name"] for column in body["Columns"]]
        else:
            schema = body["Schema"]["Fn::Sub"].replace("${DatabasePrefix}", "")
            sql, columns = f"select * from {schema}.{body['Name']}", [column["Name"] for column in body["InputColumns"]]
        (logical,) = properties["LogicalTableMap"].values()
        created = [
            f"{self._expression(owner, each['Expression'])} as {each['ColumnName']}"
            for transform in logical.get("DataTransforms", [])
            for each in transform.get("CreateColumnsOperation", {}).get("Columns", [])
        ]
        return f"select {', '.join([*columns, *created])}\nfrom ({sql}) as s"

    def _filters(self, sheet: str, visual: str, owner: str) -> list[str]:
        found = []
        for group in self.definition["FilterGroups"]:
            scopes = group["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"]
            here = [each for each in scopes if each["SheetId"] == sheet]
            (body,) = (each for one in group["Filters"] for each in one.values())
            covers = any(each["Scope"] == "ALL_VISUALS" or visual in each["VisualIds"] for each in here)
            if not covers or body["Column"]["DataSetIdentifier"] != owner:
                continue
            column = body["Column"]["ColumnName"]
            if "Configuration" in body:
                chosen = self.texts.get(body["Configuration"]["CustomFilterConfiguration"]["ParameterName"], ())
                if chosen:
                    found.append(f"{column} in ({', '.join(_quoted(text) for text in chosen)})")
            else:
                assert (body["IncludeMinimum"], body["IncludeMaximum"], body["TimeGranularity"]) == (True, True, "MONTH")
                ends = [self.months[body[end]["Parameter"]] for end in ("RangeMinimumValue", "RangeMaximumValue")]
                found.append(f"date_trunc('month', {column}) between date '{ends[0]}' and date '{ends[1]}'")
        return found

    def _sorts(self, node: Any, key: str = "") -> list[tuple[str, Any]]:
        if isinstance(node, dict) and ({"FieldSort", "ColumnSort"} & node.keys()):
            return [(key, node)]
        if isinstance(node, dict):
            return [found for name, child in node.items() for found in self._sorts(child, name)]
        return [found for child in node for found in self._sorts(child, key)] if isinstance(node, list) else []

    def _limit(self, kind: str, configuration: Mapping[str, Any]) -> str:
        sort = configuration.get("SortConfiguration", {})
        if kind == "TableVisual":
            return f"\nlimit {sort['PaginationConfiguration']['PageSize']}"
        if "CategoryItemsLimit" in sort:
            assert sort["CategoryItemsLimit"]["OtherCategories"] == "EXCLUDE"
            return f"\nlimit {sort['CategoryItemsLimit']['ItemsLimit']}"
        return ""

    def _expression(self, owner: str, text: str) -> str:
        """An expression of QuickSight in Athena's SQL."""
        pieces = [match for match in _PIECE.finditer(text) if not match.group().isspace()]
        sql, rest = self._parsed(owner, pieces)
        assert not rest, text
        return sql

    def _parsed(self, owner: str, pieces: list[re.Match[str]]) -> tuple[str, list[re.Match[str]]]:
        out: list[str] = []
        while pieces:
            parameter, field, literal, word, called, sign = pieces[0].groups()
            if sign in (",", ")"):
                break
            pieces = pieces[1:]
            if sign == "(":
                inner, pieces = self._parsed(owner, pieces)
                out.append(f"({inner})")
                pieces = pieces[1:]
            elif called:
                arguments = []
                while True:
                    inner, pieces = self._parsed(owner, pieces)
                    arguments.append(inner)
                    end, pieces = pieces[0].group(), pieces[1:]
                    if end == ")":
                        break
                out.append(_called(word, [each for each in arguments if each]))
            elif parameter:
                out.append(f"date '{self.months[parameter]}'")
            elif field is not None:
                calculated = [
                    each for each in self.definition["CalculatedFields"] if (each["DataSetIdentifier"], each["Name"]) == (owner, field)
                ]
                out.append(f"({self._expression(owner, calculated[0]['Expression'])})" if calculated else field)
            else:
                out.append(_quoted(literal) if literal is not None else word or sign)
        return " ".join(out), pieces


def _called(name: str, arguments: list[str]) -> str:
    match name:
        case "ifelse":
            pairs = zip(arguments[:-1:2], arguments[1:-1:2], strict=True)
            return f"(case {' '.join(f'when {test} then {value}' for test, value in pairs)} else {arguments[-1]} end)"
        case "switch":
            pairs = zip(arguments[1:-1:2], arguments[2:-1:2], strict=True)
            return f"(case {arguments[0]} {' '.join(f'when {test} then {value}' for test, value in pairs)} else {arguments[-1]} end)"
        case "sum":
            return f"cast(sum({arguments[0]}) as double)"
        case "sumIf":
            return f"cast(sum(case when {arguments[1]} then {arguments[0]} end) as double)"
        case "isNull":
            return f"({arguments[0]} is null)"
        case "toString":
            return f"cast({arguments[0]} as varchar)"
        case "truncDate" | "dateDiff" | "addDateTime":
            assert "'MM'" in arguments
            plain = [each for each in arguments if each != "'MM'"]
            function = {"truncDate": "date_trunc", "dateDiff": "date_diff", "addDateTime": "date_add"}[name]
            return f"{function}('month', {', '.join(plain)})"
    raise AssertionError(f"no SQL for {name}")


def _lists(node: Any) -> list[list[dict[str, Any]]]:
    if isinstance(node, dict):
        return [found for child in node.values() for found in _lists(child)]
    return [node]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
