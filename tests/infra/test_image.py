"""The image's recipe, line by line: there is no docker where the tests run."""

from __future__ import annotations

import json
import re

from tests.support.nights import REPOSITORY

FOLDER = REPOSITORY / "infra" / "image"


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (FOLDER / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def all_of(name: str) -> list[str]:
    return [rest for found, rest in instructions() if found == name]


def test_the_base_is_pinned_to_a_patch_and_a_release_of_debian() -> None:
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", *all_of("FROM"))


def test_nobody_runs_as_root() -> None:
    order = [name for name, _ in instructions()]
    assert all_of("USER") == ["salestech"]
    assert order.index("USER") > max(position for position, name in enumerate(order) if name in ("RUN", "COPY"))


def test_the_lock_is_installed_before_the_wheel_and_nothing_is_resolved() -> None:
    assert all_of("COPY") == ["requirements/aws.txt /tmp/requirements.txt", "dist/sales_tech-*.whl /tmp/"]
    installs = [line for line in all_of("RUN") if "pip install" in line]
    assert installs == ["pip install --no-deps --requirement /tmp/requirements.txt", "pip install --no-deps /tmp/sales_tech-*.whl"]
    steps = [rest for name, rest in instructions() if name in ("COPY", "RUN")]
    assert steps.index(installs[0]) < steps.index("dist/sales_tech-*.whl /tmp/"), "a new wheel must not install the lock again"


def test_a_container_runs_a_night_unless_told_otherwise() -> None:
    assert [json.loads(line) for line in all_of("ENTRYPOINT")] == [["sales-tech"]]
    assert [json.loads(line) for line in all_of("CMD")] == [["night"]]
    assert "PYTHONUNBUFFERED=1" in all_of("ENV")[0]


def test_nothing_else_is_sent_to_the_builder() -> None:
    lines = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["*", "!requirements/aws.txt", "!dist/sales_tech-*.whl"]


def test_the_recipe_holds_no_secret() -> None:
    assert not all_of("ARG")
    assert not re.search(r"(?i)secret|password|token|aws_access", (FOLDER / "Dockerfile").read_text(encoding="utf-8"))
