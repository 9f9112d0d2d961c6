"""The models of a lake for people, by the command that shows them and puts one in use again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.command_line import pipeline
from tests.support.nights import BOTH_PLACES

from sales_tech.errors import ModelError
from sales_tech.lake.store import Lake
from sales_tech.models.artifact import Artifact
from sales_tech.models.card import ModelCard
from sales_tech.models.listing import LISTED, listed, put_in_use, refusals
from sales_tech.models.registry import Registry
from sales_tech.settings import Settings

Made = tuple[Artifact, ModelCard]


@BOTH_PLACES
def test_an_earlier_model_is_put_in_use_again(made: Made, make_settings: Callable[..., Settings]) -> None:
    registry = Registry(make_settings("erp_br"))
    registry.register(*made)
    second = registry.register(*made)
    assert put_in_use(registry, "v0001") == "erp_br: v0001 is in use again in the place of v0002; the next run forecasts by it"
    told = listed(registry).to_pylist()
    assert [(one["source"], one["version"], one["in_use"]) for one in told] == [("erp_br", "v0002", False), ("erp_br", "v0001", True)]
    assert told[0] | {"registered_at": None} == {
        "source": "erp_br",
        "version": "v0002",
        "in_use": False,
        "learnt_until": made[1].origin,
        "registered_at": None,
        "code": made[1].code,
        "reason": made[1].decision.reason,
    }
    assert told[0]["registered_at"] == second.registered_at.replace(microsecond=0)
    assert put_in_use(registry, "v0001", "erp_br") == "erp_br: v0001 was in use already"


def test_a_model_that_is_lost_or_not_registered_is_not_put_in_use(made: Made, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings("erp_br")
    registry = Registry(settings)
    for _ in range(2):
        registry.register(*made)
    with pytest.raises(ModelError, match="erp_br has no model v0009; expected one of v0001, v0002"):
        put_in_use(registry, "v0009")
    Path(settings.lake, "models", "erp_br", "v0001", "model.tar.gz").unlink()
    with pytest.raises(ModelError, match=r"models/erp_br/v0001/model\.tar\.gz"):
        put_in_use(registry, "v0001")
    champion = registry.champion("erp_br")
    assert champion is not None
    assert champion.version == "v0002"


def test_of_several_sources_one_is_named(made: Made, make_settings: Callable[..., Settings]) -> None:
    registry = Registry(make_settings("erp_br"))
    assert listed(registry).schema == LISTED
    assert listed(registry).num_rows == 0
    with pytest.raises(ModelError, match=r"^no source has a model yet; `python pipeline\.py run` fits one \(step ml/train\)$"):
        put_in_use(registry, "v0001")
    with pytest.raises(
        ModelError, match=r"^no model of source olist; expected --source with one that ml/train has fitted; there is none yet"
    ):
        listed(registry, "olist")
    artifact, card = made
    registry.register(artifact, card)
    other = {"source": "olist"}
    registry.register(replace(artifact, manifest=artifact.manifest.model_copy(update=other)), card.model_copy(update=other))
    with pytest.raises(ModelError, match=r"^2 sources have models; expected --source with one of erp_br, olist"):
        put_in_use(registry, "v0001")
    assert put_in_use(registry, "v0001", "olist") == "olist: v0001 was in use already"
    assert [one["source"] for one in listed(registry).to_pylist()] == ["erp_br", "olist"]
    assert [one["source"] for one in listed(registry, "olist").to_pylist()] == ["olist"]


def test_the_command_shows_the_models_and_puts_one_in_use(made: Made, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings("erp_br")
    Lake(settings).tables()
    for _ in range(2):
        Registry(settings).register(*made)
    used = CliRunner().invoke(pipeline(), ["models", "--lake", str(settings.lake), "--use", "v0001"])
    assert (used.exit_code, used.output) == (0, "erp_br: v0001 is in use again in the place of v0002; the next run forecasts by it\n")
    shown = CliRunner().invoke(pipeline(), ["models", "--lake", str(settings.lake), "--format", "json"])
    assert [(one["version"], one["in_use"]) for one in json.loads(shown.output)] == [("v0002", False), ("v0001", True)]


def test_why_the_newest_model_was_not_registered_is_told_below_the_table(made: Made, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings("erp_br")
    Lake(settings).tables()
    registry = Registry(settings)
    registry.register(*made)
    assert refusals(registry) == []
    kept = registry.index("erp_br").decisions[-1]
    registry.decide("erp_br", kept.model_copy(update={"outcome": "refused", "reason": "its error is [higher]", "version": None}))
    expected = f"erp_br: the model tried on sales until {kept.sales_until} was not registered: its error is [higher]"
    assert refusals(registry) == refusals(registry, "erp_br") == [expected]
    shown = CliRunner().invoke(pipeline(), ["models", "--lake", str(settings.lake)])
    assert shown.output.splitlines()[-1] == expected
