"""The lines' part of a night as a job of AWS Glue: landing to gold's sales tables by Spark, in the job's own process.

What is estimated from those tables, promotions and forecasts, is small beside the lines; the nightly job
that runs notebooks does it afterwards, and finds the tables up to date.
Source of the arguments: AWS Glue Developer Guide, "Using job parameters in AWS Glue jobs".
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from time import sleep

from rich.console import Console

from sales_tech.errors import LakeBusy, StepFailed
from sales_tech.ingest import batch_csv, order_events
from sales_tech.orchestration.night import TIME_ZONE
from sales_tech.orchestration.pipeline import FAILED, MOMENT, Outcome, execute_run
from sales_tech.orchestration.progress import watcher
from sales_tech.orchestration.steps import chosen
from sales_tech.runs import Run
from sales_tech.settings import PREFIX, Settings
from sales_tech.transform import gold, reference, sales

_REGION = "--aws_default_region"  # boto3 asks the environment for it, and Glue's guide promises no such variable
_MARGIN = 5.0  # seconds; S3 tells the age of a lease by the second
STEPS = (batch_csv.STEP, order_events.STEP, reference.STEP, sales.STEP, gold.STEP)


def main(arguments: Sequence[str]) -> None:
    """Run the stale steps up to gold's sales tables; rejected files are told, and do not fail the job.

    `arguments` are those of the job as Glue hands them over, a name and a value in turn: `--sales_tech_lake`
    and the like, and the region, set the environment's variables of that name, Glue's own are left to it. Raises StepFailed
    where a step failed, since Glue shows an exception's message as the run's error.
    """
    os.environ |= _settings_among(arguments)
    run = Run.begin(Settings.load(engine="spark"), run_date=datetime.now(TIME_ZONE).date())
    console = Console(width=160)
    with watcher(console) as watch:
        try:
            outcome = execute_run(run, chosen(STEPS), None, watch)
        except LakeBusy as busy:
            # Glue tries a run that was killed again at once, while the dead one's lease still counts; whoever lives will have renewed it.
            console.print(f"{busy}; trying once more then", highlight=False, markup=False, soft_wrap=True)
            sleep(busy.seconds + _MARGIN)
            outcome = execute_run(run, chosen(STEPS), None, watch)
    _tell(console, outcome)
    if outcome.outcome == FAILED:
        raise StepFailed(outcome.message or "a step failed")


def _settings_among(arguments: Sequence[str]) -> dict[str, str]:
    ours = (f"--{PREFIX}".lower(), _REGION)
    return {name.removeprefix("--").upper(): value for name, value in pairwise(arguments) if name.lower().startswith(ours)}


def _tell(console: Console, outcome: Outcome) -> None:
    if outcome.idle:
        console.print("Nothing to do: every table is up to date")
    for step in outcome.steps:
        console.print(f"{step.step}: {step.outcome}, {step.rows_in} rows in, {step.rows_out} out", highlight=False)
    for name, reason in sorted(outcome.rejected.items()):
        console.print(f"rejected file {name}: {reason}", highlight=False, markup=False, soft_wrap=True)
    for remark in outcome.remarks:
        console.print(f"warning {remark}", highlight=False, markup=False, soft_wrap=True)
    for file in outcome.unread:
        said = f"unread file {file.name}, since it was rejected at {file.since:{MOMENT}}: {file.reason}"
        console.print(said, highlight=False, markup=False, soft_wrap=True)
