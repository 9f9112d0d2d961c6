"""Packages that only the lake on AWS needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sales_tech.errors import SettingsError

_EXTRAS = {"awswrangler": "aws", "boto3": "aws", "botocore": "aws", "sagemaker": "aws,sagemaker"}


@contextmanager
def installed_packages() -> Iterator[None]:
    """SettingsError, with the command that installs them, where an import in the block finds them missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise SettingsError(
            f"the lake on AWS needs {error.name}, which is not installed; run `pip install 'sales-tech[{extra}]'`"
        ) from error
