"""Bronze text read as types: the generated first half of every silver table.

All SQL here is Athena's with the primitives of the engines, so that column lineage can be read from
it; a personal column appears only inside keyed_hash.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sales_tech.contracts.pack import FileColumn, FileContract
from sales_tech.engines.dialect import literal, quote

CARRIED = {
    "_file_id": "varchar",
    "_line_number": "bigint",
    "_load_id": "varchar",
    "_version": "timestamp(6) with time zone",
    "_ignored": "boolean",
    "_reasons": "varchar",
}
"""What every typed row carries beside its columns, with SQL types."""

LOCAL_DATE = "_local_date"


@dataclass(frozen=True)
class Fault:
    """What may be wrong with a row: a condition, and the SQL literal of the reason where it holds."""

    condition: str
    reason: str


def reasons(faults: list[Fault]) -> str:
    """The expression of all reasons that hold for a row, joined by a semicolon; null where none does."""
    if not faults:
        return "cast(null as varchar)"
    # Most rows are sound, and asking first is cheaper than joining a text of nothing for each.
    some = " or ".join(f"({fault.condition})" for fault in faults)
    each = ", ".join(f"case when {fault.condition} then {fault.reason} end" for fault in faults)
    return f"case when {some} then concat_ws('; ', {each}) end"


def typed_columns(contract: FileContract) -> dict[str, str]:
    """The columns a mapping can use, with their SQL types; a timestamp or instant also gives its local date."""
    columns: dict[str, str] = {}
    for name, column in contract.columns.items():
        columns[name] = column.typed.sql
        if column.type in ("timestamp", "instant"):
            columns[name + LOCAL_DATE] = "date"
    return columns


def typed_select(contract: FileContract, bronze: str, *, hashed_once: Collection[str] = ()) -> str:
    """The select that reads each bronze row as types and says what is wrong with it.

    Adds `_version`, `_ignored` (a blank line or a repeated header), `_reasons` (text, null where the
    row is sound) and `_row` (the row as it came, as JSON with personal columns hashed).

    Personal columns that are `hashed_once` are hashed once for each text and joined, since the same customers come again and again
    and a hash is the dearest of all that is done to a row; the bronze relation is then read once more for each of them.
    """
    names = list(contract.columns)
    texts = ",\n    ".join(
        f"{_held(name, 'hash')} as {_held(name)}" if name in hashed_once else _text(name, contract.columns[name]) for name in names
    )
    persons = "".join(_persons(name, bronze) for name in hashed_once)
    values = ",\n    ".join(expression for name in names for expression in _values(name, contract))
    faults = [fault for name in names for fault in _faults(name, contract)]
    row = ", ".join(f"{literal(name)}, {_held(name)}" for name in names)
    split_row = f"cast(json_object({row}) as varchar)"
    raw = "'the line cannot be split and may hold personal data: see the file itself'" if contract.personal else "_raw"
    shown = ", ".join(quote(name) for name in typed_columns(contract))
    version = f"cast({quote(contract.version) if contract.version else 'null'} as {CARRIED['_version']})"
    return f"""
with texts as (
    select
    _file_id, _line_number, _load_id, _problem, {"_raw, " if not contract.personal else ""}
    {_blank(contract)} as _blank,
    {texts}
    from {bronze}{persons}
),
typed as (
    select
    texts.*,
    {values}
    from texts
),
judged as (
    select
    typed.*,
    _problem is null and (_blank or ({_header(contract)})) as _ignored,
    coalesce(_problem, {reasons(faults)}) as _reasons
    from typed
)
select
    _file_id, _line_number, _load_id, {version} as _version, _ignored, case when not _ignored then _reasons end as _reasons,
    case when _problem is null then {split_row} else {raw} end as _row,
    {shown}
from judged
"""


def latest_select(contract: FileContract, typed: str) -> str:
    """The sound rows of a typed relation in their latest version, one for each key of the pack."""
    return f"select * from ({fate_select(typed, contract.key)}) as judged where _fate = 'accepted'"


def fate_select(relation: str, key: list[str]) -> str:
    """Every row of a relation with its fate; of the sound rows with one key the latest is accepted.

    The relation has the carried columns; `arrivals(_file_id, _arrival)` tells which file came later.
    """
    sound = "not t._ignored and t._reasons is null"
    same = ", ".join(f"case when {sound} then t.{quote(name)} end" for name in key)
    latest_first = "t._version desc nulls last, a._arrival desc, t._line_number desc"
    return f"""
    select
        t.*,
        case
            when t._ignored then 'ignored'
            when t._reasons is not null then 'rejected'
            when row_number() over (partition by {sound}, {same} order by {latest_first}) = 1 then 'accepted'
            else 'superseded'
        end as _fate
    from {relation} as t
    join arrivals as a on t._file_id = a._file_id
