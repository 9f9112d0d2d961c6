"""The project's command line, called in this process or as a user calls it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import click
from tests.support.nights import HASH_KEY, REPOSITORY


def pipeline() -> click.Group:
    """The click group in pipeline.py."""
    spec = importlib.util.spec_from_file_location("pipeline", REPOSITORY / "pipeline.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def call(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python pipeline.py ...` as its own process."""
    command = [sys.executable, str(REPOSITORY / "pipeline.py"), *map(str, words)]
    given = {**os.environ, "SALES_TECH_HASH_KEY": HASH_KEY, "COLUMNS": "200", **environment}
    return subprocess.run(command, capture_output=True, text=True, env=given, cwd=REPOSITORY, timeout=300, check=False)
