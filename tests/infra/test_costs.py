"""The month's cost, reckoned again by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.nights import REPOSITORY

COSTS = REPOSITORY / "infra" / "costs.py"


def table() -> str:
    return subprocess.run([sys.executable, str(COSTS)], capture_output=True, text=True, check=True, timeout=30).stdout


def dollars() -> dict[str, str]:
    rows = [line.strip("| \n").split(" | ") for line in table().splitlines()[2:]]
    return {row[0]: row[-1].strip("*") for row in rows}


def test_the_positions_are_what_one_reckons_by_hand() -> None:
    found = dollars()
    assert found["Nightly job"] == "3.45"  # 15 hours at 23 cents
    assert found["Training"] == "0.23"  # one hour at 23 cents
    assert found["Endpoint, serverless"] == "0.09"  # 4,500 GB-seconds at 2 thousandths of a cent
    assert found["Events posted"] == "0.30"  # 0.3 million at a dollar
    assert found["Landing, time"] == "0.29"  # 21,600 GB-seconds at 0.0000133334
    assert found["S3, stored"] == "0.92"  # 40 GB at 2.3 cents
    assert found["S3, written"] == "1.20"  # 240 thousand at half a cent a thousand
    assert found["Athena"] == "1.50"  # 0.3 TB at five dollars
    assert found["KMS, use"] == "0.30"  # ten times ten thousand at three cents
    assert found["Secrets"] == "0.80"


def test_the_sum_is_that_of_the_positions_but_for_rounding() -> None:
    found = {what: round(float(usd.replace(",", "")) * 100) for what, usd in dollars().items()}
    month = found.pop("**A month**")
    assert abs(sum(found.values()) - month) <= len(found) / 2


def test_a_line_shows_its_arithmetic() -> None:
    assert "| Nightly job | 30 nights × 0.5 hours each × $0.23 an ml.m5.xlarge hour | 3.45 |\n" in table()


def test_the_documentation_shows_the_same_table() -> None:
    assert table() in Path(REPOSITORY / "docs" / "aws.md").read_text(encoding="utf-8"), "put the output of `python infra/costs.py` there"
