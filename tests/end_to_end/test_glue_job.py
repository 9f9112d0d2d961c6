"""The job of AWS Glue as Glue starts it: the script by spark-submit with the job's arguments, and nothing but the wheel."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest
from tests.support.container import install_wheel
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import REPOSITORY, night, read, read_all, settings_in

from sales_tech.engines.spark import java_home
from sales_tech.settings import Settings

pytestmark = pytest.mark.slow(60)
SCRIPT = REPOSITORY / "infra" / "glue" / "nightly.py"
# Glue hands these to every script, beside the job's own.
OF_GLUE = {"--JOB_NAME": "salestech-lines", "--JOB_RUN_ID": "jr_1", "--JOB_ID": "j_1", "--TempDir": "s3://a-bucket/temporary/"}
OF_GLUE |= {"--enable-auto-scaling": "true", "--job-bookmark-option": "job-bookmark-disable"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_wheel(tmp_path_factory.mktemp("glue")).with_name("python")


def start(python: Path, settings: Settings, folder: Path) -> subprocess.CompletedProcess[str]:
    given = OF_GLUE | {"--sales_tech_lake": str(settings.lake), "--sales_tech_landing": str(settings.landing)}
    given |= {"--SALES_TECH_SOURCES": str(settings.sources[0]), "--sales_tech_threads": "2"}
    submit = Path(sysconfig.get_path("purelib")) / "pyspark" / "bin" / "spark-submit"
    # On a folder Hadoop would write a checksum beside each file; on S3 there are none.
    raw = "spark.hadoop.fs.file.impl=org.apache.hadoop.fs.RawLocalFileSystem"
    command = [str(submit), "--master", "local[2]", "--conf", raw, "--conf", "spark.ui.enabled=false", str(SCRIPT)]
    command += [word for pair in given.items() for word in pair]
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8", "JAVA_HOME": java_home(), "SPARK_LOCAL_IP": "127.0.0.1"}
    variables |= {"PYSPARK_PYTHON": str(python), "SALES_TECH_HASH_KEY": "a key of the tests"}
    return subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_a_job_makes_the_tables_that_the_pipeline_makes(python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path / "glue", "erp_br")
    land_reference(settings.landing, "A")
    land_erp(settings.landing, "vendas_2026_01", sale("P1"), sale("P2"), sale("P3", quantidade="dois"))
    (settings.landing / "erp_br" / "vendas_bad.csv").write_text("no;such;header\n1;2;3\n")
    done = start(python, settings, tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "gold/sales: succeeded" in done.stdout
    assert "rejected file erp_br/vendas_bad.csv" in done.stdout
    (entry,) = read(settings, "gold.pipeline_runs")
    assert (entry["outcome"], entry["steps"]) == ("rejected_files", 4)
    assert '"engine": "spark"' in entry["parameters"]
    monkeypatch.setenv("SALES_TECH_HASH_KEY", "a key of the tests")
    # The pipeline finds nothing to do over, and one of its own makes the same rows.
    assert all(not result.commits for result in night(settings).values())
    alone = settings_in(tmp_path / "alone", "erp_br")
    alone.landing.rmdir()
    settings.landing.rename(alone.landing)
    night(alone)
    made = read_all(settings, "silver", "gold")
    assert read_all(alone, "silver", "gold") == {name: rows for name, rows in made.items() if not name.endswith("_runs")}
    assert made["gold.kpis_daily"]
    again = start(python, settings_in(tmp_path / "glue", "erp_br"), tmp_path)
    assert "Nothing to do" in again.stdout, again.stdout[-2000:] + again.stderr[-2000:]


def test_a_step_that_fails_fails_the_job_with_its_message(python: Path, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "erp_br")
    settings.landing.rmdir()
    done = start(python, settings, tmp_path)
    assert done.returncode != 0
    assert f"no landing folder {settings.landing}" in done.stderr + done.stdout
