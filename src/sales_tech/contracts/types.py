"""Column types, named as Iceberg names them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SQL_NAMES = {
    "string": "varchar",
    "int": "integer",
    "long": "bigint",
    "double": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamptz": "timestamp(6) with time zone",
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
EXPECTED = "one of " + ", ".join(_SQL_NAMES) + ", decimal(precision,scale) with precision up to 38"


@dataclass(frozen=True)
class ColumnType:
    """A scalar type of a table column.

    `name` is Iceberg's name; `precision` and `scale` are digits and set for decimals only.
    """

    name: str
    precision: int | None = None
    scale: int | None = None

    @classmethod
    def parse(cls, text: str) -> ColumnType:
        """Read a type such as `long` or `decimal(18,2)`; ValueError says what is accepted."""
        text = text.strip()
        if match := _DECIMAL.fullmatch(text):
            precision, scale = int(match[1]), int(match[2])
            if 1 <= precision <= 38 and scale <= precision:
                return cls("decimal", precision, scale)
        elif text in _SQL_NAMES:
            return cls(text)
        raise ValueError(f"type {text!r}; expected {EXPECTED}")

    @property
    def sql(self) -> str:
        """The type's name in Athena's SQL."""
        return f"decimal({self.precision},{self.scale})" if self.name == "decimal" else _SQL_NAMES[self.name]

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})" if self.name == "decimal" else self.name
