"""Opens the lake on AWS, where the packages for it are installed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from sales_tech.errors import SettingsError
from sales_tech.settings import Settings

if TYPE_CHECKING:
    from sales_tech.aws.cloud import CloudPlatform

_EXTRA = ("boto3", "botocore", "awswrangler")


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
    try:
        from sales_tech.aws.cloud import CloudPlatform
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise SettingsError(f"the lake on AWS needs {error.name}, which is not installed; run `pip install 'sales-tech[aws]'`") from error
    return CloudPlatform(settings)
