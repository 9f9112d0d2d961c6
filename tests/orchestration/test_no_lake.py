"""A command that only reads refuses a lake that is not there, and makes none."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.command_line import pipeline
from tests.support.nights import settings_in

from sales_tech.errors import LakeError, ModelError
from sales_tech.lake.store import Lake
from sales_tech.models.registry import INDEX, Index
from sales_tech.orchestration.serving import known_source
from sales_tech.settings import Settings


def refused(*words: str | Path) -> str:
    """What a command raises."""
    error = CliRunner().invoke(pipeline(), list(map(str, words))).exception
    assert isinstance(error, (LakeError, ModelError)), error
    return str(error)


@pytest.mark.parametrize("command", ["runs", "models", "dashboard", "plan-promotion --sku X", "serve", "serve --source nope"])
def test_a_mistyped_lake_is_refused_and_not_made(command: str, tmp_path: Path) -> None:
    assert refused(*command.split(), "--lake", tmp_path / "nolake").startswith(f"no lake at {tmp_path / 'nolake'}; ")
    assert not any(tmp_path.iterdir())


def test_a_run_without_a_landing_folder_makes_no_lake(tmp_path: Path) -> None:
    assert "no landing folder" in refused("run", "--landing", tmp_path / "nowhere", "--lake", tmp_path / "lake")
    assert not any(tmp_path.iterdir())


def test_a_plan_of_a_lake_to_come_makes_no_lake(erp: Settings) -> None:
    (erp.landing / "erp_br").mkdir()
    (erp.landing / "erp_br" / "vendas_1.csv").write_text("x", encoding="utf-8")
    told = CliRunner().invoke(pipeline(), ["plan", "--landing", str(erp.landing), "--lake", str(erp.lake)])
    assert (told.exit_code, "1 new file" in told.output) == (0, True)
    assert not Path(erp.lake).exists()


def test_what_a_lake_without_tables_cannot_tell_is_said_with_what_makes_them(tmp_path: Path) -> None:
    Lake(settings_in(tmp_path)).tables()
    expected = {
        "runs": "no table 'gold.pipeline_runs'; expected one that `python pipeline.py run` has made; there is none yet",
        "serve": "the lake has no forecast and no model; `python pipeline.py run` makes them (steps ml/forecast and ml/train)",
    }
    for command, words in expected.items():
        assert str(CliRunner().invoke(pipeline(), [command, "--lake", str(tmp_path / "lake")]).exception) == words
    done = CliRunner().invoke(
        pipeline(), ["run", "--step", "gold/sales", "--lake", str(tmp_path / "lake"), "--landing", str(tmp_path / "landing")]
    )
    assert "Nothing to do: no step has anything new to read" in done.output


def test_a_source_that_cannot_be_served_is_told_with_those_that_can(erp: Settings) -> None:
    Path(erp.lake, "models", "erp_br").mkdir(parents=True)
    index = Index(source="erp_br", champion="v1").model_dump_json()
    Path(erp.lake, "models", "erp_br", INDEX).write_text(index, encoding="utf-8")
    assert known_source(erp, "erp_br") == "erp_br"
    with pytest.raises(ModelError, match="no forecast and no model of source nope; expected --source with one of erp_br"):
        known_source(erp, "nope")
