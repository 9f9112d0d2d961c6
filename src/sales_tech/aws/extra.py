"""Packages that only the lake on AWS needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sales_tech.errors import SettingsError

_EXTRA = ("awswrangler", "boto3", "botocore")


@contextmanager
def installed_packages() -> Iterator[None]:
    """SettingsError, with the command that installs them, where an import in the block finds them missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise SettingsError(f"the lake on AWS needs {error.name}, which is not installed; run `pip install 'sales-tech[aws]'`") from error
