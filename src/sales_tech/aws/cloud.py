"""The lake on AWS: S3, the Glue Data Catalog, Athena, Secrets Manager."""

from __future__ import annotations

import mimetypes
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sales_tech.aws.catalog import StackCatalog
from sales_tech.aws.connection import Connection, code_of, in_words
from sales_tech.aws.extra import installed_packages
from sales_tech.aws.filesystem import LakeFileSystem
from sales_tech.aws.lease import Lease
from sales_tech.aws.places import BucketPlace
from sales_tech.errors import SettingsError
from sales_tech.ports import LAYERS
from sales_tech.settings import PREFIX, Settings, given_hash_key

if TYPE_CHECKING:
    from sales_tech.aws.warehouse import Athena

_TYPES = {".ipynb": "application/x-ipynb+json", ".json": "application/json", ".html": "text/html; charset=utf-8"}


class CloudPlatform:
    """One stack's lake, as its settings name it."""

    def __init__(self, settings: Settings) -> None:
        assert settings.aws is not None
        self._settings, self._aws = settings, settings.aws
        self._connection = Connection()
        self.renews_itself = self._connection.renews_itself
        self._lease = Lease(self._connection, str(settings.lake))

    @cached_property
    def catalog(self) -> StackCatalog:
        """The Iceberg catalog in Glue."""
        return StackCatalog(self._connection, str(self._settings.lake), self._aws.database_prefix, self._lease.check)

    @property
    def exists(self) -> bool:
        """Whether any table was ever made; what readers may see is looked at first."""
        return any(self.catalog.list_tables(self.identifier(layer)) for layer in reversed(LAYERS))

    @cached_property
    def lake(self) -> BucketPlace:
        """The lake's part of its bucket."""
        return BucketPlace(self._connection, str(self._settings.lake), self._settings.work)

    @cached_property
    def landing(self) -> BucketPlace:
        """The bucket where files arrive; SettingsError where the settings name none."""
        if not self._settings.landing:
            raise SettingsError(f"{PREFIX}LANDING is not set; expected s3://bucket, where files and events arrive")
        return BucketPlace(self._connection, str(self._settings.landing), self._settings.work)

    @cached_property
    def warehouse(self) -> Athena:
        """Athena; imported only here, since a night asks no query."""
        with installed_packages():
            from sales_tech.aws.warehouse import Athena
        return Athena(self._connection, self._aws.workgroup)

    @cached_property
    def filesystem(self) -> LakeFileSystem:
        """S3 for the embedded engine."""
        return LakeFileSystem(self._connection.arrow, self._connection.client("s3"))

    def identifier(self, table: str) -> str:
        """The table in the stack's database."""
        return f"{self._aws.database_prefix}{table}"

    def table(self, identifier: tuple[str, ...]) -> str | None:
        """The table's own name, None for one of another stack's databases."""
        database, name = identifier[-2:]
        layer = database.removeprefix(self._aws.database_prefix)
        return f"{layer}.{name}" if layer in LAYERS and database.startswith(self._aws.database_prefix) else None

    def lock(self) -> AbstractContextManager[None]:
        """Hold the lake's lease; LakeError where another run does."""
        return self._lease.held()

    def step(self) -> AbstractContextManager[None]:
        """Nothing to hold: each commit asks whether the pipeline's lease still stands."""
        return nullcontext()

    def in_words(self, what: str) -> AbstractContextManager[None]:
        """Turn what AWS refuses into a LakeError."""
        return in_words(what)

    def check_lock(self) -> None:
        """LakeError where the lease of this process was taken over."""
        self._lease.check()

    def hash_key(self) -> bytes:
        """The key in SALES_TECH_HASH_KEY, or that in Secrets Manager; SettingsError where there is neither."""
        return given_hash_key() or self._secret

    def publish(self, folder: Path) -> None:
        """Upload a run's folder to `runs/<run id>` of the lake."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
                self.lake.upload(path, f"runs/{folder.name}/{path.relative_to(folder).as_posix()}", kind)

    @cached_property
    def _secret(self) -> bytes:
        name = self._aws.hash_key_secret
        if not name:
            expected = f"{PREFIX}HASH_KEY_SECRET to name a secret of Secrets Manager, or {PREFIX}HASH_KEY to hold the key itself"
            raise SettingsError(f"the key of the personal-data hash is not set; expected {expected}")
        with in_words(f"reading the secret {name}"):
            try:
                answer = self._connection.client("secretsmanager").get_secret_value(SecretId=name)
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
                raise SettingsError(f"{PREFIX}HASH_KEY_SECRET names {name!r}, which is no secret in {self._connection.region}") from error
        key: bytes = answer["SecretString"].encode() if answer.get("SecretString") else answer.get("SecretBinary", b"")
        if not key.strip():
            raise SettingsError(f"the secret {name} is empty; expected the key of the personal-data hash")
        return key.strip()
