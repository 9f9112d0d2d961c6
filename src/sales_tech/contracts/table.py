"""What a table promises: its grain, columns, partitioning and checks."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sales_tech.contracts.document import Document, Misfit
from sales_tech.contracts.types import ColumnType

_PARTITION = re.compile(r"(?:(?P<transform>month|day)\((?P<timed>\w+)\)|(?P<plain>\w+))")


@dataclass(frozen=True)
class PartitionField:
    """One part of a table's partitioning: a column, and `identity`, `month` or `day` of it."""

    column: str
    transform: str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Column(_Strict):
    """A column's type, unit and meaning; `required` forbids nulls.

    Silver columns may say what stands where a pack gives nothing: `default` is an SQL expression for
    nulls, `derived` one over the other columns, for a column that no pack maps. Columns of estimates
    are `derived` from the rounded ones.
    """

    type: ColumnType
    description: str
    unit: str | None = None
    required: bool = False
    default: str | None = None
    derived: str | None = None

    @field_validator("type", mode="before")
    @classmethod
    def _parse_type(cls, value: object) -> ColumnType:
        return ColumnType.parse(str(value))


class Check(_Strict):
    """A condition that holds for every row: a boolean SQL expression that is never false.

    `reason` is what a row that breaks it is told.
    """

    sql: str
    reason: str


class Reference(_Strict):
    """Columns that must be found in another table, where the same pack feeds that table."""

    columns: dict[str, str]
    table: str


class History(_Strict):
    """The columns that bound the validity of a row: from a day on, until before another (null: still)."""

    valid_from: str
    valid_to: str


class Input(_Strict):
    """How a change in an input table maps to the partitions of the output that it makes stale.

    `partition`: the partitions of the same values; `keys`: those where the named columns of a changed
    row occur in the table `via`.
    """

    changes: str = Field(default="partition", pattern="^(partition|keys)$")
    keys: list[str] = []
    via: str | None = None


class TableContract(_Strict):
    """The promise of one table; `name` is `layer.table`, `partition` lists columns, `month(c)` or `day(c)`."""

    name: str
    description: str
    grain: list[str]
    columns: dict[str, Column]
    partition: list[str] = []
    sort: list[str] = []
    checks: list[Check] = []
    references: list[Reference] = []
    inputs: dict[str, Input] = {}
    history: History | None = None

    @model_validator(mode="after")
    def _names_exist(self) -> TableContract:
        named = {"grain": self.grain, "sort": self.sort, "partition": [field.column for field in self.partition_fields]}
        if self.history:
            named["history"] = [self.history.valid_from, self.history.valid_to]
        for where, names in named.items():
            for name in names:
                if name not in self.columns:
                    raise Misfit((where,), f"{where} names column {name}", f"one of {', '.join(self.columns)}")
        for number, reference in enumerate(self.references):
            for name in reference.columns:
                if name not in self.columns:
                    raise Misfit(("references", number), f"the reference names column {name}", f"one of {', '.join(self.columns)}")
        return self

    @property
    def partition_fields(self) -> tuple[PartitionField, ...]:
        """The partitioning, parsed."""
        fields = []
        for text in self.partition:
            match = _PARTITION.fullmatch(text)
            if match is None:
                raise Misfit(("partition",), f"partition {text!r}", "a column, month(column) or day(column)")
            fields.append(PartitionField(match["timed"] or match["plain"], match["transform"] or "identity"))
        return tuple(fields)

    @property
    def fingerprint(self) -> str:
        """A short hash of everything promised; words that only explain do not count."""
        plain = self.model_dump_json(exclude={"description": True, "columns": {"__all__": {"description", "unit"}}})
        return hashlib.sha256(plain.encode()).hexdigest()[:16]


def contract_path(name: str) -> Path:
    """The YAML file of one of the package's own tables."""
    layer, _, table = name.partition(".")
    return tables_folder() / layer / f"{table}.yaml"


def load_table(path: Path) -> TableContract:
    """Read a table contract; ContractError names file and line of a mistake."""
    document = Document.load(path)
    return document.validate(TableContract, name=f"{path.parent.name}.{path.stem}")


def tables_folder() -> Path:
    """Where the contracts and SQL models of the package's own tables stand."""
    return Path(str(resources.files("sales_tech"))) / "tables"


@cache
def table_contract(name: str) -> TableContract:
    """The contract of one of the package's own tables, such as `silver.sales`."""
    return load_table(contract_path(name))


@cache
def table_names() -> tuple[str, ...]:
    """All tables of the package that have a contract, bronze before silver before gold."""
    found = sorted(tables_folder().glob("*/*.yaml"), key=lambda path: (("bronze", "silver", "gold").index(path.parent.name), path.stem))
    return tuple(f"{path.parent.name}.{path.stem}" for path in found)
