"""The models of a lake, in a folder and in a bucket: numbered, one champion, nothing half."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from tests.models.pasts import plan, recipe
from tests.support.nights import BOTH_PLACES, settings_in

from sales_tech import models
from sales_tech.errors import LakeError, ModelError
from sales_tech.models.artifact import open_artifact, write_artifact
from sales_tech.models.card import Figures
from sales_tech.models.registry import MOST_DECISIONS, Decided, Index, Registry
from sales_tech.orchestration.release import champion_of, figures_of
from sales_tech.platform import platform_of
from sales_tech.runs import exclusive
from sales_tech.settings import Settings


@BOTH_PLACES
def test_the_champion_is_the_latest_version_until_another_is_crowned(made: tuple, make_settings: Callable[..., Settings]) -> None:
    registry = Registry(make_settings("erp_br"))
    assert registry.champion("erp_br") is None
    assert registry.sources() == []
    first, second = registry.register(*made), registry.register(*made)
    assert [one.version for one in registry.versions("erp_br")] == ["v0001", "v0002"]
    assert registry.champion("erp_br") == second
    registry.crown("erp_br", "v0001")
    assert registry.champion("erp_br") == first
    assert registry.sources() == ["erp_br"]
    assert registry.card("erp_br") == made[1]
    with pytest.raises(ModelError, match="has no model v0003; expected one of v0001, v0002"):
        registry.crown("erp_br", "v0003")


@BOTH_PLACES
def test_a_registered_model_opens_under_its_digest_and_answers_as_before(made: tuple, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings("erp_br")
    Registry(settings).register(*made)
    opened = Registry(settings).open("erp_br")
    assert opened.digest == made[0].digest
    pd.testing.assert_frame_equal(opened.outlook().forecast(plan()), made[0].outlook().forecast(plan()), check_exact=True)
    assert Registry(settings).digest("erp_br") == opened.digest
    planner = Registry(settings).planner("erp_br")
    assert planner is not None
    assert planner.get_params() == recipe().get_params()
    assert Registry(settings).planner("olist") is None
    assert Registry(settings).digest("olist") == ""


def test_an_archive_that_was_changed_in_the_lake_is_refused(made: tuple, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    registry = Registry(settings)
    registry.register(*made)
    archive = tmp_path / "lake" / "models" / "erp_br" / "v0001" / "model.tar.gz"
    other = write_artifact(tmp_path / "other", made[0].planner(), made[1].model_copy(update={"horizon": 1}))
    registry.register(other, made[1])
    archive.write_bytes((archive.parents[1] / "v0002" / "model.tar.gz").read_bytes())
    with pytest.raises(ModelError, match="which the registry names"):
        registry.open("erp_br", "v0001")
    archive.unlink()
    with pytest.raises(ModelError, match="is not in the lake, though the index names it"):
        registry.open("erp_br", "v0001")


@BOTH_PLACES
def test_a_version_that_was_never_registered_is_said_to_be_none_and_not_to_be_lost(
    made: tuple, make_settings: Callable[..., Settings]
) -> None:
    registry = Registry(make_settings("erp_br"))
    with pytest.raises(ModelError, match="erp_br has no model v0001; expected one of none yet"):
        registry.open("erp_br", "v0001")
    registry.register(*made)
    for version in ("v0002", "../olist/v0001"):
        with pytest.raises(ModelError, match=f"erp_br has no model {version}; expected one of v0001"):
            registry.open("erp_br", version)


@BOTH_PLACES
def test_a_card_that_is_lost_or_damaged_is_told_with_what_to_do(
    made: tuple, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = make_settings("erp_br")
    registry, lake = Registry(settings), platform_of(settings).lake
    with pytest.raises(ModelError, match="erp_br has no model yet"):
        registry.card("erp_br")
    registry.register(*made)
    damaged = tmp_path / "damaged"
    damaged.write_text("{}")
    lake.keep(damaged, "models/erp_br/v0001/card.json")
    with pytest.raises(ModelError, match=r"v0001/card.json in the lake is no card of a model: .* have ml/train fit another"):
        registry.card("erp_br")
    lake.remove(["models/erp_br/v0001/card.json"])
    with pytest.raises(ModelError, match=r"v0001/card.json is not in the lake, though the index names it"):
        registry.card("erp_br")


def test_a_version_that_a_killed_run_left_is_not_registered_and_its_number_not_given_again(made: tuple, tmp_path: Path) -> None:
    folder = tmp_path / "lake" / "models" / "erp_br"
    (folder / "v0004").mkdir(parents=True)
    (folder / "v0004" / "card.json").write_text("{}")
    registry = Registry(settings_in(tmp_path))
    assert registry.versions("erp_br") == []
    assert registry.register(*made).version == "v0005"


def test_a_new_model_takes_the_place_of_one_that_is_lost_and_not_its_number(made: tuple, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    registry = Registry(settings)
    registry.register(*made)
    shutil.rmtree(tmp_path / "lake" / "models" / "erp_br" / "v0001")
    other = write_artifact(tmp_path / "other", made[0].planner(), made[1].model_copy(update={"horizon": 1}))
    assert registry.register(other, made[1]).version == "v0002"
    assert [one.version for one in registry.versions("erp_br")] == ["v0001", "v0002"]
    assert registry.open("erp_br").digest == registry.digest("erp_br") == other.digest


def test_what_is_registered_decided_and_crowned_is_kept_in_full(made: tuple, tmp_path: Path) -> None:
    registry, (artifact, card) = Registry(settings_in(tmp_path)), made
    begun = datetime.now(UTC)
    registry.register(artifact, card)
    registry.register(artifact, card, date(2025, 6, 7), units=12.5, calendar="feast")
    refused = Decided(
        origin=None, sales_until=date(2025, 7, 1), decided_at=datetime(2025, 7, 2, tzinfo=UTC), code="x", outcome="refused", reason="so"
    )
    registry.decide("erp_br", refused)
    registry.decide("olist", refused)
    index = registry.index("erp_br")
    assert index.decisions[2] == refused
    size = (tmp_path / "lake" / "models" / "erp_br" / "v0001" / "model.tar.gz").stat().st_size
    for number, until, units, calendar in ((1, card.origin, None, ""), (2, date(2025, 6, 7), 12.5, "feast")):
        version, told = index.versions[number - 1], index.decisions[number - 1]
        assert (version.version, version.digest, version.origin, version.code) == (f"v000{number}", artifact.digest, card.origin, card.code)
        assert version.size == size
        assert begun <= version.registered_at == told.decided_at <= datetime.now(UTC)
        assert (told.version, told.origin, told.sales_until, told.units, told.calendar) == (
            version.version,
            card.origin,
            until,
            units,
            calendar,
        )
        assert (told.code, told.outcome, told.reason) == (card.code, card.decision.outcome, card.decision.reason)
    registry.crown("erp_br", "v0001")
    assert registry.index("erp_br") == index.model_copy(update={"champion": "v0001"})
    # A source of which only a refusal is known has no champion.
    assert (registry.decided(), registry.sources(), registry.champion("olist")) == (["erp_br", "olist"], ["erp_br"], None)
    assert registry.index("olist") == Index(source="olist", decisions=[refused])


@BOTH_PLACES
def test_of_a_version_with_newer_sales_the_newest_are_kept_and_the_one_that_is_served(
    made: tuple, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.registry, "MOST_REFRESHED", 1)
    settings, (artifact, card) = make_settings("erp_br"), made
    registry, lake = Registry(settings), platform_of(settings).lake
    first, second = registry.register(artifact, card), registry.register(artifact, card)
    other = registry.keep_refreshed(second, artifact, "")
    digests = [f"sha256:{number:064x}" for number in range(1, 5)]
    places = [f"models/erp_br/v0001/refreshed/{number:064x}/model.tar.gz" for number in range(1, 5)]
    for digest, place in zip(digests, places, strict=True):
        # In a bucket moments are told in whole seconds.
        time.sleep(1.1 if settings.aws else 0.01)
        assert registry.keep_refreshed(first, replace(artifact, digest=digest), f"s3://bucket/lake/{places[0]}") == place
    found = {entry.name for entry in lake.entries("models/erp_br") if "refreshed" in entry.name}
    assert found == {other, places[0], places[2], places[3]}
    assert open_artifact(lake.fetch(places[3])).digest == artifact.digest
    assert [one.version for one in registry.versions("erp_br")] == ["v0001", "v0002"]
    assert registry.open("erp_br", "v0001").digest == artifact.digest
    assert registry.register(artifact, card).version == "v0003"


def test_of_decisions_the_latest_are_kept(tmp_path: Path) -> None:
    registry = Registry(settings_in(tmp_path))
    one = Decided(
        origin=None, sales_until=date(2025, 7, 1), decided_at=datetime(2025, 7, 2, tzinfo=UTC), code="x", outcome="refused", reason="0"
    )
    many = [one.model_copy(update={"reason": str(number)}) for number in range(MOST_DECISIONS)]
    folder = tmp_path / "lake" / "models" / "erp_br"
    folder.mkdir(parents=True)
    (folder / "index.json").write_text(Index(source="erp_br", decisions=many).model_dump_json())
    registry.decide("erp_br", one.model_copy(update={"reason": "last"}))
    reasons = [told.reason for told in registry.index("erp_br").decisions]
    assert reasons == [*(str(number) for number in range(1, 200)), "last"]


def test_no_part_of_a_file_is_left_behind(made: tuple, tmp_path: Path) -> None:
    Registry(settings_in(tmp_path)).register(*made)
    found = {path.relative_to(tmp_path / "lake").as_posix() for path in (tmp_path / "lake").rglob("*") if path.is_file()}
    version = {f"models/erp_br/v0001/{name}" for name in ("card.json", "card.md", "model.tar.gz")}
    assert found - {".lock", ".lock.step"} == {"models/erp_br/index.json", *version}


def test_nobody_registers_while_another_process_writes_to_the_lake(made: tuple, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    code = f"""
from pathlib import Path
from sales_tech.platform import platform_of
from sales_tech.settings import Settings
settings = Settings(lake=Path({str(settings.lake)!r}), landing=Path({str(settings.landing)!r}), sources=())
with platform_of(settings).lock():
    print("held", flush=True)
    input()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LakeError, match="another run works on"):
            Registry(settings).register(*made)
        other.stdin.write("\n")
    assert Registry(settings).versions("erp_br") == []
    with exclusive(settings):
        assert Registry(settings).register(*made).version == "v0001"
    assert platform_of(settings).lake.exists()


