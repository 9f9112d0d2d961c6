"""The command line works from whatever folder it is started in, as a scheduler starts it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.nights import REPOSITORY

from sales_tech.settings import Settings, asset


def test_the_project_s_folders_are_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("notebooks", "sources", "lambda", "dashboards"):
        assert asset(name) == REPOSITORY / name
    assert Settings.load().sources == (REPOSITORY / "sources",)
    assert Settings.load().lake == tmp_path / "lake"


def test_a_folder_of_packs_where_one_is_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Settings.load().sources == (tmp_path / "sources",)