"""


def _held(name: str, what: str = "text") -> str:
    return quote(f"{name}__{what}")


def _persons(name: str, bronze: str) -> str:
    text, hashed = _held(name, "person"), _held(name, "hash")
    texts = f"select distinct {quote(name)} as {text} from {bronze}"
    return f"\n    left join (select {text}, keyed_hash(clean({text})) as {hashed} from ({texts})) on {quote(name)} = {text}"


def _text(name: str, column: FileColumn) -> str:
    text = f"clean({quote(name)})"
    return f"{f'keyed_hash({text})' if column.personal else text} as {_held(name)}"


def _values(name: str, contract: FileContract) -> list[str]:
    column, text = contract.columns[name], _held(name)
    if contract.wrong_versions and name == contract.version:
        # Of no use to anything that reads it, a cancellation's own checks included.
        text = f"(case when {_named_as_wrong(contract)} then null else {text} end)"
    if column.type == "string":
        return [f"{text} as {quote(name)}"]
    if column.type == "integer":
        return [f"as_integer({text}) as {quote(name)}"]
    if column.type == "boolean":
        return [f"as_boolean({text}) as {quote(name)}"]
    pattern = literal(column.format or "")
    if column.type == "date":
        return [f"as_date({text}, {pattern}) as {quote(name)}"]
    if column.type == "timestamp":
        return [
            f"as_timestamp({text}, {pattern}, {literal(contract.timezone)}) as {quote(name)}",
            f"as_date({text}, {pattern}) as {quote(name + LOCAL_DATE)}",
        ]
    if column.type == "instant":
        return [
            f"as_instant({text}) as {quote(name)}",
            f"local_day(as_instant({text}), {literal(contract.timezone)}) as {quote(name + LOCAL_DATE)}",
        ]
    kind = column.typed
    return [f"try_cast(plain_number({text}, {literal(contract.decimal)}, {kind.scale}) as {kind.sql}) as {quote(name)}"]


def _faults(name: str, contract: FileContract) -> list[Fault]:
    faults, column = [], contract.columns[name]
    if column.required:
        faults.append(Fault(f"{_held(name)} is null", literal(f"{name}: missing")))
    if column.type != "string":
        article = "an" if column.type[0] in "aeiou" else "a"
        wrong = literal(f"{name}: not {article} {column.type}" + (f" like {column.format}" if column.format else ""))
        unread = f"{_held(name)} is not null and {quote(name)} is null"
        if contract.wrong_versions and name == contract.version:
            faults.append(Fault(_named_as_wrong(contract), literal(f"{name}: the pack names this version as wrong")))
            unread = f"{unread} and not {_named_as_wrong(contract)}"
        faults.append(Fault(unread, wrong))
    return faults


def _named_as_wrong(contract: FileContract) -> str:
    texts = ", ".join(literal(text.strip()) for text in contract.wrong_versions)
    return f"coalesce({_held(contract.version or '')} in ({texts}), false)"


def _blank(contract: FileContract) -> str:
    # A hash is dear, and all that it could add is that a line without any other text holds a name.
    plain = [f"clean({quote(name)}) is null" for name in contract.columns if name not in contract.personal]
    hashed = [f"keyed_hash(clean({quote(name)})) is null" for name in contract.personal]
    return f"case when {' and '.join(plain) or 'true'} then {' and '.join(hashed) or 'true'} else false end"


def _header(contract: FileContract) -> str:
    # A file may lack an optional column, and then its header lacks it too. Never null: of a row of which nobody knows whether
    # it is ignored, nobody would ask for its faults either.
    plain = [name for name in contract.columns if name not in contract.personal]
    same = [
        f"coalesce({_held(name)} in ({', '.join(map(literal, contract.headers[name]))}), {str(contract.columns[name].optional).lower()})"
        for name in plain
    ]
    some = f"coalesce({', '.join(map(_held, plain))}) is not null"
    return " and ".join([*same, some]) if plain else "false"
