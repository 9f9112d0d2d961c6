"""What a lake on AWS needs before anything runs, and what it says where that is missing."""

from __future__ import annotations

import hmac
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.aws.conftest import make_shelf
from tests.support.cloud_settings import CloudSettings
from tests.support.nights import HASH_KEY

from sales_tech.aws.cloud import CloudPlatform
from sales_tech.aws.connection import Connection
from sales_tech.engines.duck import open_engine
from sales_tech.errors import LakeError, SettingsError
from sales_tech.lake.store import Lake
from sales_tech.platform import platform_of
from sales_tech.ports import hash_key_id

AWS_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE")


@pytest.fixture
def nothing_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No region and no credentials, whoever runs the test."""
    for variable in AWS_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("nothing_known")
def test_a_missing_region_or_missing_credentials_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="no AWS region is set; expected AWS_REGION"):
        Connection()
    monkeypatch.setenv("AWS_REGION", "sa-east-1")
    with pytest.raises(SettingsError, match=r"no AWS credentials were found; expected a role, a profile"):
        Connection()


@pytest.mark.usefixtures("nothing_known")
def test_credentials_that_arrow_would_not_find_are_handed_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.dumps({"Version": 1, "AccessKeyId": "AKIATEST", "SecretAccessKey": "of the test", "SessionToken": "token"})
    (tmp_path / "found.json").write_text(found)
    config = f"[default]\nregion = sa-east-1\ncredential_process = cat {tmp_path}/found.json\n"
    (tmp_path / "config").write_text(config)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    handed = Connection()
    assert (handed.region, handed.renews_itself) == ("sa-east-1", False)
    assert handed.iceberg["s3.session-token"] == "token"


@pytest.mark.usefixtures("nothing_known")
@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("mistyped", r"The config profile \(mistyped\) could not be found"),
        ("signed_out", "Error loading SSO Token: Token for ours does not exist"),
        ("refusing", "Error when retrieving credentials from custom-process"),
        ("half", "Partial credentials found in assume-role, missing: source_profile or credential_source"),
    ],
)
def test_a_profile_that_cannot_be_used_is_told_with_what_to_do(
    profile: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = {
        "signed_out": "sso_session = ours\nsso_account_id = 123456789012\nsso_role_name = reader",
        "refusing": "credential_process = false",
        "half": "role_arn = arn:aws:iam::123456789012:role/reader",
    }
    session = "[sso-session ours]\nsso_region = sa-east-1\nsso_start_url = https://ours.awsapps.com/start\n"
    session += "sso_registration_scopes = sso:account:access\n"
    (tmp_path / "config").write_text(session + "".join(f"[profile {name}]\n{text}\n" for name, text in profiles.items()))
    for variable, value in {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": profile, "AWS_REGION": "sa-east-1"}.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"^AWS cannot be used as it is set up: {words}; expected a profile .*`aws sso login`"):
        Connection()


@pytest.mark.parametrize("package", ["boto3", "awswrangler"])
def test_packages_that_are_not_installed_are_named_with_their_extra(package: str) -> None:
    code = f"""
import sys
sys.modules[{package!r}] = None
from pathlib import Path
from sales_tech.engines.duck import open_engine
from sales_tech.errors import SettingsError
from sales_tech.platform import platform_of
from sales_tech.settings import Aws, Settings
try:
    platform_of(Settings("s3://lake/lake", "s3://landing", (), aws=Aws("salestech_x_", "x"))).warehouse
except SettingsError as error:
    print(error)
