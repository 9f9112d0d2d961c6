"""What several of these tests begin with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.reliability.scenes import Scene, cloud_scene, land_first, land_second, local_scene
from tests.support.cloud import Cloud
from tests.support.nights import HASH_KEY, cloud_settings_in, settings_in

from sales_tech.aws import platform
from sales_tech.aws.lease import Lease


@pytest.fixture(scope="module")
def scene(hash_key: None, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A lake of one night in a folder, before the second."""
    folder = tmp_path_factory.mktemp("second")
    return local_scene(settings_in(folder, "erp_br"), folder, land_first, last=land_second)


@pytest.fixture(scope="session")
def second_night_on_aws(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A lake of one night in the emulator, before the second."""
    folder = tmp_path_factory.mktemp("second")
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in {**cloud.environment, "SALES_TECH_HASH_KEY": HASH_KEY}.items():
            patch.setenv(variable, value)
        return cloud_scene(cloud_settings_in(folder, cloud, "erp_br"), folder, land_first, last=land_second)


@pytest.fixture
def second_night(second_night_on_aws: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The same, reachable; the lease of a dead writer counts as run out, so that no test waits five minutes."""
    for variable, value in {**second_night_on_aws.environment, "SALES_TECH_HASH_KEY": HASH_KEY}.items():
        monkeypatch.setenv(variable, value)
    assert Lease.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(Lease.__init__.__kwdefaults__, "lasts", timedelta(0))
    platform._shared.cache_clear()
    yield second_night_on_aws
