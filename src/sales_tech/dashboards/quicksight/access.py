"""Who may do what: the actions that each kind of object needs, and what QuickSight itself may read.

An object whose permissions lack one of these actions is not shown to its owner. Source: "Actions, resources, and condition keys for
Amazon QuickSight" and the examples of UpdateDashboardPermissions and its likes in the API reference.
"""

from __future__ import annotations

from typing import Any

RULES_FOLDER, RESULTS_FOLDER = "dashboards/access/", "dashboards/results/"

OWNER: dict[str, tuple[str, ...]] = {
    "AWS::QuickSight::DataSource": (
        "DeleteDataSource", "DescribeDataSource", "DescribeDataSourcePermissions", "PassDataSource", "UpdateDataSource",
        "UpdateDataSourcePermissions",
    ),
    "AWS::QuickSight::DataSet": (
        "CancelIngestion", "CreateIngestion", "CreateRefreshSchedule", "DeleteDataSet", "DeleteDataSetRefreshProperties",
        "DeleteRefreshSchedule", "DescribeDataSet", "DescribeDataSetPermissions", "DescribeDataSetRefreshProperties", "DescribeIngestion",
        "DescribeRefreshSchedule", "ListIngestions", "ListRefreshSchedules", "PassDataSet", "PutDataSetRefreshProperties", "UpdateDataSet",
        "UpdateDataSetPermissions", "UpdateRefreshSchedule",
    ),
    "AWS::QuickSight::Theme": (
        "CreateThemeAlias", "DeleteTheme", "DeleteThemeAlias", "DescribeTheme", "DescribeThemeAlias", "DescribeThemePermissions",
        "ListThemeAliases", "ListThemeVersions", "UpdateTheme", "UpdateThemeAlias", "UpdateThemePermissions",
    ),
    "AWS::QuickSight::Analysis": (
        "DeleteAnalysis", "DescribeAnalysis", "DescribeAnalysisPermissions", "QueryAnalysis", "RestoreAnalysis", "UpdateAnalysis",
        "UpdateAnalysisPermissions",
    ),
    "AWS::QuickSight::Dashboard": (
        "DeleteDashboard", "DescribeDashboard", "DescribeDashboardPermissions", "ListDashboardVersions", "QueryDashboard",
        "UpdateDashboard", "UpdateDashboardPermissions", "UpdateDashboardPublishedVersion",
    ),
}  # fmt: skip
VIEWER: dict[str, tuple[str, ...]] = {
    "AWS::QuickSight::Theme": ("DescribeTheme", "DescribeThemeAlias", "ListThemeAliases", "ListThemeVersions"),
    "AWS::QuickSight::Dashboard": ("DescribeDashboard", "ListDashboardVersions", "QueryDashboard"),
}


def permissions(kind: str) -> list[Any]:
    """The permissions of an object of a kind: all of the owner's, and the reader's where the template is given readers."""
    granted: list[Any] = [_granted("OwnerArn", OWNER[kind])]
    if kind in VIEWER:
        granted.append({"Fn::If": ["HasReaders", _granted("ReaderArn", VIEWER[kind]), {"Ref": "AWS::NoValue"}]})
    return granted


def role(tables: set[str]) -> dict[str, Any]:
    """The role by which QuickSight asks Athena: the tables that dashboards read, the rules of access, and nothing else of the lake."""
    bucket = "arn:${AWS::Partition}:s3:::${LakeBucket}"
    glue = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:"
    athena = "arn:${AWS::Partition}:athena:${AWS::Region}:${AWS::AccountId}:"
    read = sorted(tables)
    layers = sorted({name.partition(".")[0] for name in read})
    folders = [f"lake/tables/{name.replace('.', '/')}/*" for name in read] + [f"{RULES_FOLDER}*"]
    seen = [f"database/${{DatabasePrefix}}{layer}" for layer in layers] + ["database/${Access}", "table/${Access}/dashboard_access"]
    seen += [f"table/${{DatabasePrefix}}{name.replace('.', '/')}" for name in read]
    statements = [
        _statement(
            "AskAthena",
            ["athena:BatchGetQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults", "athena:GetQueryResultsStream",
             "athena:GetWorkGroup", "athena:ListQueryExecutions", "athena:StartQueryExecution", "athena:StopQueryExecution"],
            [f"{athena}workgroup/${{Name}}-dashboards"],
        ),
        _statement(
            "SeeTheCatalog",
            ["athena:GetDataCatalog", "athena:GetDatabase", "athena:GetTableMetadata", "athena:ListDatabases", "athena:ListTableMetadata"],
            [f"{athena}datacatalog/AwsDataCatalog"],
        ),
        _statement(
            "SeeTables",
            ["glue:GetDatabase", "glue:GetDatabases", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"],
            [f"{glue}{each}" for each in ("catalog", *seen)],
        ),
        # Whatever a query names, Athena asks for this one first, and makes it where an account has none.
        _statement("FindTheDefaultDatabase", ["glue:CreateDatabase", "glue:GetDatabase"], [f"{glue}catalog", f"{glue}database/default"]),
        _statement("FindTheBucket", ["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"], [bucket]),
        _statement("SeeFiles", ["s3:ListBucket"], [bucket])
        | {"Condition": {"StringLike": {"s3:prefix": [*folders, f"{RESULTS_FOLDER}*"]}}},
        _statement("ReadFiles", ["s3:GetObject"], [f"{bucket}/{folder}" for folder in folders]),
        _statement(
            "KeepResults",
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
            [f"{bucket}/{RESULTS_FOLDER}*"],
        ),
        {"Sid": "UseTheKey", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": {"Ref": "KeyArn"},
         "Condition": {"StringEquals": {"kms:ViaService": {"Fn::Sub": "s3.${AWS::Region}.amazonaws.com"}}}},
    ]  # fmt: skip
    trust = {"Effect": "Allow", "Principal": {"Service": "quicksight.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": {"Fn::Sub": "${Name}-dashboards-${AWS::Region}"},
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "read", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}],
        },
    }


def workgroup() -> dict[str, Any]:
    """The Athena workgroup of QuickSight alone: its results tell of regions and users, which analysts need not see."""
    return {
        "Type": "AWS::Athena::WorkGroup",
        "Properties": {
            "Name": {"Fn::Sub": "${Name}-dashboards"},
            "Description": "Queries of QuickSight, whose results lie apart",
            "State": "ENABLED",
            "RecursiveDeleteOption": True,
            "WorkGroupConfiguration": {
                "EnforceWorkGroupConfiguration": True,
                "PublishCloudWatchMetricsEnabled": True,
                "BytesScannedCutoffPerQuery": {"Ref": "ScanLimitBytes"},
                "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
                "ResultConfiguration": {
                    "OutputLocation": {"Fn::Sub": f"s3://${{LakeBucket}}/{RESULTS_FOLDER}"},
                    "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": {"Ref": "KeyArn"}},
                    "ExpectedBucketOwner": {"Ref": "AWS::AccountId"},
                },
            },
        },
    }


def _granted(parameter: str, actions: tuple[str, ...]) -> dict[str, Any]:
    return {"Principal": {"Ref": parameter}, "Actions": [f"quicksight:{action}" for action in actions]}


def _statement(name: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": [{"Fn::Sub": resource} for resource in resources]}
