"""What the documents say is what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest
import yaml
from tests.support.command_line import pipeline
from tests.support.nights import REPOSITORY

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.contracts.dictionary import data_dictionary
from sales_tech.contracts.pack import FileColumn, FileContract
from sales_tech.contracts.table import table_names
from sales_tech.orchestration.steps import STEPS
from sales_tech.settings import PREFIX, Aws, Settings

READMES = ("README.md", "README.pt-BR.md")


def text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_the_data_dictionary_is_current() -> None:
    assert text("docs/tables.md") == data_dictionary(), "run `make docs`"


def test_every_table_is_in_the_data_dictionary() -> None:
    assert [name for name in table_names() if f"## {name}\n" not in text("docs/tables.md")] == []


@pytest.mark.parametrize("readme", READMES)
def test_every_option_of_run_is_in_the_readmes(readme: str) -> None:
    options = [option for parameter in pipeline().commands["run"].params for option in parameter.opts]
    assert options
    assert [option for option in options if f"`{option}`" not in text(readme)] == []


@pytest.mark.parametrize("readme", READMES)
def test_every_command_and_step_is_in_the_readmes(readme: str) -> None:
    shown = [name for name in pipeline().commands if f"pipeline.py {name}" not in text(readme)]
    assert shown == []
    assert [step.name for step in STEPS if f"`{step.name}`" not in text(readme)] == []


def test_the_readmes_have_the_same_headings_commands_and_pictures() -> None:
    english, portuguese = (text(name) for name in READMES)
    for pattern in (r"^#+ ", r"^```", r"^make \w+", r"^!\[", r"^\| `"):
        assert len(re.findall(pattern, english, re.M)) == len(re.findall(pattern, portuguese, re.M)), pattern


@pytest.mark.parametrize("readme", READMES)
def test_every_file_that_a_readme_names_is_there(readme: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text(readme)) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (REPOSITORY / link).exists()] == []


def test_every_setting_of_a_pack_is_explained() -> None:
    page = text("docs/packs.md")
    settings = {*FileContract.model_fields, *FileColumn.model_fields} - {"kind", "columns"}
    assert [name for name in sorted(settings) if not re.search(rf"^{name}:|\| `{name}` \|", page, re.M)] == []


def test_the_pack_and_the_calendar_in_the_documentation_are_valid_ones() -> None:
    page = text("docs/packs.md")
    example, calendar = re.findall(r"```yaml\n(.*?)```", page, re.S)
    contract = FileContract.model_validate({"kind": "sales", **yaml.safe_load(example)})
    assert contract.key == ["order", "item"]
    assert [*RetailCalendar.model_validate(yaml.safe_load(calendar)).occasions] == ["aniversário"]


def test_the_variables_of_the_readme_are_settings() -> None:
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", text("README.md")))
    source = text("src/sales_tech/settings.py")
    assert named
    # Read by their own name, or by that of the argument of Settings.load which they stand for.
    known = {f"{PREFIX}{word.upper()}" for word in re.findall(r'"([A-Za-z_]+)"', source)} | {
        f"{PREFIX}{name.upper()}" for name in Settings.__dataclass_fields__
    }
    assert named - known == set()


@pytest.mark.parametrize("readme", READMES)
def test_every_setting_is_in_the_readmes(readme: str) -> None:
    fields = {*Settings.__dataclass_fields__, *Aws.__dataclass_fields__} - {"aws"}
    assert [name for name in sorted(fields) if f"`{PREFIX}{name.upper()}`" not in text(readme)] == []


def test_every_target_of_make_is_told_by_make_help() -> None:
    makefile = text("Makefile")
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.M)
    assert [target for target in targets.split() if not re.search(rf"^{target}:.*## ", makefile, re.M)] == []


def test_the_locks_hold_what_was_promised_and_no_index_address() -> None:
    promised = {
        "base": "jupyterlab papermill pandas scikit-learn duckdb pyiceberg",
        "aws": "awswrangler boto3",
        "dev": "awswrangler boto3 moto nbval pytest sagemaker-train",
        "sagemaker": "awswrangler boto3 sagemaker-train",
    }
    for name, packages in promised.items():
        lock = text(f"requirements/{name}.txt")
        assert "://" not in lock
        assert "--" not in lock
        pinned = set(re.findall(r"^([\w.-]+)==", lock, re.M))
        assert set(packages.split()) <= pinned


def test_the_locks_agree_with_each_other_and_with_the_project() -> None:
    base = set(text("requirements/base.txt").splitlines())
    dev = {line.partition(" ;")[0] for line in text("requirements/dev.txt").splitlines()}
    assert {line.partition(" ;")[0] for line in base} <= dev
    project = tomllib.loads(text("pyproject.toml"))["project"]
    wanted = {re.split(r"[\[<>=]", dependency)[0] for dependency in project["dependencies"]}
    assert wanted <= set(re.findall(r"^([\w.-]+)==", text("requirements/base.txt"), re.M))


def test_the_conda_environment_takes_the_locks() -> None:
    environment = yaml.safe_load(text("environment.yml"))
    (pip,) = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    files = [Path(line.split()[1]) for line in pip if line.startswith("--requirement")]
    assert files
    assert all((REPOSITORY / file).is_file() for file in files)


def test_every_command_has_a_help_text() -> None:
    assert [name for name, command in pipeline().commands.items() if not isinstance(command, click.Command) or not command.help] == []
