"""The models of a lake: numbered versions of each source, which of them is the champion, and what was decided when.

    models/<source>/index.json             champion, versions with their digests, decisions
    models/<source>/v0001/model.tar.gz     the artifact
    models/<source>/v0001/card.json, card.md
    models/<source>/v0001/refreshed/<digest>/model.tar.gz     the same with newer sales, for an endpoint

The index is replaced at once or not at all, and written last: a version that it does not name was never registered.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sales_tech.errors import ModelError
from sales_tech.models.archive import ARCHIVE, pack
from sales_tech.models.artifact import CARD, CARD_TEXT, Artifact, open_artifact
from sales_tech.models.card import ModelCard
from sales_tech.platform import Place, platform_of
from sales_tech.runs import exclusive
from sales_tech.settings import Settings

if TYPE_CHECKING:
    from sales_tech.planning import PromotionPlanner

INDEX = "index.json"
MOST_DECISIONS = 200
MOST_REFRESHED = 4
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]*")
_VERSION = re.compile(r"v(\d{4,})")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Version(_Part):
    """One registered model: its digest, the last day it learnt from, when it was registered, the code by which it was fitted."""

    version: str
    digest: str
    origin: date
    registered_at: datetime
    code: str
    size: int


class Decided(_Part):
    """One decision on a new model: the last day of sales it knew, by which code and calendar, what, why, and the version if any.

    `sales_until` is the last day with any sale, which may lie after `origin` where the newest days are not whole, and `units`
    what was sold up to it; None for decisions of before that was kept.
    """

    origin: date | None
    sales_until: date
    decided_at: datetime
    code: str
    outcome: str
    reason: str
    version: str | None = None
    calendar: str = ""
    units: float | None = None


class Index(_Part):
    """What a source's index says."""

    format_version: Literal[1] = 1
    source: str
    champion: str | None = None
    versions: list[Version] = Field(default_factory=list)
    decisions: list[Decided] = Field(default_factory=list)

    def named(self, version: str) -> Version:
        """The version of that name; ModelError for one that is not registered."""
        for one in self.versions:
            if one.version == version:
                return one
        known = ", ".join(one.version for one in self.versions) or "none yet"
        raise ModelError(f"{self.source} has no model {version}; expected one of {known}")