def test_an_index_that_cannot_be_read_and_a_source_that_is_no_name_are_refused(tmp_path: Path) -> None:
    registry = Registry(settings_in(tmp_path))
    (tmp_path / "lake" / "models" / "erp_br").mkdir(parents=True)
    (tmp_path / "lake" / "models" / "erp_br" / "index.json").write_text('{"source": 1}')
    with pytest.raises(ModelError, match=r"models/erp_br/index\.json in the lake is no index of models"):
        registry.champion("erp_br")
    for name in ("../landing", "", "a/b", os.sep):
        with pytest.raises(ModelError, match="expected the name of a pack"):
            registry.index(name)
    with pytest.raises(ModelError, match="olist has no model yet"):
        registry.open("olist")


def test_the_champion_that_is_asked_for_is_that_of_its_source_or_of_the_first_that_has_one(made: tuple, tmp_path: Path) -> None:
    settings, (artifact, card) = settings_in(tmp_path), made
    registry = Registry(settings)
    assert champion_of(settings) is None
    with pytest.raises(ModelError, match="olist has no champion; expected one of none yet: the step ml/train fits one"):
        champion_of(settings, "olist")
    refused = Decided(
        origin=None, sales_until=date(2025, 7, 1), decided_at=datetime(2025, 7, 2, tzinfo=UTC), code="x", outcome="refused", reason="so"
    )
    registry.decide("acme", refused)
    registry.register(artifact, card.model_copy(update={"source": "olist"}))
    for _ in range(2):
        registry.register(artifact, card)
    registry.crown("erp_br", "v0001")
    for asked, source in ((None, "erp_br"), ("olist", "olist"), ("erp_br", "erp_br")):
        found = champion_of(settings, asked)
        assert found is not None
        assert (found.source, found.version, found.artifact.digest) == (source, "v0001", artifact.digest)
        assert found.page() == f"`{source} v0001`, `{artifact.digest}`\n\n{card.markdown()}"
    with pytest.raises(ModelError, match="acme has no champion; expected one of erp_br, olist"):
        champion_of(settings, "acme")


def test_what_is_shown_beside_a_version_are_its_errors_and_those_of_its_rivals_as_far_as_they_are_known(made: tuple) -> None:
    def one(name: str, wape: float | None, rmsse: float | None) -> Figures:
        return Figures(name=name, rows=9, wape=wape, bias=0.0, rmsse=rmsse, pinball=0.5, coverage=None, nominal=0.8)

    known = [
        one("champion", 0.31416, 0.9),
        one("moving average", 0.1, 0.1),
        one("challenger", 0.2, None),
        one("seasonal naive", None, 1.25),
    ]
    told = figures_of(made[1].model_copy(update={"figures": known}))
    measured = {"wape": "0.2000", "bias": "0.0000", "champion_wape": "0.3142", "champion_bias": "0.0000", "champion_rmsse": "0.9000"}
    measured |= {"naive_bias": "0.0000", "naive_rmsse": "1.2500"}
    assert {key: value for key, value in told.items() if key.rpartition("_")[2] in ("wape", "bias", "rmsse", "coverage")} == measured
    assert (told["origin"], told["series"], told["horizon_days"]) == ("2025-06-04", str(made[1].series), "21")
