"""Contracts turned into Iceberg schemas and partition specs."""

from __future__ import annotations

from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform, IdentityTransform, MonthTransform, Transform
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

from sales_tech.contracts.table import Column, TableContract
from sales_tech.contracts.types import ColumnType

_TYPES: dict[str, IcebergType] = {
    "string": StringType(),
    "int": IntegerType(),
    "long": LongType(),
    "double": DoubleType(),
    "boolean": BooleanType(),
    "date": DateType(),
    "timestamptz": TimestamptzType(),
}
_TRANSFORMS: dict[str, Transform] = {"identity": IdentityTransform(), "month": MonthTransform(), "day": DayTransform()}  # type: ignore[type-arg]
_FIRST_PARTITION_ID = 1000  # as the Iceberg specification has it


def iceberg_type(kind: ColumnType) -> IcebergType:
    """The Iceberg type of a column."""
    if kind.name == "decimal":
        return DecimalType(kind.precision or 0, kind.scale or 0)
    return _TYPES[kind.name]


def iceberg_schema(contract: TableContract) -> Schema:
    """The Iceberg schema of a contract, ids in the order of its columns.

    No field is required in Iceberg's sense, because engines write optional columns only; the audit
    holds the contract's `required`.
    """
    fields = (
        NestedField(number, name, iceberg_type(column.type), required=False, doc=comment(column))
        for number, (name, column) in enumerate(contract.columns.items(), start=1)
    )
    return Schema(*fields)


def partition_spec(contract: TableContract, schema: Schema) -> PartitionSpec:
    """The Iceberg partition spec of a contract."""
    fields = []
    for number, field in enumerate(contract.partition_fields, start=_FIRST_PARTITION_ID):
        name = field.column if field.transform == "identity" else f"{field.column}_{field.transform}"
        fields.append(PartitionField(schema.find_field(field.column).field_id, number, _TRANSFORMS[field.transform], name))
    return PartitionSpec(*fields)


def sql_type(kind: IcebergType) -> str:
    """The type's name in SQL, as engines are told the columns of a file."""
    if isinstance(kind, DecimalType):
        return f"decimal({kind.precision},{kind.scale})"
    return ColumnType.parse(str(kind)).sql


def comment(column: Column) -> str:
    """What a column means, with its unit."""
    return f"{column.description} [{column.unit}]" if column.unit else column.description
