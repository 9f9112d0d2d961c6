"""Nights that start at once, a night during a rebuild, a notebook that outlives its pipeline, and readers throughout."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from tests.reliability.children import ended, opening, patient_night, reading, start, whole_night, working_as_a_kernel
from tests.reliability.scenes import Rows, Scene, different, land_first
from tests.support.nights import night, read_all, settings_in

from sales_tech.errors import LakeError
from sales_tech.runs import exclusive
from sales_tech.settings import Settings

pytestmark = [pytest.mark.usefixtures("hash_key"), pytest.mark.slow(30)]
QUERIES = {
    "gold.daily_sales": "select count(*) as n, coalesce(sum(net_sales), 0) as net_sales from gold.daily_sales",
    "gold.kpis_daily": "select count(*) as n, coalesce(sum(net_sales), 0) as net_sales from gold.kpis_daily",
    "twice": """select (select sum(net_sales) from gold.daily_sales) as total, sum(a.net_sales) as same
        from gold.daily_sales a where exists (select 1 from gold.daily_sales b where b.sold_on = a.sold_on and b.sku = a.sku)""",
    "across": """select (select sum(net_sales) from gold.daily_sales) as lines, (select sum(net_sales) from gold.kpis_daily) as days""",
}


def together(*nights: tuple[object, ...]) -> None:
    """Start some work in processes of its own at once, and wait until all ended well."""
    children = [start(*one) for one in nights]
    assert [ended(child) for child in children] == [0] * len(children)


@pytest.mark.parametrize("force", [False, True], ids=["a night", "a rebuild of everything"])
def test_of_two_nights_at_once_one_works_and_the_other_is_told(scene: Scene, force: bool, tmp_path: Path) -> None:
    scene.restore()
    refusals = tmp_path / "refusals.txt"
    together((whole_night, scene.settings, refusals, force), (whole_night, scene.settings, refusals, False))
    told = refusals.read_text(encoding="utf-8").splitlines()
    assert told == [f"another run works on {scene.settings.lake}; wait for it to end, then start this one again"]
    assert different(scene) == []
    assert all(not result.commits for result in night(scene.settings).values())


def test_two_that_try_each_step_until_they_may_leave_no_row_lost_and_none_doubled(scene: Scene, tmp_path: Path) -> None:
    scene.restore()
    refusals = tmp_path / "refusals.txt"
    together((patient_night, scene.settings, refusals), (patient_night, scene.settings, refusals))
    assert different(scene) == []


def test_a_night_waits_for_the_notebook_of_a_killed_pipeline(scene: Scene, tmp_path: Path) -> None:
    """Its lock is free once the pipeline is dead, but its kernel lives until it notices, and may yet commit."""
    scene.restore()
    begun = tmp_path / "begun"
    kernel = start(working_as_a_kernel, scene.settings, begun, 2.0)
    while not begun.exists():
        time.sleep(0.01)
    with exclusive(scene.settings):
        kernel.join(1)
        assert kernel.exitcode == 0, "the kernel had given its lock back before the night began"


def test_a_notebook_of_a_killed_pipeline_that_goes_on_is_told(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.restore()
    monkeypatch.setattr("sales_tech.platform.local._DYING", 0.1)
    begun = tmp_path / "begun"
    kernel = start(working_as_a_kernel, scene.settings, begun, 60.0)
    while not begun.exists():
        time.sleep(0.01)
    with pytest.raises(LakeError, match="a notebook of a run that was killed still works on"), exclusive(scene.settings):
        pass
    kernel.kill()
    kernel.join()
    with exclusive(scene.settings):
        pass


def test_eight_that_open_a_new_lake_at_once_all_find_it_empty(tmp_path: Path) -> None:
    settings, at = settings_in(tmp_path, "erp_br"), time.time() + 1.5
    together(*[(opening, settings, at)] * 8)


def asked(settings: Settings, folder: Path) -> dict[str, list[Rows | str]]:
    """What two readers are told while a night is at work in a third process, by question and in order, each reader's apart."""
    stop = folder / "stop"
    files = [folder / f"answers-{number}.jsonl" for number in range(2)]
    readers = [start(reading, settings, QUERIES, file, stop) for file in files]
    time.sleep(0.5)
    together((whole_night, settings, folder / "refusals.txt", False))
    time.sleep(0.5)
    stop.touch()
    assert [ended(reader) for reader in readers] == [0, 0]
    found: dict[str, list[Rows | str]] = defaultdict(list)
    for number, file in enumerate(files):
        for line in file.read_text(encoding="utf-8").splitlines():
            name, told = json.loads(line)
            found[f"{name} {number}"].append(told)
    return found


def totals(states: list[Rows]) -> list[tuple[int, Decimal]]:
    return [(len(rows), sum((row["net_sales"] for row in rows), Decimal(0))) for rows in states]


def test_readers_see_each_table_before_or_after_the_night_and_never_half_of_it(scene: Scene, tmp_path: Path) -> None:
    scene.restore()
    found = asked(scene.settings, tmp_path)
    assert different(scene) == []
    for table in ("gold.daily_sales", "gold.kpis_daily"):
        states = totals(scene.states[table])
        before, after = states[0], states[-1]
        assert before != after
        for reader in range(2):
            seen = [(int(row["n"]), Decimal(row["net_sales"])) for ((row),) in found[f"{table} {reader}"]]
            assert set(seen) == {before, after}
            assert seen == sorted(seen, key=[before, after].index), "what was seen is never taken back"
    for reader in range(2):
        assert all(row["total"] == row["same"] for (row,) in found[f"twice {reader}"]), "a query reads a table at one snapshot"
    # Two tables are two commits: between them a query over both sees one of them as it was the night before.
    allowed = {totals(scene.states[table])[end][1] for table in ("gold.daily_sales", "gold.kpis_daily") for end in (0, -1)}
    across = [row for reader in range(2) for (row,) in found[f"across {reader}"]]
    assert {Decimal(row[side]) for row in across for side in ("lines", "days")} <= allowed
    assert across[-1]["lines"] == across[-1]["days"]


def test_readers_of_a_lake_that_is_being_made_are_told_what_is_missing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "erp_br")
    land_first(settings.landing)
    (tmp_path / "of readers").mkdir()
    found = asked(settings, tmp_path / "of readers")
    refused = {told for answers in found.values() for told in answers if isinstance(told, str)}
    expected = ("LakeError: no lake at", "QueryError: no table 'gold.", "QueryError: this lake has no gold.")
    assert all(told.startswith(expected) for told in refused), refused
    assert read_all(settings)["gold.kpis_daily"]
    assert not isinstance(found["across 0"][-1], str)
