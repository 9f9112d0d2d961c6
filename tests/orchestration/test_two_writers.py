"""One writer at a time, whether it is a pipeline or a notebook run by hand."""

from __future__ import annotations

import pytest
from filelock import FileLock

from sales_tech.errors import LakeError
from sales_tech.ingest import batch_csv
from sales_tech.runs import Run, exclusive
from sales_tech.settings import Settings
from sales_tech.transform import gold, reference, sales


@pytest.mark.parametrize("step", [batch_csv, reference, sales, gold], ids=lambda step: step.STEP)
def test_a_step_by_hand_waits_for_no_pipeline_but_says_that_one_is_at_work(step: object, erp: Settings) -> None:
    erp.lake.mkdir()
    with FileLock(erp.lake / ".lock"), pytest.raises(LakeError, match="another run works on"):
        step.run(Run.begin(erp))


def test_a_step_of_a_pipeline_works_under_the_pipelines_lock(erp: Settings) -> None:
    with exclusive(erp):
        assert batch_csv.run(Run.begin(erp)).notes == ["no new files"]
    with exclusive(erp):
        pass
