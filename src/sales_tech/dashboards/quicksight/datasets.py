"""The data source on Athena, the data sets that SPICE loads from it after the night, and who sees which region of them."""

from __future__ import annotations

import re
from typing import Any

from sales_tech.contracts.table import table_names
from sales_tech.dashboards.quicksight.access import RULES_FOLDER, permissions
from sales_tech.dashboards.quicksight.feeds import REGION, Feed
from sales_tech.dashboards.quicksight.names import identifier, slug

_Made = dict[str, Any]
_TABLES = re.compile(r"\b(gold|silver)\.(" + "|".join(sorted({name.partition(".")[2] for name in table_names()})) + r")\b")
RULES = "Rules"


def data_source() -> _Made:
    """Athena, asked by the template's own role."""
    return {
        "Type": "AWS::QuickSight::DataSource",
        "Properties": {
            "AwsAccountId": {"Ref": "AWS::AccountId"},
            "DataSourceId": {"Fn::Sub": "${Name}-athena"},
            "Name": {"Fn::Sub": "${Name}: Athena"},
            "Type": "ATHENA",
            "DataSourceParameters": {
                "AthenaParameters": {"WorkGroup": {"Ref": "Workgroup"}, "RoleArn": {"Fn::GetAtt": ["QuickSightRole", "Arn"]}}
            },
            "SslProperties": {"DisableSsl": False},
            "Permissions": permissions("AWS::QuickSight::DataSource"),
        },
    }


def data_set(dashboard: str, feed: Feed) -> _Made:
    """The data set of a feed: a gold table, or a select over some, with the columns that its visuals use."""
    columns = [{"Name": name, "Type": kind, **({"SubType": "FLOAT"} if kind == "DECIMAL" else {})} for name, kind in feed.columns.items()]
    transforms: list[_Made] = [
        {
            "CreateColumnsOperation": {
                "Columns": [{"ColumnName": name, "ColumnId": identifier(dashboard, feed.name, name), "Expression": expression}]
            }
        }
        for name, expression in feed.added.items()
    ]
    transforms += [
        {"TagColumnOperation": {"ColumnName": name, "Tags": [{"ColumnGeographicRole": "STATE"}]}}
        for name in feed.columns
        if name == "state" or name.endswith("_state")
    ]
    made = _loaded(identifier(dashboard, "data", feed.name), f"{dashboard}, {feed.name}", _physical(feed, columns), transforms)
    if REGION in feed.columns:
        rules = {
            "Arn": {"Fn::GetAtt": [RULES, "Arn"]},
            "FormatVersion": "VERSION_1",
            "PermissionPolicy": "GRANT_ACCESS",
            "Status": "ENABLED",
        }
        made["Properties"]["RowLevelPermissionDataSet"] = {"Fn::If": ["Restricted", rules, {"Ref": "AWS::NoValue"}]}
    return made


def refresh(data_set_logical: str, properties: _Made) -> _Made:
    """The nightly reload of a data set."""
    return {
        "Type": "AWS::QuickSight::RefreshSchedule",
        "DependsOn": data_set_logical,
        "Properties": {
            "AwsAccountId": {"Ref": "AWS::AccountId"},
            "DataSetId": properties["DataSetId"],
            "Schedule": {
                "ScheduleId": "after-the-night",
                "RefreshType": "FULL_REFRESH",
                "ScheduleFrequency": {"Interval": "DAILY", "TimeOfTheDay": {"Ref": "RefreshTime"}, "TimeZone": {"Ref": "RefreshTimeZone"}},
            },
        },
    }


