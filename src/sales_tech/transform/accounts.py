"""Every bronze row's fate: silver.fates and silver.rejects, and the proof that the counts add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sales_tech.contracts.pack import Pack
from sales_tech.contracts.table import table_contract
from sales_tech.engines.dialect import literal
from sales_tech.engines.duck import DuckEngine
from sales_tech.engines.engine import Engine
from sales_tech.errors import ConservationError
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake, Partition
from sales_tech.lake.write import Staged, in_partitions, stage
from sales_tech.runs import Commit
from sales_tech.transform.sources import athena, view_table
from sales_tech.transform.typed import typed_select

REJECTS, FATES = "silver.rejects", "silver.fates"


@dataclass(frozen=True)
class Account:
    """The rows of one file kind that were judged in this run.

    `judged` is a relation with the carried columns, `_fate`, `_waits` and `_was` (the fate that the
    row had before, null for one that is new). `raw` is one with the bronze rows it was made from, and
    `rows` counts all bronze rows of the kind, judged now or before.
    """

    pack: Pack
    kind: str
    judged: str
    raw: str
    rows: int

    @property
    def key(self) -> Partition:
        """The partition of both tables that holds the account: source and file kind."""
        return (self.pack.name, self.kind)


class Ledger:
    """Collects accounts, then writes them as one commit of each of the two tables.

    `base` names the snapshots of the two tables that the accounts continue; None starts them anew,
    for kinds that were judged in full.
    """

    def __init__(self, engine: Engine, lake: Lake, base: dict[str, int] | None) -> None:
        self._engine, self._lake = engine, lake
        self._base = base or {}
        self._accounts: dict[Partition, tuple[Account, bool]] = {}

    def add(self, account: Account, *, anew: bool) -> None:
        """Take in what became of a kind's rows; `anew` replaces all earlier accounts of the kind."""
        self._accounts[account.key] = (account, anew)

    def commit(self, run_id: str, provenance: Provenance, accepted: dict[str, int] | None = None) -> list[Commit]:
        """Stage both tables, prove that nothing was lost, and commit them, rejects first.

        `accepted` gives, for some sources, the rows that the table fed by their kinds is about to hold; the
        fates must agree. Raises ConservationError, before any commit.
        """
        if not self._accounts:
            return []
        partitions = set(self._accounts)
        rejects = self._stage(REJECTS, self._rejects, run_id)
        fates = self._stage(FATES, self._fates, run_id)
        self._prove(rejects, fates, accepted or {})
        commits = []
        for staged in (rejects, fates):
            name = staged.contract.name
            removed = in_partitions(self._lake.files(name), partitions)
            snapshot = self._lake.commit(name, staged.paths, removed, provenance)
            commits.append(Commit(name, snapshot, staged.rows, len(partitions)))
        return commits

    def _stage(self, name: str, select: Callable[[Account, bool], str], run_id: str) -> Staged:
        query = " union all ".join(select(account, anew) for account, anew in self._accounts.values())
        return stage(self._lake, self._engine, table_contract(name), query, run_id)

    def _before(self, name: str, account: Account, anew: bool) -> str:
        # What earlier runs wrote of this kind: nothing where it is judged anew.
        base = None if anew else self._base.get(name)
        files = in_partitions(self._lake.files(name, base), {account.key}) if base is not None else []
        view = f"before_{account.pack.name}__{account.kind}.{name.partition('.')[2]}"
        return view_table(self._engine, self._lake, name, view=view, files=files)

    def _rejects(self, account: Account, anew: bool) -> str:
        return f"""
            select b.* from {self._before(REJECTS, account, anew)} as b
            anti join {account.judged} as j on b.file_id = j._file_id and b.line_number = j._line_number
            union all
            select {literal(account.pack.name)}, {literal(account.kind)}, j._file_id, a.file_path, j._line_number, a.load_id,
                j._reasons, j._waits, t._row
            from {account.judged} as j
            join arrivals as a on j._file_id = a._file_id
            join {self._as_they_came(account)} as t on j._file_id = t._file_id and j._line_number = t._line_number
            where j._fate = 'rejected'"""

    def _as_they_came(self, account: Account) -> str:
        # Read again from bronze, for the few that were rejected, rather than carried along with every row.
        name = f"rejected_{account.pack.name}.{account.kind}"
        rejected = f"(from {account.judged} where _fate = 'rejected')"
        self._engine.name_query(f"{name}_raw", f"from {account.raw} semi join {rejected} using (_file_id, _line_number)")
        return self._engine.name_query(name, athena(typed_select(account.pack.files[account.kind], f"{name}_raw")))

    def _fates(self, account: Account, anew: bool) -> str:
        return f"""
            select {literal(account.pack.name)} as source, {literal(account.kind)} as file_kind, any_value(load_id) as load_id,
                file_id, fate, sum(rows) as rows
            from (
                select load_id, file_id, fate, rows from {self._before(FATES, account, anew)}
                union all
                select a.load_id, j._file_id, j._fate, count(*) from {account.judged} as j join arrivals as a on j._file_id = a._file_id
                group by all
                union all
                select a.load_id, j._file_id, j._was, -count(*) from {account.judged} as j join arrivals as a on j._file_id = a._file_id
                where j._was is not null group by all
            ) as moves
            group by file_id, fate having sum(rows) <> 0"""

    def _prove(self, rejects: Staged, fates: Staged, accepted: dict[str, int]) -> None:
        view = "proved_fates"
        self._engine.view(view, fates.paths, {name: column.type.sql for name, column in fates.contract.columns.items()})
        counted: dict[Partition, dict[str, int]] = {key: {} for key in self._accounts}
        for source, kind, fate, rows in self._engine.rows(f"select source, file_kind, fate, sum(rows) from {view} group by all"):
            counted[source, kind][fate] = int(rows)
        for (source, kind), fate_rows in counted.items():
            account, _ = self._accounts[source, kind]
            if sum(fate_rows.values()) != account.rows:
                raise ConservationError(_uneven(f"{source} {kind}", f"{account.rows} rows in bronze", fate_rows))
        for name, rows in accepted.items():
            found = sum(fate_rows.get("accepted", 0) for (source, _), fate_rows in counted.items() if source == name)
            if found != rows:
                raise ConservationError(_uneven(name, f"{rows} rows in silver", {"accepted": found}))
        rejected = sum(fate_rows.get("rejected", 0) for fate_rows in counted.values())
        if rejected != rejects.rows:
            raise ConservationError(
                f"{rejected} rejected rows by their fates, {rejects.rows} in {REJECTS}; expected the same. Nothing was committed"
            )


def _uneven(subject: str, expected: str, fates: dict[str, int]) -> str:
    found = ", ".join(f"{rows} {fate}" for fate, rows in sorted(fates.items())) or "no fates"
    mend = "a run with the step of ingest enters the files of a night that was stopped; else --force judges all rows anew"
    return f"{subject}: {found}; expected them to add up to {expected}. Nothing was committed; {mend}"


def fates_by_kind(engine: DuckEngine, lake: Lake) -> list[tuple[str, str, str, int]]:
    """Source, file kind, fate and rows, as last committed."""
    view_table(engine, lake, FATES)
    rows = engine.rows(f"select source, file_kind, fate, cast(sum(rows) as bigint) from {FATES} group by all order by all")
    return [(source, kind, fate, count) for source, kind, fate, count in rows]
