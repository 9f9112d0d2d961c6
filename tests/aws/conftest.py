"""All lakes of these tests are in the emulator."""

from __future__ import annotations

import pytest
from tests.support.cloud_settings import CloudSettings

from sales_tech.aws.cloud import CloudPlatform
from sales_tech.settings import Settings


@pytest.fixture
def place() -> str:
    return "aws"


@pytest.fixture
def aws(erp: Settings) -> CloudSettings:
    """A new, empty lake in the emulator."""
    assert isinstance(erp, CloudSettings)
    return erp


@pytest.fixture
def platform(aws: CloudSettings) -> CloudPlatform:
    """Its platform."""
    return CloudPlatform(aws.land())
