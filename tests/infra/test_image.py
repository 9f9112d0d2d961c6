"""The image's recipe, line by line: there is no docker where the tests run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from tests.support.nights import REPOSITORY

from sales_tech.cli import main

FOLDER = REPOSITORY / "infra" / "image"


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (FOLDER / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def all_of(name: str) -> list[str]:
    return [rest for found, rest in instructions() if found == name]


def test_the_base_is_pinned_to_a_patch_and_a_release_of_debian() -> None:
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", *all_of("FROM"))


def test_the_container_runs_as_root_as_sagemaker_expects_of_all_containers() -> None:
    # "SageMaker AI expects all containers to run with root users. Create your container so that it uses only root users": SageMaker
    # Developer Guide, "Custom Inference Code with Hosting Services"; that another may not write: aws/sagemaker-python-sdk, issue 4764.
    assert not all_of("USER")
    assert all_of("WORKDIR") == ["/opt/sales-tech"], "a folder of its own, where no file is taken for the project's"


def test_the_lock_is_installed_before_the_wheel_and_nothing_is_resolved() -> None:
    assert all_of("COPY")[:2] == ["requirements/aws.txt /tmp/requirements.txt", "dist/sales_tech-*.whl /tmp/"]
    installs = [line for line in all_of("RUN") if "pip install" in line]
    assert installs == ["pip install --no-deps --requirement /tmp/requirements.txt", "pip install --no-deps /tmp/sales_tech-*.whl"]
    steps = [rest for name, rest in instructions() if name in ("COPY", "RUN")]
    assert steps.index(installs[0]) < steps.index("dist/sales_tech-*.whl /tmp/"), "a new wheel must not install the lock again"


def test_a_container_runs_a_night_unless_told_otherwise() -> None:
    assert [json.loads(line) for line in all_of("CMD")] == [["sales-tech", "night"]]
    assert not all_of("ENTRYPOINT"), "SageMaker's `train` and `serve` would become its arguments"
    assert "PYTHONUNBUFFERED=1" in all_of("ENV")[0]


@pytest.mark.parametrize(("word", "command"), [("train", "train-job"), ("serve", "serve")])
def test_the_words_of_sagemaker_run_the_command_line_with_what_they_are_given(word: str, command: str, tmp_path: Path) -> None:
    *_, copied = all_of("COPY")
    mode, *files, place = copied.split()
    assert (mode, place) == ("--chmod=755", "/usr/local/bin/")
    assert f"infra/image/{word}" in files
    (program := tmp_path / "sales-tech").write_text('#!/bin/sh\necho "$0 $@"\n')
    program.chmod(0o755)
    shell = f"{tmp_path}{os.pathsep}{os.defpath}"
    done = subprocess.run([str(FOLDER / word), "a b"], env={"PATH": shell}, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == f"{program} {command} a b\n"
    assert command in main.commands


def test_the_port_of_sagemaker_is_told() -> None:
    assert all_of("EXPOSE") == ["8080"]


@pytest.mark.parametrize("package", ["pandas", "scikit-learn", "skops", "starlette", "uvicorn"])
def test_the_lock_of_the_image_has_what_a_model_needs(package: str) -> None:
    lock = (REPOSITORY / "requirements" / "aws.txt").read_text(encoding="utf-8")
    assert re.search(rf"^{package}==", lock, flags=re.MULTILINE)


def test_the_image_is_built_in_the_only_format_that_sagemaker_takes() -> None:
    # "Unsupported manifest media type application/vnd.oci.image...": aws/amazon-sagemaker-feedback, issue 180; mlflow, issue 13834.
    told = (REPOSITORY / "docs" / "aws.md").read_text(encoding="utf-8").replace("\\\n", " ")
    (build,) = (line.split() for line in told.splitlines() if line.startswith("docker build"))
    assert build[:3] == ["docker", "buildx", "build"]
    assert {"--provenance=false", "--sbom=false"} <= set(build), "either makes an index of the image"
    assert {"push=true", "oci-mediatypes=false"} <= set(build[build.index("--output") + 1].split(","))
    assert "docker push" not in {" ".join(line.split()[:2]) for line in told.splitlines()}


def test_nothing_else_is_sent_to_the_builder() -> None:
    lines = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "*",
        "!requirements/aws.txt",
        "!dist/sales_tech-*.whl",
        "!infra/image/train",
        "!infra/image/serve",
    ]


def test_the_recipe_holds_no_secret() -> None:
    assert not all_of("ARG")
    assert not re.search(r"(?i)secret|password|token|aws_access", (FOLDER / "Dockerfile").read_text(encoding="utf-8"))