def rules_of_access() -> dict[str, _Made]:
    """The table of who sees which region, a CSV in the lake's bucket that people keep, and its data set.

    A row without a region lets its user or group see all; who has no row sees nothing.
    """
    columns = ("username", "groupname", REGION)
    table = {
        "Type": "AWS::Glue::Table",
        "Properties": {
            "CatalogId": {"Ref": "AWS::AccountId"},
            "DatabaseName": {"Ref": "Access"},
            "TableInput": {
                "Name": "dashboard_access",
                "Description": "Which user or group of QuickSight sees which sales region; no region is all of them",
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"classification": "csv", "skip.header.line.count": "1"},
                "StorageDescriptor": {
                    "Columns": [{"Name": name, "Type": "string"} for name in columns],
                    "Location": {"Fn::Sub": f"s3://${{LakeBucket}}/{RULES_FOLDER}"},
                    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"},
                },
            },
        },
    }
    database = {
        "Type": "AWS::Glue::Database",
        "Properties": {
            "CatalogId": {"Ref": "AWS::AccountId"},
            "DatabaseInput": {"Name": {"Fn::Sub": "${DatabasePrefix}dashboards"}, "Description": "Who sees what in the dashboards"},
        },
    }
    # A field of a CSV that is empty is no null, and only null stands for all regions.
    selected = ", ".join(f"nullif({name}, '') as {name}" for name in columns)
    physical = {
        "CustomSql": {
            "DataSourceArn": {"Fn::GetAtt": ["Athena", "Arn"]},
            "Name": "access",
            "SqlQuery": {"Fn::Sub": f"select {selected} from ${{Access}}.dashboard_access"},
            "Columns": [{"Name": name, "Type": "STRING"} for name in columns],
        }
    }
    # Athena has no capitals in names; QuickSight looks for these two.
    renamed = [
        {"RenameColumnOperation": {"ColumnName": old, "NewColumnName": new}}
        for old, new in (("username", "UserName"), ("groupname", "GroupName"))
    ]
    made = _loaded("access", "access", physical, renamed)
    made["DependsOn"] = "AccessTable"
    made["Properties"]["UseAs"] = "RLS_RULES"
    return {"Access": database, "AccessTable": table, RULES: made}


def tables_of(feed: Feed) -> set[str]:
    """The tables of the lake that a feed reads."""
    return {feed.table} if feed.sql is None else {".".join(found) for found in _TABLES.findall(feed.sql)}


def _loaded(name: str, title: str, physical: _Made, transforms: list[_Made]) -> _Made:
    table = identifier(name, "table")
    return {
        "Type": "AWS::QuickSight::DataSet",
        "Properties": {
            "AwsAccountId": {"Ref": "AWS::AccountId"},
            "DataSetId": {"Fn::Sub": f"${{Name}}-{name}"},
            "Name": {"Fn::Sub": f"${{Name}}: {title}"},
            "ImportMode": "SPICE",
            # Else a table that no night has made yet, or a column that the next one adds, would fail the deploy.
            "IngestionWaitPolicy": {"WaitForSpiceIngestion": False},
            "PhysicalTableMap": {table: physical},
            "LogicalTableMap": {
                f"{table}-shown": {
                    "Alias": slug(title),
                    "Source": {"PhysicalTableId": table},
                    **({"DataTransforms": transforms} if transforms else {}),
                }
            },
            "Permissions": permissions("AWS::QuickSight::DataSet"),
        },
    }


def _physical(feed: Feed, columns: list[_Made]) -> _Made:
    source = {"Fn::GetAtt": ["Athena", "Arn"]}
    if feed.sql is None:
        layer, _, name = feed.table.partition(".")
        schema = {"Fn::Sub": f"${{DatabasePrefix}}{layer}"}
        return {
            "RelationalTable": {
                "DataSourceArn": source,
                "Catalog": "AwsDataCatalog",
                "Schema": schema,
                "Name": name,
                "InputColumns": columns,
            }
        }
    sql = _TABLES.sub(r"${DatabasePrefix}\1.\2", feed.sql)
    return {"CustomSql": {"DataSourceArn": source, "Name": slug(feed.name), "SqlQuery": {"Fn::Sub": sql}, "Columns": columns}}
