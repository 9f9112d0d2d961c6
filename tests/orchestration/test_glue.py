"""The job of AWS Glue in this process, without Spark: what it takes from its arguments."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.infra.packaging import template

from sales_tech.errors import LakeBusy
from sales_tech.orchestration import glue
from sales_tech.orchestration.pipeline import SUCCEEDED, Outcome


@pytest.fixture
def arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The job's arguments on folders; what they set in the environment goes with the test."""
    given = {"--JOB_NAME": "shop-lines", "--aws_default_region": "sa-east-1"}
    given |= {"--sales_tech_lake": str(tmp_path / "lake"), "--sales_tech_landing": str(tmp_path)}
    for name in (*given, "--sales_tech_engine"):
        monkeypatch.setenv(name.removeprefix("--").upper(), "")
    return [word for pair in given.items() for word in pair]


def test_the_region_reaches_the_sdk_from_the_arguments_of_the_template(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    told = template("spark")["Resources"]["Lines"]["Properties"]["DefaultArguments"]
    assert told["--aws_default_region"] == {"Ref": "AWS::Region"}
    seen: list[str | None] = []

    def run(run: Any, *rest: Any) -> Outcome:
        seen.append(os.environ.get("AWS_DEFAULT_REGION"))
        return Outcome(run, SUCCEEDED, [], 0.0)

    monkeypatch.setattr(glue, "execute_run", run)
    glue.main(arguments)
    assert seen == ["sa-east-1"]
    assert os.environ["JOB_NAME"] == "", "Glue's own are left to it"


@pytest.mark.parametrize("dead", [True, False])
def test_a_run_after_a_killed_one_waits_until_that_counts_as_dead(
    arguments: list[str], dead: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def run(run: Any, *rest: Any) -> Outcome:
        tried.append(0.0)
        if len(tried) == 1 or not dead:
            raise LakeBusy("another run works on s3://shop/lake", 200.0)
        return Outcome(run, SUCCEEDED, [], 0.0)

    waited: list[float] = []
    monkeypatch.setattr(glue, "execute_run", run)
    monkeypatch.setattr(glue, "sleep", waited.append)
    if dead:
        glue.main(arguments)
    else:
        with pytest.raises(LakeBusy, match="another run works on"):
            glue.main(arguments)
    assert len(tried) == 2, "a run that lives keeps the lake, however often one asks"
    assert [200 < seconds < 210 for seconds in waited] == [True]
