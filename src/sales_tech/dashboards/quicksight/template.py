"""The template: `python -m sales_tech.dashboards.quicksight > infra/cloudformation/dashboards.yaml`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from sales_tech.dashboards.quicksight import access, datasets, theme
from sales_tech.dashboards.quicksight.definition import data_set_logical, definition
from sales_tech.dashboards.quicksight.feeds import REGION, feeds_of
from sales_tech.dashboards.quicksight.limits import excesses
from sales_tech.dashboards.quicksight.names import logical, slug
from sales_tech.dashboards.quicksight.words import Language, said
from sales_tech.dashboards.specification import Dashboard
from sales_tech.errors import ContractError, ContractErrors

_Made = dict[str, Any]
_QUOTED = re.compile(r"(!Ref|!GetAtt) '([\w.:]+)'")
MOST_BYTES = 1_000_000
HEADER = """\
# Generated from dashboards/*.yaml by `make dashboards`; a change made here is lost.
"""
_ON_OFF = {"AllowedValues": ["on", "off"]}
_TIME = {"AllowedPattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_PARAMETERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Name": ("String", "Name of the root stack; every name here begins with it.", {}),
    "KeyArn": ("String", "Key of the lake and of query results.", {}),
    "LakeBucket": ("String", "Bucket of the lake; who sees which region stands in it under dashboards/access/.", {}),
    "DatabasePrefix": ("String", "What the names of the databases begin with.", {}),
    "ScanLimitBytes": ("Number", "Bytes that one query may scan.", {}),
    "OwnerArn": ("String", "User or group of QuickSight that owns everything here, as an ARN.", {}),
    "ReaderArn": ("String", "User or group of QuickSight that reads the dashboards, as an ARN; empty lets nobody but the owner.", {}),
    "RowSecurity": ("String", "Whether readers see their own regions only, by the file under dashboards/access/.", _ON_OFF),
    "RefreshTime": ("String", "Time at which SPICE is loaded anew, after the night; such as 07:30.", _TIME),
    "RefreshTimeZone": ("String", "Time zone of that time.", {}),
    "Source": ("String", "Source that the dashboards show at first.", {}),
    "Currency": ("String", "ISO 4217 code that amounts of money are shown in.", {"AllowedPattern": "^[A-Z]{3}$"}),
}  # fmt: skip


def template(dashboards: list[Dashboard], language: Language = "pt") -> _Made:
    """The template of all dashboards, as plain data with the long form of CloudFormation's functions."""
    resources: _Made = {
        "QuickSightRole": access.role(_tables(dashboards, language)),
        "Workgroup": access.workgroup(),
        "Athena": datasets.data_source(),
        **datasets.rules_of_access(),
        "Theme": _theme(),
    }
    resources["RefreshRules"] = datasets.refresh(datasets.RULES, resources[datasets.RULES]["Properties"])
    open_to_all: list[str] = []
    for dashboard in dashboards:
        for feed, _ in feeds_of(dashboard, language):
            name = data_set_logical(dashboard, feed)
            resources[name] = datasets.data_set(dashboard.name, feed)
            resources[logical("Refresh", dashboard.name, feed.name)] = datasets.refresh(name, resources[name]["Properties"])
            if REGION not in feed.columns:
                open_to_all.append(f"{dashboard.name}/{slug(feed.name)}")
        resources |= _shown(dashboard, language)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Sales Tech, dashboards. What QuickSight shows of gold: data source, data sets, theme, analyses and dashboards.",
        "Parameters": {name: {"Type": kind, "Description": text, **rest} for name, (kind, text, rest) in _PARAMETERS.items()},
        "Conditions": {
            "HasReaders": {"Fn::Not": [{"Fn::Equals": [{"Ref": "ReaderArn"}, ""]}]},
            "Restricted": {"Fn::Equals": [{"Ref": "RowSecurity"}, "on"]},
        },
        "Resources": resources,
        "Outputs": {
            "RulesOfAccess": {
                "Description": "Where the file stands of who sees which region",
                "Value": {"Fn::Sub": f"s3://${{LakeBucket}}/{access.RULES_FOLDER}"},
            },
            "WithoutRegion": {
                "Description": "Data sets without a region, which every reader sees whole",
                "Value": ", ".join(open_to_all) or "none",
            },
        },
    }


