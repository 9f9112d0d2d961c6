"""The night as a SageMaker Processing job runs it: the wheel alone, the container's folders, an environment, no source tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cloud import Cloud
from tests.support.cloud_settings import CloudSettings
from tests.support.container import Container, install_wheel
from tests.support.events import cancelled, land_events, placed
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import cloud_settings_in, read

from sales_tech.settings import Settings


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of the wheel."""
    return install_wheel(tmp_path_factory.mktemp("image"))


@pytest.fixture
def stack(cloud: Cloud, tmp_path: Path) -> CloudSettings:
    """Buckets, a workgroup and a secret, with files and events in the landing bucket."""
    shown = cloud_settings_in(tmp_path / "shown", cloud, "erp_br")
    land_reference(shown.landing, "A")
    land_erp(shown.landing, "vendas_2026_01", sale("P1"), sale("P2"), sale("P3", quantidade="dois"))
    land_events(shown.landing, placed("P2"), placed("P4"), cancelled("P1"))
    shown.land()
    kept = {"SecretString": "a key that is only in the secret"}  # pragma: allowlist secret
    cloud.client("secretsmanager").create_secret(Name=shown.bucket, **kept)
    return shown


def environment(stack: CloudSettings) -> dict[str, str]:
    assert stack.cloud is not None
    assert stack.aws is not None
    return stack.cloud.environment | {
        "SALES_TECH_ENV": "aws",
        "SALES_TECH_LAKE": str(stack.lake),
        "SALES_TECH_LANDING": f"s3://{stack.bucket}",
        "SALES_TECH_DATABASE_PREFIX": stack.aws.database_prefix,
        "SALES_TECH_WORKGROUP": stack.aws.workgroup,
        "SALES_TECH_HASH_KEY_SECRET": stack.bucket,
    }


@pytest.fixture
def lake(stack: CloudSettings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment(stack).items():
        monkeypatch.setenv(name, value)
    return stack


def test_a_night_completes_with_the_wheel_alone(installed: Path, stack: CloudSettings, lake: Settings, tmp_path: Path) -> None:
    container = Container(installed, tmp_path / "root")
    done = container.run(**environment(stack))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert container.message is None
    lines = sorted((row["order_id"], row["status"]) for row in read(lake, "silver.sales"))
    assert lines == [("P1", "cancelled"), ("P2", "sold"), ("P4", "sold")]
    assert len(read(lake, "gold.kpis_daily")) == 1
    (entry,) = read(lake, "gold.pipeline_runs")
    assert (entry["outcome"], entry["steps"]) == ("succeeded", 8)
    assert stack.cloud is not None
    listed = stack.cloud.client("s3").list_objects_v2(Bucket=str(stack.lake).split("/")[2], Prefix="lake/runs/")["Contents"]
    kept = {found["Key"].partition(entry["run_id"] + "/")[2] for found in listed}
    assert {"01_ingest/order_events.html", "02_silver/sales.ipynb", "03_gold/sales.html"} <= kept
    secret = "a key that is only in the secret"  # pragma: allowlist secret
    # The same command line answers through Athena, and knows that there is nothing to do.
    asked = container.run("query", "select order_id, status from silver.sales order by order_id", "--format", "csv", **environment(stack))
    assert asked.stdout == "order_id,status\nP1,cancelled\nP2,sold\nP4,sold\n", asked.stderr
    planned = container.run("plan", **environment(stack))
    assert planned.stdout.count("up to date") == 9
    assert not any(secret in path.read_text(errors="replace") for path in container.root.rglob("*") if path.is_file())


def test_a_user_who_may_not_write_below_the_base_works_elsewhere(installed: Path, stack: CloudSettings, tmp_path: Path) -> None:
    container = Container(installed, tmp_path / "root")
    closed = tmp_path / "closed"
    closed.write_text("a file where a folder should be: nobody, not even root, makes one below it")
    variables = {"SAGEMAKER_BASE_DIR": str(closed), "TMPDIR": str(tmp_path), "SALES_TECH_LANDING": "s3://no-such-bucket-at-all"}
    done = container.run(**environment(stack) | variables)
    assert done.returncode == 1
    assert "working in" in done.stdout
    assert "no-such-bucket-at-all" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_night_that_fails_says_why_in_its_message_and_by_its_exit_code(installed: Path, stack: CloudSettings, tmp_path: Path) -> None:
    container = Container(installed, tmp_path / "root")
    done = container.run(**environment(stack) | {"SALES_TECH_LANDING": "s3://no-such-bucket-at-all"})
    assert done.returncode == 1
    assert container.message is not None
    assert "no-such-bucket-at-all" in container.message
