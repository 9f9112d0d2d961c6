"""Rows by chance for all tables of the lake, in DuckDB, so that any question over them has an answer."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

import duckdb

from sales_tech.contracts.table import table_contract, table_names
from sales_tech.contracts.types import ColumnType
from sales_tech.engines.dialect import parse_query, to_duckdb

FIRST, DAYS = date(2026, 1, 1), 200
POOLS = {
    "source": ["erp_br", "olist"],
    "channel": ["loja", "online"],
    "region": ["Sul", "Norte", "unknown"],
    "category": ["tv", "audio", "unknown"],
    "load_id": ["20260301T030000", "20260402T030000"],
    "promotion_id": ["P1", "P2", "P3"],
    "made_on": [FIRST + timedelta(100)],
    "brand": ["all", "b1"],
    "phase": ["before", "during", "after"],
}
Rows = list[tuple[object, ...]]


def invented(rows: int = 90) -> duckdb.DuckDBPyConnection:
    """A database with that many rows in every silver and gold table; the same in each run."""
    chance = random.Random(7)
    connection = duckdb.connect()
    for name in table_names():
        layer = name.partition(".")[0]
        if layer == "bronze":
            continue
        columns = table_contract(name).columns
        connection.execute(f"create schema if not exists {layer}")
        typed = [f'"{column}" {each.type.sql.replace("(6)", "")}' for column, each in columns.items()]
        connection.execute(f"create table {name} ({', '.join(typed)})")
        made = [tuple(_value(chance, column, each.type, each.required) for column, each in columns.items()) for _ in range(rows)]
        connection.executemany(f"insert into {name} values ({', '.join('?' for _ in columns)})", made)
    return connection


def answered(connection: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    """The rows of a select in Athena's SQL."""
    return connection.execute(to_duckdb(parse_query(sql))).fetchall()


def _value(chance: random.Random, column: str, kind: ColumnType, required: bool) -> object:
    if not required and chance.random() < 0.1:
        return None
    if column in POOLS:
        return chance.choice(POOLS[column])
    match kind.name:
        case "string":
            return chance.choice([f"{column} {letter}" for letter in "abcd"])
        case "date":
            return FIRST + timedelta(chance.randrange(DAYS))
        case "boolean":
            return chance.random() < 0.5
        case "int" | "long":
            return chance.randrange(1, 9)
        case "decimal":
            scale = kind.scale or 0
            return Decimal(chance.randrange(-20, 10 ** min(scale, 2) * 50)).scaleb(-scale)
        case "double":
            return round(chance.random() * 10, 3)
    return f"2026-03-0{chance.randrange(1, 9)} 03:00:00+00"
