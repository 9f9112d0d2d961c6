"""The real data on AWS: a long test, in a file of its own, so that it keeps one worker busy while others do the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.months import EACH_MONTH, OLIST_TABLES, assert_same_rows, land, nights_of
from tests.support.nights import night, settings_in

from sales_tech.lake.query import Reader
from sales_tech.settings import Settings


@pytest.mark.slow(90)
@pytest.mark.parametrize("a_night", [13, EACH_MONTH], ids="{}_months_a_night".format)
@pytest.mark.parametrize("place", ["aws"], indirect=True)
def test_the_months_of_olist_on_aws_in_several_nights_equal_the_same_on_a_laptop_at_once(
    real_data: Path, tmp_path: Path, make_settings: Callable[..., Settings], a_night: int
) -> None:
    months = sorted((real_data / "olist" / "batches").iterdir())
    laptop, aws = settings_in(tmp_path / "laptop", "olist"), make_settings("olist")
    for settings in (laptop, aws):
        land(real_data / "olist" / "reference", settings.landing / "olist" / "reference")
    for brought in nights_of(months, a_night):
        for month in brought:
            for settings in (laptop, aws):
                land(month, settings.landing / "olist" / "batches" / month.name)
        night(aws)
    night(laptop)
    for table in OLIST_TABLES:
        assert_same_rows(table, aws, laptop)
    counted = Reader(aws).arrow("select count(*) as n, sum(net_sales) as money from silver.sales")
    assert counted == Reader(laptop).arrow("select count(*) as n, sum(net_sales) as money from silver.sales")