"""
    environment = {"AWS_REGION": "sa-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "PYTHONPATH": ":".join(sys.path)}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=True).stdout
    assert told == f"the lake on AWS needs {package}, which is not installed; run `pip install 'sales-tech[aws]'`\n"


def test_a_local_lake_loads_no_package_of_aws() -> None:
    code = (
        "import sys, sales_tech.lake.query, sales_tech.orchestration.pipeline\n"
        "print(sorted({'boto3', 'awswrangler', 'sales_tech.aws.platform'} & set(sys.modules)))"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=True).stdout
    assert told == "[]\n"


def test_a_new_stack_has_no_lake_until_its_first_table(aws: CloudSettings, platform: CloudPlatform) -> None:
    assert not platform.exists
    assert Lake(aws).tables() == []
    make_shelf(aws)
    assert platform.exists


def test_the_tables_of_a_stack_lie_in_its_own_databases_and_below_its_lake(shelf: Any, platform: CloudPlatform) -> None:
    aws = shelf.settings
    prefix = aws.aws.database_prefix
    table = aws.cloud.client("glue").get_table(DatabaseName=f"{prefix}silver", Name="shelf")["Table"]
    assert table["Parameters"]["metadata_location"].startswith(f"{aws.lake}/tables/silver/shelf/metadata/")
    described = {column["Name"]: column.get("Comment") for column in table["StorageDescriptor"]["Columns"]}
    assert described == {"sku": "Product", "put_at": "When it was put there"}, "a reader of the Glue catalog sees what each column means"
    assert platform.table((f"{prefix}silver", "sales")) == "silver.sales"
    assert platform.table(("another_stack_silver", "sales")) is None
    assert platform.table((f"{prefix}scratch", "sales")) is None
    other = replace(aws, aws=replace(aws.aws, database_prefix=f"{prefix}b_"))
    assert Lake(other).tables() == []


def test_the_tables_of_one_lake_are_no_other_lake_s(shelf: Any, aws: CloudSettings) -> None:
    other = Lake(replace(aws.land(), lake=f"{aws.lake}2"))
    with pytest.raises(LakeError, match=rf"lies at {aws.lake}/tables/silver/shelf, and the lake is {aws.lake}2; expected the lake whose"):
        other.table("silver.shelf")


def test_a_table_goes_into_the_database_that_the_stack_made(aws: CloudSettings) -> None:
    database = {"Name": f"{aws.aws.database_prefix}silver", "Description": "made by the stack"}
    aws.cloud.client("glue").create_database(DatabaseInput=database)
    assert make_shelf(aws).rows() == 2
    assert aws.cloud.client("glue").get_database(Name=database["Name"])["Database"]["Description"] == "made by the stack"


def test_no_object_stands_for_a_folder(shelf: Any) -> None:
    bucket = shelf.settings.lake.split("/")[2]
    keys = [entry["Key"] for entry in shelf.settings.cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys
    assert [key for key in keys if key.endswith("/")] == []


def secret(aws: CloudSettings, **content: str | bytes) -> str:
    return aws.cloud.client("secretsmanager").create_secret(Name=f"{aws.aws.workgroup}-hash-key", **content)["ARN"]


def with_secret(aws: CloudSettings, name: str | None) -> CloudPlatform:
    settings = aws.land()
    return CloudPlatform(replace(settings, aws=replace(settings.aws, hash_key_secret=name)))


def test_the_hash_key_is_that_of_the_secret_unless_one_is_given(aws: CloudSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = with_secret(aws, secret(aws, SecretString="a key of the stack\n"))
    assert platform.hash_key() == HASH_KEY.encode()
    monkeypatch.delenv("SALES_TECH_HASH_KEY")
    assert platform.hash_key() == b"a key of the stack"
    assert len(hash_key_id(platform)) == 8


def test_a_secret_may_hold_bytes(aws: CloudSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SALES_TECH_HASH_KEY")
    assert with_secret(aws, secret(aws, SecretBinary=b"\x01\x02")).hash_key() == b"\x01\x02"


def test_a_hash_key_that_is_nowhere_is_told(aws: CloudSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SALES_TECH_HASH_KEY")
    with pytest.raises(SettingsError, match="expected SALES_TECH_HASH_KEY_SECRET to name a secret"):
        with_secret(aws, None).hash_key()
    with pytest.raises(SettingsError, match="SALES_TECH_HASH_KEY_SECRET names 'nothing', which is no secret in sa-east-1"):
        with_secret(aws, "nothing").hash_key()
    with pytest.raises(SettingsError, match="is empty; expected the key"):
        with_secret(aws, secret(aws, SecretString=" ")).hash_key()


def test_an_engine_hashes_with_the_key_of_the_secret(aws: CloudSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SALES_TECH_HASH_KEY")
    keyed = replace(aws, aws=replace(aws.aws, hash_key_secret=secret(aws, SecretString="a key of the stack")))
    with open_engine(keyed, hashing=True) as engine:
        assert engine.row("select keyed_hash('x')") == (hmac.new(b"a key of the stack", b"x", "sha256").hexdigest()[:32],)


def test_a_runs_folder_is_published_below_the_lake(aws: CloudSettings, platform: CloudPlatform, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "20260301T020000-1a2b3c"
    (run / "02_silver").mkdir(parents=True)
    (run / "silver-sales.json").write_text("{}")
    (run / "02_silver" / "sales.ipynb").write_text("{}")
    (run / "02_silver" / "sales.html").write_text("<p>")
    platform.publish(run)
    names = sorted(entry.name for entry in platform.lake.entries("runs"))
    assert names == [f"runs/{run.name}/{name}" for name in ("02_silver/sales.html", "02_silver/sales.ipynb", "silver-sales.json")]
    page = aws.cloud.client("s3").head_object(Bucket=aws.lake.split("/")[2], Key=f"lake/{names[0]}")
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert (run / "silver-sales.json").exists()


def test_one_process_shares_one_platform(aws: CloudSettings) -> None:
    settings = aws.land()
    assert platform_of(settings) is platform_of(settings)


def test_a_bucket_that_is_not_there_is_told(aws: CloudSettings) -> None:
    lost = CloudPlatform(replace(aws.land(), landing="s3://salestech-nowhere"))
    assert not lost.landing.exists()
    with pytest.raises(LakeError, match=r"listing s3://salestech-nowhere/ failed: NoSuchBucket: .*; check SALES_TECH_LAKE and"):
        list(lost.landing.entries())
