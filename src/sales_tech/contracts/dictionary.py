"""The data dictionary: every table's promise in words, written from its contract."""

from __future__ import annotations

from sales_tech.contracts.bronze import ROW_COLUMNS, stream_table
from sales_tech.contracts.table import Column, TableContract, table_contract, table_names

_HEAD = """# Tables

Written from the contracts in `src/sales_tech/tables/` by `make docs`; a test holds the two together.
The first sentence of each table is its grain: no two rows agree in the columns named there.

Besides these there is one bronze table for each file kind of a pack, `bronze.<pack>_<kind>`: the
columns of the file as text, and

"""


def data_dictionary() -> str:
    """All tables of the lake as Markdown."""
    parts = [_HEAD + _columns(ROW_COLUMNS)]
    parts += [_table(stream_table())]
    parts += [_table(table_contract(name)) for name in table_names()]
    return "\n".join(parts)


def _table(contract: TableContract) -> str:
    facts = [f"Grain: {', '.join(f'`{name}`' for name in contract.grain)}."]
    if contract.partition:
        facts.append(f"Partitions: {', '.join(f'`{part}`' for part in contract.partition)}.")
    if contract.inputs:
        facts.append(f"From {', '.join(f'`{name}`' for name in contract.inputs)}.")
    checks = "".join(f"\n- checked: `{check.sql}`" for check in contract.checks)
    checks += "".join(
        f"\n- `{', '.join(ref.columns)}` must be in `{ref.table}` where the same pack feeds it" for ref in contract.references
    )
    return (
        f"## {contract.name}\n\n{contract.description} {' '.join(facts)}\n\n{_columns(contract.columns)}{checks}{chr(10) if checks else ''}"
    )


def _columns(columns: dict[str, Column]) -> str:
    lines = ["| column | type | unit | meaning |", "|---|---|---|---|"]
    for name, column in columns.items():
        kind = f"{column.type}{', required' if column.required else ''}"
        lines.append(f"| `{name}` | {kind} | {column.unit or ''} | {column.description} |")
    return "\n".join(lines) + "\n"
