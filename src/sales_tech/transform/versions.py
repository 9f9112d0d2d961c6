"""Versions far in the future, as a mistyped year makes them: told, since every later correction of such a row loses to it.

They are not rejected: that would take the machine's clock for right, and one that is behind would reject everything.
"""

from __future__ import annotations

from datetime import timedelta

from sales_tech.contracts.pack import Pack
from sales_tech.engines.dialect import literal, quote
from sales_tech.engines.engine import Engine
from sales_tech.runs import moment

AHEAD = timedelta(days=366)
"""How far beyond the arrival of its file a version may lie without being told."""

COUNTED = "not _ignored and (_reasons is null or _waits)"
"""The rows of a judged relation whose version counts, or may yet."""


def versions_ahead(engine: Engine, pack: Pack, kind: str, rows: str, raw: str, mended_in: str | None) -> list[str]:
    """A remark where versions of new rows lie more than AHEAD after their file's arrival; the first is named, further files are counted.

    `rows` has the carried columns of the new rows whose version counts, `raw` is the bronze relation they were read from;
    `arrivals` must be there. `mended_in` is the YAML that can name the version as wrong.
    """
    column = pack.files[kind].version
    if column is None:
        return []
    # One aggregate over two columns; what follows is done for rare files only. The last second of the year 9999, which systems write for
    # never, is in a later one by UTC, of which Python knows no days.
    latest = f"select _file_id, cast(max(_version) as date) as latest from {rows} group by _file_id"
    found = engine.rows(
        f"select a._file_id, a.file_path, a.load_id, least(f.latest, date '9999-12-31') from ({latest}) as f "
        "join arrivals as a on f._file_id = a._file_id where f.latest is not null order by a._arrival"
    )
    ahead = [(file_id, path, moment(load_id).date()) for file_id, path, load_id, day in found if day > moment(load_id).date() + AHEAD]
    if not ahead:
        return []
    file_id, path, came = ahead[0]
    same = f"_file_id = {literal(file_id)}"
    ((line,),) = engine.rows(f"select _line_number from {rows} where {same} order by _version desc nulls last, _line_number limit 1")
    (text,) = engine.row(f"select {quote(column)} from {raw} where {same} and _line_number = {line}")
    others = f" (so do rows of {len(ahead) - 1} more files)" if len(ahead) > 1 else ""
    what = f"{path}, line {line}: {column} is {text.strip()}, more than {AHEAD.days} days after the file came ({came}){others}"
    loses = "every correction with an earlier one loses to it"
    if mended_in is None:
        return [f"{what}; {loses}"]
    return [f"{what}; {loses}: if it is mistyped, name it in wrong_versions of {mended_in}, and export the line again with its right time"]
