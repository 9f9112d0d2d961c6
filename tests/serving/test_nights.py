"""A process that serves goes on with what the next night forecast."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest
from tests.planning.outlooks import ORIGIN, outlook
from tests.serving.calling import Caller
from tests.support.twins import lake_with_estimates

from sales_tech import planning
from sales_tech.lake.store import Lake
from sales_tech.planning import Outlook, PromotionPlanner
from sales_tech.runs import Run
from sales_tech.serving.app import application
from sales_tech.serving.nights import Nights
from sales_tech.settings import Settings
from sales_tech.transform import forecasts
from sales_tech.twin import Size

PLAN = {"skus": ["A"], "mechanic": "leaflet", "discount_share": 0.2}


class Nightly:
    """An outlook that another one follows, and how often that was read."""

    def __init__(self, after: Outlook | None) -> None:
        self.after, self.seen, self.committed, self.read_times = after, 0, 0, 0

    def moved(self) -> bool:
        return self.committed != self.seen

    def read(self) -> Outlook | None:
        self.read_times += 1
        # As a lake does it: what is committed while it is read is seen by the next look.
        self.seen = self.committed
        time.sleep(0.05)
        return self.after


def tomorrow() -> Outlook:
    """The outlook of a night later, in which twice as much is sold."""
    today = outlook()
    day = pd.Timedelta(days=1)
    baseline = today.baseline.assign(sold_on=today.baseline["sold_on"] + day, baseline_units=2 * today.baseline["baseline_units"])
    return replace(today, baseline=baseline, origin=(ORIGIN + day).as_unit("s"))


def asked(client: Caller) -> tuple[str, float]:
    day = f"{ORIGIN + pd.Timedelta(days=3):%Y-%m-%d}"
    told = client.post("/invocations", json={"promotions": [PLAN | {"starts_on": day, "ends_on": day}]}).json()
    return told["origin"], told["promotions"][0]["baseline_units"]


def test_the_first_question_after_a_night_is_answered_by_it_and_so_is_all_that_is_told() -> None:
    nightly = Nightly(tomorrow())
    client = Caller(application(outlook(), newer=nightly))
    assert asked(client) == ("2026-03-31", 16.0)
    assert nightly.read_times == 0
    nightly.committed += 1
    assert asked(client) == ("2026-04-01", 32.0)
    assert client.get("/choices").json()["first_day"] == "2026-04-02"
    assert "up to 2026-04-01" in client.get("/openapi.json").json()["info"]["description"]
    assert nightly.read_times == 1


def test_what_is_committed_without_another_forecast_changes_nothing() -> None:
    nightly = Nightly(None)
    client = Caller(application(outlook(), newer=nightly))
    nightly.committed += 1
    assert asked(client) == asked(client) == ("2026-03-31", 16.0)
    assert nightly.read_times == 1


def test_of_many_who_ask_at_once_after_a_night_all_are_told_the_new_one_and_it_is_read_once() -> None:
    nightly = Nightly(tomorrow())
    served = application(outlook(), newer=nightly)
    nightly.committed += 1
    with ThreadPoolExecutor(6) as people:
        told = list(people.map(lambda _: asked(Caller(served)), range(6)))
    assert told == [("2026-04-01", 32.0)] * 6
    assert nightly.read_times == 1


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A small lake of the synthetic retailer, forecast once."""
    settings = lake_with_estimates(tmp_path_factory.mktemp("nights"), Size(stores=4, skus=20, months=4, promotions=20))
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr(planning, "PromotionPlanner", partial(PromotionPlanner, most_rows=1_000, trees=4))
        forecasts.run(Run.begin(settings))
        yield settings


def test_a_lake_has_moved_once_it_has_another_forecast_and_not_by_being_read(lake: Settings) -> None:
    nights = Nights(lake, None)
    assert not nights.moved()
    forecasts.run(Run.begin(lake, force=True))
    assert nights.moved()
    told = nights.read()
    assert told is not None
    assert told is nights.served.outlook
    assert (nights.moved(), nights.read()) == (False, None)


def test_what_was_committed_while_another_forecast_was_read_is_looked_at_again(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    nights = Nights(lake, None)
    forecasts.run(Run.begin(lake, force=True))
    looked = Lake.snapshot_id

    def slowly(self: Lake, name: str) -> int | None:
        told = looked(self, name)
        monkeypatch.setattr(Lake, "snapshot_id", looked)
        forecasts.run(Run.begin(lake, force=True))
        return told

    monkeypatch.setattr(Lake, "snapshot_id", slowly)
    assert nights.read() is not None
    assert nights.moved()


def test_a_forecast_that_cannot_be_read_leaves_the_old_one_and_says_so(lake: Settings, caplog: pytest.LogCaptureFixture) -> None:
    nights = Nights(lake, "erp_br")
    nights._source = "gone"
    forecasts.run(Run.begin(lake, force=True))
    before = nights.served
    with caplog.at_level(logging.ERROR, "sales_tech.serving"):
        assert nights.read() is None
    assert nights.served is before
    assert '"event": "not renewed"' in caplog.text
    assert "gone" in caplog.text
    assert not nights.moved()
