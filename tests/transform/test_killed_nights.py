"""A night that is killed at any of its commits leaves readable tables, and the next night makes good for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.events import cancelled, land_events, placed
from tests.support.exports import land_erp, land_reference, product, sale
from tests.support.nights import HASH_KEY, REPOSITORY, night, read_all, settings_in

from sales_tech.settings import Settings

pytestmark = pytest.mark.usefixtures("hash_key")
FEBRUARY = "05/02/2026 10:00:00"
COMMITS = [
    "bronze.erp_br_produtos",
    "bronze.erp_br_vendas",
    "bronze.files",
    "silver.rejects",
    "silver.fates",
    "silver.products",
    "silver.rejects",
    "silver.fates",
    "silver.sales",
    "gold.daily_sales",
    "gold.kpis_daily",
    "gold.orders_daily",
    "gold.product_performance",
    "gold.stores",
    "gold.customer_value",
]
_KILLED_NIGHT = """
import os, sys
from pathlib import Path
from sales_tech.lake.store import Lake
from sales_tech.settings import Settings
from tests.support.nights import night

lake, landing, pack, fatal, moment = sys.argv[1:]
commit, names = Lake.commit, []


def killed(self, name, *rest):
    names.append(name)
    if len(names) == int(fatal) and moment == "before":
        os._exit(9)
    made = commit(self, name, *rest)
    if len(names) == int(fatal):
        os._exit(9)
    return made


Lake.commit = killed
night(Settings(Path(lake), Path(landing), (Path(pack),), threads=1))
"""


@dataclass(frozen=True)
class Scene:
    """A lake after one night, the files of the next landed; `restore` brings that state back."""

    settings: Settings
    undisturbed: dict[str, list[dict[str, Any]]]
    committed: list[str]
    restore: Callable[[], None]


def set_up(folder: Path, land_first: Callable[[Path], None], land_second: Callable[[Path], None]) -> Scene:
    """Run the first night, note what the second makes if nobody kills it, and take it back."""
    settings = settings_in(folder, "erp_br")
    land_reference(settings.landing, "A")
    land_first(settings.landing)
    night(settings)
    land_second(settings.landing)
    shutil.copytree(settings.lake, folder / "backup")

    # The catalog holds whole paths, so a copy can only stand where the lake stood.
    def restore() -> None:
        shutil.rmtree(settings.lake)
        shutil.copytree(folder / "backup", settings.lake)

    results = night(settings)
    undisturbed = read_all(settings)
    restore()
    return Scene(settings, undisturbed, [commit.table for result in results.values() for commit in result.commits], restore)


@pytest.fixture(scope="module")
def busy_night(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The second night brings a new month, a line moved to it, a waiting line's product, another cost, and rubbish."""

    def first(landing: Path) -> None:
        land_erp(landing, "vendas_1", sale("P1"), sale("P2"), sale("P3", sku="B"), sale("P4", quantidade="0"))

    def second(landing: Path) -> None:
        land_erp(landing, "vendas_2", sale("P2", data_venda=FEBRUARY), sale("P5", data_venda=FEBRUARY), sale("P6", sku="C"), "", "P7;1")
        land_erp(landing, "produtos_2", product("B"), product("A", custo="7,00", vigente_desde="01/01/2026"))

    return set_up(tmp_path_factory.mktemp("busy"), first, second)


@pytest.fixture(scope="module")
def product_night(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The second night brings only the product that the one rejected line waits for."""
    return set_up(
        tmp_path_factory.mktemp("product"),
        lambda landing: land_erp(landing, "vendas_1", sale("P1"), sale("P3", sku="B")) and None,
        lambda landing: land_erp(landing, "produtos_2", product("B")) and None,
    )


@pytest.fixture(scope="module")
def stream_night(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The second night brings an order whose cancellation waits, the cancellation of one in a file, and an order seen both ways."""

    def first(landing: Path) -> None:
        land_erp(landing, "vendas_1", sale("P1"))
        land_events(landing, cancelled("P9"), placed("P8"))

    def second(landing: Path) -> None:
        land_erp(landing, "vendas_2", sale("P10"))
        land_events(landing, placed("P9"), cancelled("P1"), placed("P8"), placed("P10"))

    return set_up(tmp_path_factory.mktemp("stream"), first, second)


def kill(scene: Scene, fatal: int, moment: str) -> None:
    """Start the second night in a process that dies before or after its n-th commit, from 1."""
    scene.restore()
    settings = scene.settings
    script = [sys.executable, "-c", _KILLED_NIGHT, str(settings.lake), str(settings.landing), str(settings.sources[0]), str(fatal), moment]
    environment = {"PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}", "SALES_TECH_HASH_KEY": HASH_KEY, "PATH": ""}
    killed = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert killed.returncode == 9, killed.stderr


def assert_made_good(scene: Scene) -> None:
    """Fail unless all tables can be read, and are the undisturbed ones after one more night."""
    read_all(scene.settings)
    night(scene.settings)
    assert read_all(scene.settings) == scene.undisturbed
    assert all(not result.commits for result in night(scene.settings).values())


def test_the_busy_night_makes_the_commits_that_are_killed_here(busy_night: Scene) -> None:
    assert busy_night.committed == COMMITS


@pytest.mark.parametrize(("fatal", "table"), [(number, COMMITS[number - 1]) for number in (2, 3, 5, 6, 8, 9, 10, 12)])
def test_a_night_killed_after_a_commit_is_made_good_by_the_next(busy_night: Scene, fatal: int, table: str) -> None:
    kill(busy_night, fatal, "after")
    assert_made_good(busy_night)


def test_files_staged_by_a_night_killed_before_a_commit_are_not_in_any_table(busy_night: Scene) -> None:
    kill(busy_night, COMMITS.index("silver.sales") + 1, "before")
    assert_made_good(busy_night)


@pytest.mark.parametrize("fatal", [6, 7], ids=["silver.rejects", "silver.fates"])
def test_a_waiting_sale_is_not_lost_when_the_night_that_accepts_it_is_killed(product_night: Scene, fatal: int) -> None:
    assert product_night.committed[5:8] == ["silver.rejects", "silver.fates", "silver.sales"]
    kill(product_night, fatal, "after")
    assert_made_good(product_night)


@pytest.mark.parametrize("fatal", [3, 4, 5, 6], ids=["bronze.order_events", "bronze.files", "silver.rejects", "silver.fates"])
def test_no_event_is_lost_or_doubled_when_the_night_that_merges_it_is_killed(stream_night: Scene, fatal: int) -> None:
    assert stream_night.committed[2:7] == ["bronze.order_events", "bronze.files", "silver.rejects", "silver.fates", "silver.sales"]
    kill(stream_night, fatal, "after")
    assert_made_good(stream_night)


def test_a_file_replaced_after_its_rows_were_committed_but_not_entered_does_not_block_the_lake(busy_night: Scene) -> None:
    kill(busy_night, COMMITS.index("bronze.erp_br_vendas") + 1, "after")
    path = busy_night.settings.landing / "erp_br" / "vendas_2.csv"
    kept = path.read_bytes()
    try:
        land_erp(busy_night.settings.landing, "vendas_2", sale("P8"))
        night(busy_night.settings)
    finally:
        path.write_bytes(kept)
