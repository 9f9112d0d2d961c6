"""Opens the lake on AWS, where the packages for it are installed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from sales_tech.aws.extra import installed_packages
from sales_tech.settings import Settings

if TYPE_CHECKING:
    from sales_tech.aws.cloud import CloudPlatform


def open_platform(settings: Settings) -> CloudPlatform:
    """The platform of settings with `aws`; SettingsError where region, credentials or packages are missing.

    One platform serves all callers of a process, unless its credentials were handed from one SDK to
    another and so cannot be renewed: then each caller gets fresh ones.
    """
    platform = _shared(settings)
    if platform.renews_itself:
        return platform
    _shared.cache_clear()
    return _shared(settings)


@lru_cache(maxsize=4)
def _shared(settings: Settings) -> CloudPlatform:
    with installed_packages():
        from sales_tech.aws.cloud import CloudPlatform
    return CloudPlatform(settings)
