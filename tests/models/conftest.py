"""A small model that several suites register and read."""

from __future__ import annotations

import pytest
from tests.models.pasts import recipe, small_past

from sales_tech.models.artifact import Artifact, write_artifact
from sales_tech.models.card import ModelCard
from sales_tech.models.championship import contest


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Artifact, ModelCard]:
    """The artifact of a small source's first model, and its card."""
    ended = contest(small_past(), "erp_br", {}, None, recipe(), importance=False)
    assert ended.planner is not None
    return write_artifact(tmp_path_factory.mktemp("made") / "model", ended.planner, ended.card), ended.card