class Registry:
    """The models in a lake."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._place: Place = platform_of(settings).lake

    def index(self, source: str) -> Index:
        """What is registered of a source, an empty index where nothing is; ModelError for one that cannot be read."""
        name = f"{_folder(source)}/{INDEX}"
        try:
            with self._place.open(name) as file:
                return Index.model_validate_json(file.read())
        except FileNotFoundError:
            return Index(source=source)
        except ValidationError as error:
            raise ModelError(
                f"{name} in the lake is no index of models: {error.errors()[0]['msg']}. Restore it, or remove it to begin anew"
            ) from error

    def sources(self) -> list[str]:
        """The sources that have a champion."""
        return [source for source in self.decided() if self.index(source).champion is not None]

    def decided(self) -> list[str]:
        """The sources of which a model was tried at all."""
        found = [entry.name.split("/") for entry in self._place.entries("models")]
        return sorted({parts[1] for parts in found if len(parts) == 3 and parts[2] == INDEX})

    def card(self, source: str) -> ModelCard:
        """The card of a source's champion; ModelError where there is none that can be read."""
        name = f"{_folder(source)}/{self._named(source, None)[0]}/{CARD}"
        try:
            with self._place.open(name) as file:
                return ModelCard.model_validate_json(file.read())
        except FileNotFoundError as error:
            raise _lost(name) from error
        except ValidationError as error:
            raise ModelError(
                f"{name} in the lake is no card of a model: {error.errors()[0]['msg']}. Restore it, or have ml/train fit another"
            ) from error

    def versions(self, source: str) -> list[Version]:
        """The registered models of a source, the oldest first."""
        return self.index(source).versions

    def champion(self, source: str) -> Version | None:
        """The model that is in use, None where there is none."""
        index = self.index(source)
        return None if index.champion is None else index.named(index.champion)

    def digest(self, source: str) -> str:
        """The digest of a source's champion, an empty text where it has none."""
        champion = self.champion(source)
        return "" if champion is None else champion.digest

    def planner(self, source: str) -> PromotionPlanner | None:
        """The fitted planner of a source's champion; None where it has none, or none that this code can go on with."""
        if self.champion(source) is None:
            return None
        try:
            return self.open(source).planner()
        except ModelError:
            # ml/train has told of it, and fits another one.
            return None

    def open(self, source: str, version: str | None = None) -> Artifact:
        """The artifact of a version, by default the champion's, checked against the digest that the index names."""
        name, digest = self._named(source, version)
        place = f"{_folder(source)}/{name}/{ARCHIVE}"
        try:
            archive = self._place.fetch(place)
            if not archive.is_file():
                raise FileNotFoundError(archive)
            return open_artifact(archive, digest)
        except FileNotFoundError as error:
            raise _lost(place) from error

    def register(
        self, artifact: Artifact, card: ModelCard, sales_until: date | None = None, *, units: float | None = None, calendar: str = ""
    ) -> Version:
        """Keep an artifact as the next version and make it the champion, as the lake's only writer."""
        with exclusive(self._settings):
            index = self.index(card.source)
            number = 1 + max([0, *self._numbers(card.source, index)])
            name = f"v{number:04d}"
            with tempfile.TemporaryDirectory(dir=self._scratch()) as work:
                archive = Path(work) / ARCHIVE
                pack(artifact.folder, archive)
                size = archive.stat().st_size
                for file in (CARD, CARD_TEXT):
                    shutil.copyfile(artifact.folder / file, Path(work) / file)
                    self._place.keep(Path(work) / file, f"{_folder(card.source)}/{name}/{file}")
                self._place.keep(archive, f"{_folder(card.source)}/{name}/{ARCHIVE}")
            now = datetime.now(UTC)
            version = Version(version=name, digest=artifact.digest, origin=card.origin, registered_at=now, code=card.code, size=size)
            told = Decided(
                origin=card.origin,
                sales_until=sales_until or card.origin,
                decided_at=now,
                code=card.code,
                outcome=card.decision.outcome,
                reason=card.decision.reason,
                version=name,
                calendar=calendar,
                units=units,
            )
            self._write(index, champion=name, versions=[*index.versions, version], decisions=[*index.decisions, told])
            return version

    def keep_refreshed(self, version: Version, artifact: Artifact, served: str) -> str:
        """Keep a version's artifact that has seen newer sales, and hand back its place below the lake; it is no version of its own.

        Of earlier ones the newest stay, and the one whose address is `served`.
        """
        below = f"{_folder(artifact.manifest.source)}/{version.version}/refreshed"
        place = f"{below}/{artifact.digest.removeprefix('sha256:')}/{ARCHIVE}"
        with exclusive(self._settings):
            earlier = sorted(self._place.entries(below), key=lambda entry: entry.modified_ns, reverse=True)
            with tempfile.TemporaryDirectory(dir=self._scratch()) as work:
                archive = Path(work) / ARCHIVE
                pack(artifact.folder, archive)
                self._place.keep(archive, place)
            self._place.remove([one.name for one in earlier[MOST_REFRESHED:] if one.name != place and not served.endswith(f"/{one.name}")])
        return place

    def decide(self, source: str, decided: Decided) -> None:
        """Keep the decision not to register a model, so that none is tried again on the same sales."""
        with exclusive(self._settings):
            index = self.index(source)
            self._write(index, decisions=[*index.decisions, decided])

    def crown(self, source: str, version: str) -> None:
        """Make a registered version the champion again."""
        with exclusive(self._settings):
            index = self.index(source)
            self._write(index, champion=index.named(version).version)

    def _named(self, source: str, version: str | None) -> tuple[str, str]:
        # A registered version, by default the champion, and its digest.
        index = self.index(source)
        name = version or index.champion
        if name is None:
            raise ModelError(f"{source} has no model yet; run `python pipeline.py run`, whose step ml/train fits one")
        return name, index.named(name).digest

    def _numbers(self, source: str, index: Index) -> list[int]:
        # Also of what a run that was killed left behind, and of what is lost: no number is given twice.
        below = f"{_folder(source)}/"
        names = [entry.name.removeprefix(below) for entry in self._place.entries(_folder(source))]
        return [int(found[1]) for name in (*names, *(one.version for one in index.versions)) if (found := _VERSION.match(name))]

    def _write(self, index: Index, **changed: object) -> None:
        told = index.model_copy(update=changed)
        told = told.model_copy(update={"decisions": told.decisions[-MOST_DECISIONS:]})
        with _part(self._scratch()) as part:
            part.write_text(told.model_dump_json(indent=1), encoding="utf-8")
            self._place.keep(part, f"{_folder(index.source)}/{INDEX}")

    def _scratch(self) -> Path:
        # On the lake's own disk, where a file can be moved at once.
        folder = self._settings.work / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@contextmanager
def _part(folder: Path) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=".part")
    os.close(descriptor)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _lost(place: str) -> ModelError:
    return ModelError(f"{place} is not in the lake, though the index names it. Restore it, or have ml/train fit another")


def _folder(source: str) -> str:
    if not _SOURCE.fullmatch(source):
        raise ModelError(f"source is {source[:60]!r}; expected the name of a pack, such as erp_br")
    return f"models/{source}"
