"""A lake before a night and what the night makes of it if nobody disturbs it; it can be brought back as often as needed."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any

from tests.reliability.children import ended, killed_night, start
from tests.reliability.orphans import orphans
from tests.support.cloud_settings import CloudSettings
from tests.support.events import cancelled, land_events, placed
from tests.support.exports import land_erp, land_reference, product, promotion, sale
from tests.support.nights import BY_LOAD, night, read_all

from sales_tech.lake import scratch
from sales_tech.lake.store import Lake
from sales_tech.orchestration import maintenance
from sales_tech.runs import Run
from sales_tech.settings import Settings

FEBRUARY = "05/02/2026 10:00:00"
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Scene:
    """A night to be disturbed: `points` are the moments it passes, `undisturbed` its tables at the end.

    `states` are the rows of each table at every commit of the undisturbed night, and before it.
    """

    settings: Settings
    restore: Callable[[], None]
    points: list[str]
    undisturbed: dict[str, Rows]
    states: dict[str, list[Rows]]
    environment: Mapping[str, str] = field(default_factory=dict)

    def spread(self, count: int) -> list[int]:
        """So many points of the night, the first and the last included, as evenly spread as can be."""
        last = len(self.points)
        return sorted({1 + round(number * (last - 1) / max(count - 1, 1)) for number in range(count)})

    def point(self, name: str, of: int = -1) -> int:
        """The number of the point with a name; of several the last, or the n-th from 0."""
        return [number for number, passed in enumerate(self.points, start=1) if passed == name][of]

    def kill_at(self, fatal: int) -> None:
        """Bring the lake back and kill the night at a point."""
        self.restore()
        code = ended(start(killed_night, self.settings, fatal, environment=self.environment))
        assert code == -9, f"the night was to be killed at point {fatal} of {len(self.points)}; it ended with {code}"


def faults_after(scene: Scene, *, again: bool = False, tidied: bool = True) -> list[str]:
    """What is wrong with a lake whose night was killed, before and after the next one; nothing where all is well.

    `again` also looks whether the night after the next finds nothing to do, `tidied` what maintenance leaves behind.
    """
    faults = [f"{name} is in a state that no commit made" for name in half_tables(scene)]
    night(scene.settings)
    faults += [f"{name} differs from the undisturbed lake's" for name in different(scene)]
    if again and any(result.commits for result in night(scene.settings).values()):
        faults.append("the night after next still found something to do")
    return faults + (faults_of_maintenance(scene) if tidied else [])


def faults_of_maintenance(scene: Scene) -> list[str]:
    """What is wrong after maintenance: changed rows, files that no table names, scratch files."""
    settings = scene.settings.land() if isinstance(scene.settings, CloudSettings) else scene.settings
    for folder in (settings.work / "scratch").glob("*/"):
        # One as young as it is may be of an engine that is about to lock it.
        os.utime(folder, (time() - scratch.OPENING, time() - scratch.OPENING))
    maintenance.run(Run.begin(settings))
    faults = [f"{name} differs after maintenance" for name in different(scene)]
    faults += [f"{path} is an orphan" for path in sorted(orphans(scene.settings))]
    return faults + [f"{path} is left of scratch" for path in (settings.work / "scratch").iterdir()]


def half_tables(scene: Scene) -> list[str]:
    """The tables whose rows are none of the states that the undisturbed night has them in."""
    return [name for name, rows in read_all(scene.settings).items() if rows not in scene.states.get(name, [])]


def different(scene: Scene) -> list[str]:
    """The tables whose rows are not those of the undisturbed lake."""
    found = read_all(scene.settings)
    return [name for name in found.keys() | scene.undisturbed.keys() if found.get(name) != scene.undisturbed.get(name)]


def land_first(landing: Path) -> None:
    """A first night's files: some sales, one of them of a product that is not known yet, an order and a stray cancellation."""
    land_reference(landing, "A")
    land_erp(landing, "vendas_1", sale("P1"), sale("P2"), sale("P3", sku="B"), sale("P4", quantidade="0"))
    land_erp(landing, "promocoes_1", promotion())
    land_events(landing, cancelled("P9"), placed("P8"))


def land_second(landing: Path) -> None:
    """A second night's: a new month, a line moved to it, the waiting line's product, another cost, rubbish, orders seen both ways."""
    land_erp(landing, "vendas_2", sale("P2", data_venda=FEBRUARY), sale("P5", data_venda=FEBRUARY), sale("P6", sku="C"), "", "P7;1")
    land_erp(landing, "produtos_2", product("B"), product("A", custo="7,00", vigente_desde="01/01/2026"))
    land_events(landing, placed("P9"), cancelled("P1"), placed("P8"), placed("P10"))


def local_scene(settings: Settings, folder: Path, *nights_before: Callable[[Path], None], last: Callable[[Path], None]) -> Scene:
    """A scene in a folder, which is kept aside as it is before the last night."""
    assert isinstance(settings.lake, Path)
    assert isinstance(settings.landing, Path)
    kept, lake = folder / "kept", settings.lake
    for land in nights_before:
        land(settings.landing)
        night(settings)
    last(settings.landing)
    kept.mkdir()
    if lake.exists():
        shutil.copytree(lake, kept / "lake")

    # A lake holds whole paths, so that a copy can only stand where it stood.
    def restore() -> None:
        shutil.rmtree(lake, ignore_errors=True)
        if (kept / "lake").exists():
            shutil.copytree(kept / "lake", lake)

    return _played(settings, folder, restore, {})


def cloud_scene(settings: CloudSettings, folder: Path, *nights_before: Callable[[Path], None], last: Callable[[Path], None]) -> Scene:
    """A scene in the emulator, whose objects and tables are brought back one by one."""
    from tests.reliability.buckets import Kept

    assert isinstance(settings.landing, Path)
    assert settings.cloud is not None
    for land in nights_before:
        land(settings.landing)
        night(settings)
    last(settings.landing)
    settings.land()
    kept = Kept.of(settings)
    return _played(settings, folder, lambda: kept.restore(settings), settings.cloud.environment)


def _played(settings: Settings, folder: Path, restore: Callable[[], None], environment: Mapping[str, str]) -> Scene:
    before = _states(settings)
    log = folder / "points.txt"
    code = ended(start(killed_night, settings, 0, log, environment=environment))
    assert code == 0, f"the undisturbed night ended with {code}"
    undisturbed, states = read_all(settings), _states(settings)
    # Rows are compared, not snapshots: those of a table that is not there yet are none.
    states = {name: [*before.get(name, []), *rows] for name, rows in states.items()}
    scene = Scene(settings, restore, log.read_text(encoding="utf-8").splitlines(), undisturbed, states, environment)
    restore()
    return scene


def _states(settings: Settings) -> dict[str, list[Rows]]:
    lake, found = Lake(settings), {}
    for name in lake.tables():
        table = lake.table(name)
        assert table is not None
        found[name] = [_rows(table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().to_pylist()) for snapshot in table.snapshots()]
    return found


def _rows(rows: Rows) -> Rows:
    plain = [{name: value for name, value in row.items() if name not in BY_LOAD} for row in rows]
    return sorted(plain, key=lambda row: [(value is not None, str(value)) for value in row.values()])


def told(points: list[str]) -> str:
    """The kinds of points, the most frequent first."""
    return ", ".join(f"{count} {name}" for name, count in Counter(points).most_common())
