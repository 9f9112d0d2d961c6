"""What one supplier's files look like, and how they become tables."""

from __future__ import annotations

import codecs
import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal
from unicodedata import normalize
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sales_tech.contracts.calendar import CALENDAR, RetailCalendar
from sales_tech.contracts.document import Document, Misfit
from sales_tech.contracts.fingerprint import sql_meaning
from sales_tech.contracts.types import ColumnType
from sales_tech.errors import ContractError, Mistakes

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PLACE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")  # of packs and kinds; two _ in a row are kept for views of our own
_DECIMAL = re.compile(r"decimal\(\d+,\s*\d+\)")
_SIMPLE = ("string", "integer", "date", "timestamp", "instant", "boolean")
_TIMED = ("timestamp", "instant")  # these have a local date besides
_DIRECTIVES = "dmyYjbBHIMSfp%"  # those of strptime that every engine has; a zone is not among them
STREAM, STREAM_TABLE = "order_events", "bronze.order_events"
"""The event stream's kind, which every pack has, and the bronze table that all packs share for it."""

_MACHINES_OWN = ("localtime", "posixrules")  # not the same zone on the next machine


class FileColumn(BaseModel):
    """A column of a file: the header it stands under, or several that it has had, and the type its text is read as.

    `format` is strptime's, for dates and timestamps; an `instant` is written by RFC 3339, with its offset
    from UTC. A `personal` column leaves bronze only as a
    keyed hash. A `required` one rejects the row where it is blank; an `optional` one may be missing
    from a file altogether.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    header: str | list[str] = ""
    type: str = "string"
    format: str | None = None
    personal: bool = False
    required: bool = False
    optional: bool = False
    description: str = ""

    @field_validator("header", mode="before")
    @classmethod
    def _texts(cls, value: object) -> object:
        several = isinstance(value, list) and value and all(isinstance(text, str) and text.strip() for text in value)
        if not several and not isinstance(value, str):
            raise ValueError(f"{value!r}; expected the file's text in quotes, or a list of the texts that it has had")
        return value

    @field_validator("type")
    @classmethod
    def _known_type(cls, value: str) -> str:
        if value not in _SIMPLE and not _DECIMAL.fullmatch(value):
            raise ValueError(f"type {value!r}; expected one of {', '.join(_SIMPLE)}, decimal(precision,scale)")
        if value.startswith("decimal"):
            ColumnType.parse(value)
        return value

    @model_validator(mode="after")
    def _format_where_needed(self) -> FileColumn:
        if self.type in ("date", "timestamp") and not self.format:
            raise ValueError(f"a {self.type} without a format; expected format, such as '%d/%m/%Y'")
        if self.type == "instant" and self.format:
            raise Misfit(
                ("format",), f"format {self.format!r} of an instant", "none, since an instant is always like 2026-03-01T10:00:00-03:00"
            )
        directives = re.findall("%-?(.?)", self.format or "")
        for directive in directives:
            if not directive or directive not in _DIRECTIVES:
                known = " ".join(f"%{letter}" for letter in _DIRECTIVES)
                raise Misfit(("format",), f"format {self.format!r} with %{directive}", f"only {known}")
        if self.format and not {"y", "Y"} & set(directives):
            raise Misfit(("format",), f"format {self.format!r} without a year", "%Y or %y in it")
        if "I" in directives and "p" not in directives:
            expected = "%H, or %p besides, without which 03:00 of an afternoon is read as that of a night"
            raise Misfit(("format",), f"format {self.format!r} with %I and no %p", expected)
        if self.personal and self.type != "string":
            raise ValueError(f"personal with type {self.type}; expected type string, since only a hash leaves bronze")
        return self

    @property
    def typed(self) -> ColumnType:
        """The type that the column has after it was read; a personal column is text, its hash."""
        return ColumnType.parse({"integer": "long", "timestamp": "timestamptz", "instant": "timestamptz"}.get(self.type, self.type))


class FileContract(BaseModel):
    """One kind of file of a supplier: where it lands, how it is written, what its columns mean.

    `key` names the columns that make a row the same row as an earlier one, `version` the date or
    timestamp that tells which of two is later (where none is given, or it ties, the later arrival is).
    `wrong_versions` are mistyped ones, as the file writes them: their rows are rejected, and order events of these moments
    where the kind is that of sales.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    description: str = ""
    glob: str
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    header: Literal[True] = True
    decimal: Literal[".", ","] = "."
    timezone: str = "UTC"
    key: list[str] = Field(min_length=1)
    version: str | None = None
    wrong_versions: list[str] = []
    columns: dict[str, FileColumn] = Field(min_length=1)

    @field_validator("delimiter")
    @classmethod
    def _separates(cls, value: str) -> str:
        if value in '"\r\n':
            raise ValueError(f"{value!r}; expected a character such as , ; | or \\t")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)  # codecs knows base64 and the like too, which are no text encodings
            bytes(range(256)).decode(value, "replace")  # and idna and punycode, which are for the names of hosts
            return codecs.lookup(value).name
        except (LookupError, UnicodeError) as error:
            raise ValueError(f"encoding {value!r}; expected a name that Python knows, such as utf-8 or latin-1") from error

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            if value in _MACHINES_OWN:
                raise ValueError(value)
            return ZoneInfo(value).key
        except (OSError, ValueError, ZoneInfoNotFoundError) as error:
            raise ValueError(f"time zone {value!r}; expected an IANA name such as America/Sao_Paulo") from error

    @field_validator("glob")
    @classmethod
    def _below_landing(cls, value: str) -> str:
        path = PurePosixPath(value)
        if not value or path.is_absolute() or ".." in path.parts or any("**" in part and part != "**" for part in path.parts):
            raise ValueError(f"{value!r}; expected a pattern below the landing folder, such as erp_br/vendas_*.csv")
        return value

    @model_validator(mode="after")
    def _names_fit(self) -> FileContract:
        # Names that typed rows need for themselves: a timestamp's local date, the text before it is typed, and a person's text and hash.
        taken = {f"{name}_local_date" for name, column in self.columns.items() if column.type in _TIMED}
        taken |= {f"{name}__text" for name in self.columns} | {f"{name}__{what}" for name in self.personal for what in ("person", "hash")}
        for name in self.columns:
            if name in taken:
                raise Misfit(("columns", name), f"column name {name!r}, which is made from another column", "another name")
            if not _NAME.fullmatch(name):
                expected = "lower-case letters, digits and _ (put the file's own text in header)"
                raise Misfit(("columns", name), f"column name {name!r}", expected)
        for where, names in (("key", self.key), ("version", [self.version] if self.version else [])):
            for name in names:
                if name not in self.columns:
                    raise Misfit((where,), f"{where} names column {name!r}", f"one of {', '.join(self.columns)}")
        if self.version and self.columns[self.version].type not in ("date", *_TIMED):
            found = f"version {self.version!r} of type {self.columns[self.version].type}"
            raise Misfit(("version",), found, "a date, timestamp or instant column")
        headers: dict[str, str] = {}
        for name, texts in self.headers.items():
            for text in texts:
                if text in headers:
                    raise Misfit(("columns", name), f"header {text!r} twice, as in column {headers[text]}", "one column for each header")
                headers[text] = name
        return self

    @property
    def headers(self) -> dict[str, tuple[str, ...]]:
        """Column name to the texts that its header may have in a file, without blanks around them, and composed (NFC)."""
        given = {name: [column.header] if isinstance(column.header, str) else column.header for name, column in self.columns.items()}
        return {name: tuple(normalize("NFC", text.strip()) or name for text in texts) for name, texts in given.items()}

    @property
    def personal(self) -> frozenset[str]:
        """The columns that hold personal data."""
        return frozenset(name for name, column in self.columns.items() if column.personal)

    @property
    def reading(self) -> str:
        """A short hash of what decides which text of a file stands in which bronze column."""
        # Of several texts the order says nothing; one alone is told as it was before there were several.
        told = {name: texts[0] if len(texts) == 1 else sorted(texts) for name, texts in self.headers.items()}
        headers = {name: (text, self.columns[name].optional) for name, text in told.items()}
        return hashlib.sha256(repr((self.delimiter, self.encoding, sorted(headers.items()))).encode()).hexdigest()[:16]

    @property
    def fingerprint(self) -> str:
        """A short hash of all that decides how a file is read and what its columns mean."""
        plain = self.model_dump_json(exclude={"description": True, "columns": {"__all__": {"description"}}})
        return hashlib.sha256(plain.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Mapping:
    """The SQL of a pack that feeds one silver table, in Athena's dialect."""

    table: str
    path: Path
    sql: str


@dataclass(frozen=True)
class Pack:
    """One supplier: its file kinds and mappings; its name is the `source` of its rows."""

    name: str
    folder: Path
    files: dict[str, FileContract]
    mappings: dict[str, Mapping]
    calendar: RetailCalendar = field(default_factory=RetailCalendar)

    def bronze(self, kind: str) -> str:
        """The bronze table of a file kind."""
        return STREAM_TABLE if kind == STREAM else f"bronze.{self.name}_{kind}"

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of the contracts and the mappings; the calendar, which makes no table of sales, is left out."""
        parts = [self.files[kind].fingerprint for kind in sorted(self.files)]
        parts += [f"{table}\n{sql_meaning(self.mappings[table].sql)}" for table in sorted(self.mappings)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def load_pack(folder: Path) -> Pack:
    """Read one pack from its folder; ContractError names file and line of the first mistake in each file."""
    if not folder.is_dir():
        raise ContractError(folder, None, "no such folder", "a folder with a YAML file for each kind of file")
    if not _PLACE.fullmatch(folder.name):
        raise ContractError(folder, None, f"pack name {folder.name!r}", "lower-case letters and digits, with single _ between")
    files, mappings, calendar, mistakes = {}, {}, RetailCalendar(), Mistakes()
    seen: dict[str, Path] = {}
    for path in _named(folder, "*.y*ml"):
        with mistakes.of_one():
            if (first := seen.setdefault(path.stem, path)) is not path:
                raise ContractError(path, None, f"{path.stem} a second time, beside {first.name}", "one YAML file for each kind of file")
            if path.stem == CALENDAR:
                calendar = Document.load(path).validate(RetailCalendar)
                continue
            if not _PLACE.fullmatch(path.stem):
                raise ContractError(path, None, f"file kind {path.stem!r}", "lower-case letters and digits, with single _ between")
            if path.stem == STREAM or f"bronze.{folder.name}_{path.stem}" == STREAM_TABLE:
                raise ContractError(path, None, f"file kind {STREAM!r}, which is the event stream's", "another name for a kind of file")
            files[path.stem] = Document.load(path).validate(FileContract, kind=path.stem)
    for path in _named(folder, "*.sql"):
        with mistakes.of_one():
            mappings[f"silver.{path.stem}"] = Mapping(f"silver.{path.stem}", path, _read_sql(path))
    mistakes.tell()
    if not files:
        raise ContractError(folder, None, "no YAML file", "one for each kind of file, see docs/packs.md")
    return Pack(folder.name, folder, files, mappings, calendar)


def _named(folder: Path, pattern: str) -> list[Path]:
    # Hidden files are left alone, as in the landing folder: macOS puts a ._vendas.yaml beside each file on a foreign disk.
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def _read_sql(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # an editor of Windows may mark it so
    except UnicodeDecodeError as error:
        raise ContractError(path, None, f"bytes that are not UTF-8 ({error.reason})", "an SQL file in UTF-8") from error


def load_packs(places: tuple[Path, ...]) -> dict[str, Pack]:
    """Read all packs: each place is a pack's folder, or a folder of such folders.

    A later place replaces a pack of the same name, so that a user can mend one that ships.
    """
    packs, mistakes = dict[str, Pack](), Mistakes()
    for place in places:
        if not place.is_dir():
            raise ContractError(place, None, "no such folder", "a pack's folder, or a folder of packs (--sources)")
        if _named(place, "*.y*ml"):
            folders = [place]
        else:
            folders = sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
        if not folders:
            raise ContractError(place, None, "an empty folder", "a pack's folder, or a folder of packs (--sources)")
        for folder in folders:
            with mistakes.of_one():
                packs[folder.name] = load_pack(folder)
    mistakes.tell()
    tables: dict[str, Pack] = {}
    for pack in packs.values():
        for kind in pack.files:
            if (first := tables.setdefault(pack.bronze(kind), pack)) is not pack:
                raise ContractError(
                    pack.folder, None, f"{pack.bronze(kind)}, a table of pack {first.name} too", "another name for pack or kind"
                )
    return packs