def text(made: _Made) -> str:
    """The template as YAML, with the short form of CloudFormation's functions.

    Raises ContractError where QuickSight would refuse it for the length of a text or a number of things, and where it is greater than
    CloudFormation takes. `aws cloudformation package` writes it in longer lines than stand here, so those are what is measured.
    """
    mistakes = [ContractError(Path("dashboards"), None, found, expected) for found, expected in excesses(made)]
    if mistakes:
        raise mistakes[0] if len(mistakes) == 1 else ContractErrors(mistakes)
    packaged = yaml.dump(made, Dumper=_Plain, default_flow_style=False, allow_unicode=True)
    if (size := len(packaged.encode())) > MOST_BYTES:
        raise ContractError(Path("dashboards"), None, f"a template of {size} bytes", f"at most {MOST_BYTES}: take visuals or filters away")
    written = yaml.dump(made, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=140)
    return HEADER + _QUOTED.sub(r"\1 \2", written)


def _tables(dashboards: list[Dashboard], language: Language) -> set[str]:
    return {table for dashboard in dashboards for feed, _ in feeds_of(dashboard, language) for table in datasets.tables_of(feed)}


def _theme() -> _Made:
    return {
        "Type": "AWS::QuickSight::Theme",
        "Properties": {
            "AwsAccountId": {"Ref": "AWS::AccountId"},
            "ThemeId": {"Fn::Sub": "${Name}-theme"},
            "Name": {"Fn::Sub": "${Name}"},
            "BaseThemeId": "CLASSIC",
            "Configuration": theme.configuration(),
            "Permissions": access.permissions("AWS::QuickSight::Theme"),
        },
    }


def _shown(dashboard: Dashboard, language: Language) -> dict[str, _Made]:
    """The analysis and the dashboard of one specification."""
    found = {}
    for kind in ("Analysis", "Dashboard"):
        properties: _Made = {
            "AwsAccountId": {"Ref": "AWS::AccountId"},
            f"{kind}Id": {"Fn::Sub": f"${{Name}}-{slug(dashboard.name)}"},
            "Name": {"Fn::Sub": f"${{Name}}: {said(dashboard.title, language)}"},
            "ThemeArn": {"Fn::GetAtt": ["Theme", "Arn"]},
            "Permissions": access.permissions(f"AWS::QuickSight::{kind}"),
            "Definition": definition(dashboard, language),
        }
        if kind == "Dashboard":
            properties["DashboardPublishOptions"] = {
                "AdHocFilteringOption": {"AvailabilityStatus": "ENABLED"},
                "ExportToCSVOption": {"AvailabilityStatus": "ENABLED"},
                "SheetControlsOption": {"VisibilityState": "EXPANDED"},
            }
        found[logical(kind, dashboard.name)] = {"Type": f"AWS::QuickSight::{kind}", "Properties": properties}
    return found


class _Plain(yaml.SafeDumper):
    """Writes without aliases, which CloudFormation does not know."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never an alias."""
        return True


class _Dumper(_Plain):
    """Writes the functions of CloudFormation as tags, short mappings in one line, and long texts in lines."""


def _mapping(dumper: _Dumper, made: _Made) -> yaml.Node:
    if len(made) == 1:
        ((function, value),) = made.items()
        if function == "Ref" or function.startswith("Fn::"):
            tag = "!" + function.removeprefix("Fn::")
            if function == "Fn::GetAtt":
                return dumper.represent_scalar(tag, ".".join(value))
            if isinstance(value, str):
                return dumper.represent_scalar(tag, value, style="|" if "\n" in value else "")
            return dumper.represent_sequence(tag, value)
    return dumper.represent_mapping("tag:yaml.org,2002:map", made, flow_style=len(repr(made)) < 100)


def _sequence(dumper: _Dumper, made: list[Any]) -> yaml.Node:
    plain = all(isinstance(each, str | int | float) for each in made)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", made, flow_style=plain)


_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _sequence)
