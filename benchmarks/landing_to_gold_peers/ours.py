"""The pipeline's own steps, without their notebooks: ingest, silver/reference, silver/sales and gold/sales on an empty lake."""

from __future__ import annotations

import os
from pathlib import Path

from job import HASH_KEY, Job, main

from sales_tech.ingest import batch_csv
from sales_tech.runs import Run
from sales_tech.settings import Settings
from sales_tech.transform import gold, reference, sales

SOURCES = Path(__file__).resolve().parents[2] / "sources"


def run(job: Job) -> None:
    """From the landed files to gold."""
    os.environ["SALES_TECH_HASH_KEY"] = HASH_KEY.decode()
    settings = Settings(job.out, job.landing, (SOURCES / "erp_br",), memory_limit=job.memory, threads=job.threads)
    night = Run.begin(settings)
    for step in (batch_csv, reference, sales, gold):
        step.run(night)


if __name__ == "__main__":
    main(run)
