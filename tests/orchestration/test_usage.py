"""What a wrong option ends with: a scheduler takes exit code 2 for rejected files."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from tests.support.command_line import pipeline

from sales_tech.errors import SettingsError
from sales_tech.settings import Settings


@pytest.mark.parametrize("words", ["run --nope", "--nope", "nope", "plan-promotion --days none", "serve --port 0"])
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
