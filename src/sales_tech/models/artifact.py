"""A fitted planner as a folder of files that are checked before they are read.

manifest.json             what the files are, their checksums, and the code and libraries that wrote them
planner.skops             the fitted planner, for a newer past to be observed
outlook.json, outlook/    what answers plans, as Parquet; nothing else is read to serve
card.json, card.md        what the model is, and how good
"""

from __future__ import annotations

import atexit
import copy
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sales_tech.errors import ModelError
from sales_tech.models.archive import unpack
from sales_tech.models.card import ModelCard
from sales_tech.models.manifest import MANIFEST, Manifest, check_digest, digest_of, model_code, sum_of
from sales_tech.models.parquet import read_frame, write_frame

if TYPE_CHECKING:
    from sales_tech.planning import Outlook, PromotionPlanner, SourcePast

PLANNER, OUTLOOK, CARD, CARD_TEXT = "planner.skops", "outlook.json", "card.json", "card.md"
FRAMES = ("baseline", "members", "prices", "rates", "regions", "response")
FILES = frozenset((PLANNER, OUTLOOK, CARD, CARD_TEXT, *(f"outlook/{name}.parquet" for name in FRAMES)))


@dataclass(frozen=True)
class Artifact:
    """A checked artifact: its folder, its manifest, and the digest that stands for it."""

    folder: Path
    manifest: Manifest
    digest: str

    def card(self) -> ModelCard:
        """What the model says of itself."""
        return ModelCard.model_validate_json((self.folder / CARD).read_bytes())

    def outlook(self) -> Outlook:
        """What answers plans; ModelError where its files are not those of an outlook."""
        from sales_tech.planning.outlook import Outlook

        try:
            about = json.loads((self.folder / OUTLOOK).read_bytes())
            return Outlook.from_frames({name: read_frame(self.folder / f"outlook/{name}.parquet") for name in FRAMES}, about)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise ModelError(f"{self.folder / OUTLOOK} is no outlook of this program: {error}. Train the model anew") from error

    def planner(self) -> PromotionPlanner:
        """The fitted planner; ModelError where other code wrote it, whose learnt numbers may mean other things to this one."""
        from sales_tech.models.learned import read_learned

        if self.manifest.code != model_code():
            raise ModelError(
                f"{self.folder / PLANNER} was fitted by code {self.manifest.code} of version {self.manifest.code_version}, this is code "
                f"{model_code()}: what it learnt may mean another thing now. Train it anew; its outlook still answers plans"
            )
        planner: PromotionPlanner = read_learned(self.folder / PLANNER)
        planner.outlook_ = self.outlook()
        return planner


def write_artifact(folder: Path, planner: PromotionPlanner, card: ModelCard) -> Artifact:
    """Write a fitted planner and its card into a folder that is new or empty."""
    from sales_tech.models.learned import write_learned

    folder.mkdir(parents=True, exist_ok=True)
    if next(folder.iterdir(), None) is not None:
        raise ModelError(f"{folder} is not empty; expected a folder for a new model, in which nothing of another one lies")
    outlook, learnt = planner.outlook_, copy.copy(planner)
    del learnt.outlook_
    write_learned(learnt, folder / PLANNER)
    (folder / CARD).write_text(card.model_dump_json(indent=1), encoding="utf-8")
    (folder / CARD_TEXT).write_text(card.markdown(), encoding="utf-8")
    return _completed(folder, outlook, card.source)


def write_refreshed(folder: Path, artifact: Artifact, past: SourcePast) -> Artifact:
    """Write an artifact whose planner is that of another one and has seen a newer past into a new folder; the card stays what it was.

    ModelError where other code fitted the planner.
    """
    outlook = artifact.planner().observe(past).outlook_
    folder.mkdir(parents=True)
    for name in (PLANNER, CARD, CARD_TEXT):
        shutil.copyfile(artifact.folder / name, folder / name)
    return _completed(folder, outlook, artifact.manifest.source)


def _completed(folder: Path, outlook: Outlook, source: str) -> Artifact:
    (folder / "outlook").mkdir()
    for name, frame in outlook.to_frames().items():
        write_frame(frame, folder / f"outlook/{name}.parquet")
    (folder / OUTLOOK).write_text(json.dumps(outlook.about), encoding="utf-8")
    manifest = Manifest.of(folder, source)
    if set(manifest.files) != FILES:
        raise ModelError(f"the model was written as {', '.join(sorted(manifest.files))}; expected {', '.join(sorted(FILES))}")
    return Artifact(folder, manifest, manifest.write(folder / MANIFEST))


def open_artifact(place: Path, digest: str | None = None) -> Artifact:
    """A folder, or a model.tar.gz, which is unpacked beside the machine's temporary files, once all of it has been checked.

    `digest` is what the registry, which is kept apart from the artifact, names. ModelError, each with its own sentence, for
    another digest, another format, a file that was changed, is missing, or does not belong to a model. Nothing of the
    planner or the outlook is read yet.
    """
    folder = place
    if place.is_file():
        folder = Path(tempfile.mkdtemp(prefix="sales-tech-model-"))
        # Whoever opened it may read from it for as long as the process lives.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        unpack(place, folder, {MANIFEST, *FILES})
    if not folder.is_dir():
        raise ModelError(f"{place} is not there; expected the folder of a model, or its model.tar.gz")
    path = folder / MANIFEST
    manifest = Manifest.read(path)
    if digest is not None:
        check_digest(path, digest)
    found = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if not one.is_dir()} - {MANIFEST}
    if missing := sorted(FILES - set(manifest.files)):
        raise ModelError(f"{path} names no {', '.join(missing)}; expected all files of a model. It is not whole: train it anew")
    if strange := sorted(set(manifest.files) - FILES):
        raise ModelError(f"{path} names {', '.join(strange)}, which no model of this program has. Take it from where it was registered")
    if lost := sorted(set(manifest.files) - found):
        raise ModelError(f"{folder} lacks {', '.join(lost)}, which its manifest names. Fetch the model again")
    if more := sorted(found - set(manifest.files)):
        raise ModelError(f"{folder} holds {', '.join(more)}, which its manifest does not name; nothing was read. Remove it")
    for name, expected in manifest.files.items():
        if (folder / name).is_symlink() or sum_of(folder / name) != expected:
            raise ModelError(
                f"{folder / name} is not the file that the manifest names: its checksum differs. It was changed or damaged after "
                "the model was written; fetch the model again"
            )
    return Artifact(folder, manifest, digest_of(path))
