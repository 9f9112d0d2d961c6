"""An artifact tells what the planner told, and is refused where it is not what was written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from tests.models.pasts import plan, recipe, small_past

from sales_tech.errors import ModelError
from sales_tech.models import artifact as artifacts
from sales_tech.models.archive import pack
from sales_tech.models.artifact import Artifact, open_artifact, write_artifact
from sales_tech.models.championship import contest
from sales_tech.models.manifest import Manifest
from sales_tech.planning import PromotionPlanner

DEPTHS = [0.05, 0.2, 0.35]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Artifact, PromotionPlanner]:
    past = small_past()
    card = contest(past, "erp_br", {"gold.daily_sales": 7}, None, recipe(), importance=False).card
    planner = recipe().fit(past)
    return write_artifact(tmp_path_factory.mktemp("model") / "model", planner, card), planner


@pytest.fixture
def copy(written: tuple, tmp_path: Path) -> Path:
    """A copy of the artifact that a test may spoil."""
    return Path(shutil.copytree(written[0].folder, tmp_path / "model"))


def test_the_outlook_that_was_stored_answers_with_the_same_numbers(written: tuple) -> None:
    artifact, planner = written
    stored = open_artifact(artifact.folder, artifact.digest).outlook()
    pd.testing.assert_frame_equal(stored.forecast(plan()), planner.outlook_.forecast(plan()), check_exact=True)
    with pytest.warns(UserWarning, match="deeper discount"):
        told = stored.alternatives(plan(), DEPTHS)
    with pytest.warns(UserWarning, match="deeper discount"):
        pd.testing.assert_frame_equal(told, planner.outlook_.alternatives(plan(), DEPTHS), check_exact=True)


def test_every_frame_of_the_outlook_comes_back_with_its_types(written: tuple) -> None:
    artifact, planner = written
    stored = open_artifact(artifact.folder).outlook().to_frames()
    for name, frame in planner.outlook_.to_frames().items():
        pd.testing.assert_frame_equal(stored[name], frame, check_exact=True)


def test_the_planner_that_was_stored_goes_on_from_a_newer_past_as_the_one_that_was_not(written: tuple) -> None:
    artifact, _ = written
    newer = small_past(days=157)
    stored = open_artifact(artifact.folder).planner().observe(newer)
    kept = recipe().fit(small_past()).observe(newer)
    pd.testing.assert_frame_equal(stored.outlook_.baseline, kept.outlook_.baseline, check_exact=True)


def test_an_archive_is_the_same_model_as_its_folder(written: tuple, tmp_path: Path) -> None:
    artifact, planner = written
    pack(artifact.folder, tmp_path / "model.tar.gz")
    opened = open_artifact(tmp_path / "model.tar.gz", artifact.digest)
    assert opened.digest == artifact.digest
    assert opened.manifest == artifact.manifest
    pd.testing.assert_frame_equal(opened.outlook().forecast(plan()), planner.outlook_.forecast(plan()), check_exact=True)


@pytest.mark.parametrize("name", sorted(artifacts.FILES))
def test_one_changed_byte_in_any_file_is_refused(name: str, copy: Path) -> None:
    path = copy / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match=rf"{path.name} is not the file that the manifest names: its checksum differs"):
        open_artifact(copy)


def test_a_model_whose_manifest_was_made_anew_is_not_the_registered_one(written: tuple, copy: Path) -> None:
    path = copy / "outlook.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"horizon": 7}))
    (copy / "manifest.json").unlink()
    Manifest.of(copy, "erp_br").write(copy / "manifest.json")
    open_artifact(copy)  # whole in itself, so that only the registry can tell
    with pytest.raises(ModelError, match=r"which the registry names\. It is another model, or was changed"):
        open_artifact(copy, written[0].digest)


def test_a_missing_file_an_additional_one_and_a_link_are_told_apart(copy: Path) -> None:
    (copy / "code.py").write_text("")
    with pytest.raises(ModelError, match=r"holds code\.py, which its manifest does not name; nothing was read"):
        open_artifact(copy)
    (copy / "code.py").unlink()
    (copy / "card.md").rename(copy.parent / "card.md")
    with pytest.raises(ModelError, match=r"lacks card\.md, which its manifest names"):
        open_artifact(copy)
    (copy / "card.md").symlink_to(copy.parent / "card.md")
    with pytest.raises(ModelError, match=r"card\.md is not the file that the manifest names"):
        open_artifact(copy)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"format": "mlflow"}, "format is 'mlflow'; expected a manifest of sales-tech-model, version 1"),
        ({"format_version": 2}, "format_version is '2'"),
        ({"flavour": "python"}, "flavour is 'python'"),
    ],
)
def test_a_foreign_manifest_is_told_by_its_first_strange_field(changed: dict, words: str, copy: Path) -> None:
    path = copy / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(ModelError, match=words):
        open_artifact(copy)


def test_a_manifest_that_leaves_a_file_out_or_names_a_strange_one_is_refused(copy: Path) -> None:
    path = copy / "manifest.json"
    whole = json.loads(path.read_text())
    files = {name: told for name, told in whole["files"].items() if name != "planner.skops"}
    path.write_text(json.dumps(whole | {"files": files}))
    with pytest.raises(ModelError, match=r"names no planner\.skops"):
        open_artifact(copy)
    path.write_text(json.dumps(whole | {"files": whole["files"] | {"model.pkl": whole["files"]["planner.skops"]}}))
    with pytest.raises(ModelError, match=r"names model\.pkl, which no model of this program has"):
        open_artifact(copy)


@pytest.mark.parametrize("digest", ["", "sha256:", "md5:" + "0" * 32, "sha256:" + "0" * 63 + "G"])
def test_a_digest_that_is_none_is_not_taken_for_one(digest: str, copy: Path) -> None:
    with pytest.raises(ModelError, match="expected sha256: and 64 digits"):
        open_artifact(copy, digest)


def test_an_empty_or_absent_folder_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no manifest\.json"):
        open_artifact(tmp_path)
    with pytest.raises(ModelError, match="is not there"):
        open_artifact(tmp_path / "nowhere")


def test_a_planner_of_other_code_is_not_gone_on_with_but_its_outlook_answers(
    written: tuple, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "model_code", lambda: "0" * 16)
    opened = open_artifact(copy)
    with pytest.raises(ModelError, match=r"what it learnt may mean another thing now\. Train it anew"):
        opened.planner()
    assert len(opened.outlook().forecast(plan())) == 20


def test_a_model_is_not_written_over_another_one(written: tuple, copy: Path) -> None:
    with pytest.raises(ModelError, match="is not empty"):
        write_artifact(copy, written[1], written[0].card())
