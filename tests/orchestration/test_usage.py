"""What a wrong option ends with: a scheduler takes exit code 2 for rejected files."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.command_line import pipeline
from tests.support.nights import settings_in

from sales_tech import __version__
from sales_tech.errors import LakeError, SettingsError
from sales_tech.orchestration.dashboard import make_page
from sales_tech.settings import Settings


@pytest.mark.parametrize(
    "words", ["run --nope", "--nope", "nope", "plan-promotion --days none", "serve --port 0", "twin x --seed -1", "scorecard --seed -1"]
)
def test_a_wrong_option_is_a_failure_and_no_rejected_file(words: str) -> None:
    told = CliRunner().invoke(pipeline(), words.split())
    assert told.exit_code == 1
    assert "Error: " in told.output


def test_a_wrong_value_is_named_by_what_was_given_or_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"^the engine that was given is 'foo'; expected duckdb or spark"):
        Settings.load(engine="foo")
    monkeypatch.setenv("SALES_TECH_ENGINE", "foo")
    with pytest.raises(SettingsError, match=r"^SALES_TECH_ENGINE is 'foo'; expected duckdb or spark"):
        Settings.load()


@pytest.mark.parametrize("setting", ["lake", "landing", "sources", "engine"])
def test_what_is_given_empty_is_refused_and_no_other_taken_for_it(setting: str) -> None:
    with pytest.raises(SettingsError, match=rf"^the {setting} that was given is empty; expected a value, or none of it at all"):
        Settings.load(**{setting: " "})


@pytest.mark.parametrize(
    "words", [["-- net sales\nselect 1", "--format", "csv"], ["--format", "csv", "-- net\nselect 1"], ["--", "--\nselect 1"]]
)
def test_a_query_may_begin_with_a_comment(words: list[str]) -> None:
    error = CliRunner().invoke(pipeline(), ["query", "--lake", "nowhere", *words]).exception
    assert isinstance(error, LakeError), error


def test_each_command_is_told_by_a_whole_sentence() -> None:
    for words in ("--help", "endpoint --help"):
        told = CliRunner().invoke(pipeline(), words.split()).output
        assert "..." not in told.partition("Commands:")[2]
    assert " ".join(told.split()).endswith("versions List the registered models, the newest first, and which of them is served.")


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(pipeline(), ["--version"]).output == f"{__version__}\n"


def refused(*words: str | Path) -> str:
    """What a command raises on purpose."""
    error = CliRunner().invoke(pipeline(), list(map(str, words))).exception
    assert isinstance(error, SettingsError), error
    return str(error)


def test_a_file_where_the_lake_should_be_is_told_by_commands_that_would_make_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "landing").mkdir()
    for command in ("run", "plan"):
        told = refused(command, "--lake", tmp_path / "file", "--landing", tmp_path / "landing")
        assert told == f"the lake that was given is '{tmp_path / 'file'}', a file; expected a folder"


def test_a_port_of_the_environment_that_cannot_be_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_BIND_TO_PORT", "http")
    assert refused("serve") == "SAGEMAKER_BIND_TO_PORT is 'http'; expected a port from 1 to 65535"


def test_the_twin_is_written_into_folders_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "'s3://bucket'" in refused("twin", "s3://bucket")
    assert refused("twin", "").startswith("the landing that was given is empty; expected a value")
    assert not any(tmp_path.iterdir())


def test_a_page_without_a_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^the output is '\.'; expected a file such as dashboard\.html"):
        make_page(settings_in(tmp_path), Path())
