"""silver.sales: order lines of all sources, each in its latest version.

A night reads the bronze rows that are new, and those whose fate they may change: rows that wait for a
product or an order, and rows whose order changed. It rebuilds the months that these rows touch.
"""

from __future__ import annotations

from sales_tech.contracts.pack import Pack
from sales_tech.contracts.table import table_contract
from sales_tech.engines.dialect import quote
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake, Partition
from sales_tech.lake.write import in_partitions, stage
from sales_tech.runs import Commit, Run, StepResult, exclusive
from sales_tech.transform.accounts import REJECTS, Account, Ledger
from sales_tech.transform.canonical import canonical_select, references
from sales_tech.transform.mapping import BoundMapping
from sales_tech.transform.sources import athena, ensure_silver, raw_view, view_arrivals, view_latest, view_table, view_typed
from sales_tech.transform.staleness import Change, Recipe, change_since, recipe, silver_code
from sales_tech.transform.typed import fate_select
from sales_tech.transform.workshop import Workshop, open_workshop

STEP, TABLE = "silver/sales", "silver.sales"
_IDS = "_file_id, _line_number"


def why(lake: Lake, packs: dict[str, Pack], mappings: dict[str, dict[str, BoundMapping]], *, force: bool = False) -> dict[str, Change]:
    """For each pack whose lines must be worked on: what moved since the table's last commit."""
    last = lake.provenance(TABLE)
    changes = {}
    for name, pack in packs.items():
        bound = mappings[name].get(TABLE)
        if bound is None or lake.snapshot_id(bound.bronze) is None:
            continue
        bronze = [bound.bronze, *(pack.bronze(kind) for kind in bound.lookups)]
        change = change_since(lake, last, bronze, _recipe(lake, pack).differences(last, name), force=force)
        if last is not None and not all(lake.has_snapshot(table, snapshot) for table, snapshot in last.companions.items()):
            change = Change(True, (*change.reasons, "the accounts of the last commit have expired"), change.inputs)
        if not change.full and last is not None and _rejected(lake, bound, last):
            known = change_since(lake, last, [ref.table for ref in references(bound)])
            change = Change(False, change.reasons + known.reasons, change.inputs | known.inputs)
        if change:
            changes[name] = change
    return changes


def run(run: Run) -> StepResult:
    """Bring silver.sales, and with it rejects and fates of its file kinds, up to date.

    Raises ConservationError or AuditError, before any commit, when rows are lost or a promise is broken.
    """
    with exclusive(run.settings), open_workshop(run) as shop:
        ensure_silver(shop.lake)
        changes = why(shop.lake, shop.packs, shop.mappings, force=run.force)
        if not changes:
            return run.record(StepResult(STEP, notes=["nothing to do"]))
        return run.record(_Build(shop, run, changes).finish())


class _Build:
    """One commit of silver.sales in the making."""

    def __init__(self, shop: Workshop, run: Run, changes: dict[str, Change]) -> None:
        self._shop, self._run, self._changes = shop, run, changes
        self._lake, self._engine = shop.lake, shop.engine
        self._contract = table_contract(TABLE)
        self._last = self._lake.provenance(TABLE)
        self._ledger = Ledger(self._engine, self._lake, self._last.companions if self._last else None)
        self._rows_in = 0

    def finish(self) -> StepResult:
        view_arrivals(self._engine, self._lake)
        for name in ("silver.products", "silver.stores"):
            view_table(self._engine, self._lake, name)
        paths: list[str] = []
        removed, rows, touched = [], 0, 0
        accepted = {}
        for source, change in self._changes.items():
            bound = self._shop.mappings[source][TABLE]
            query, partitions = self._full(bound) if change.full else self._incremental(bound, change)
            staged = stage(self._lake, self._engine, self._contract, query, self._run.run_id)
            own = [file for file in self._lake.files(TABLE) if file.partition[0] == source]
            replaced = own if change.full else in_partitions(own, partitions)
            paths += staged.paths
            removed += replaced
            rows += staged.rows
            touched += len(partitions)
            accepted[source, bound.driver] = staged.rows + sum(file.rows for file in own) - sum(file.rows for file in replaced)
        commits = self._ledger.commit(self._run.run_id, self._provenance({}), accepted)
        companions = {commit.table: commit.snapshot_id for commit in commits}
        snapshot = self._lake.commit(TABLE, paths, removed, self._provenance(companions))
        return StepResult(STEP, self._rows_in, [*commits, Commit(TABLE, snapshot, rows, touched)])

    def _full(self, bound: BoundMapping) -> tuple[str, set[Partition]]:
        # Every bronze row of the source is judged; the table's part of this source is replaced.
        name = f"judged_{bound.pack.name}"
        candidates = self._canonical(bound, view_typed(self._engine, self._lake, bound.pack, bound.driver), "candidates")
        self._engine.materialize(name, f"select *, null::varchar as _was from ({athena(fate_select(candidates, self._contract.grain))})")
        self._ledger.add(Account(bound.pack, bound.driver, name, raw_view(bound.pack, bound.driver)), anew=True)
        self._rows_in += sum(file.rows for file in self._lake.files(bound.bronze))
        query = f"select * from {name} where _fate = 'accepted'"
        return query, self._months(bound, query)

    def _incremental(self, bound: BoundMapping, change: Change) -> tuple[str, set[Partition]]:
        # New rows and replayed ones meet the rows that stand in the months they touch.
        source, engine = bound.pack.name, self._engine
        since = self._last.inputs.get(bound.bronze) if self._last else None
        new_files = self._lake.added_files(bound.bronze, since)
        new = view_typed(engine, self._lake, bound.pack, bound.driver, files=new_files, suffix="__new")
        self._rows_in += sum(file.rows for file in new_files)
        replays = self._replays(bound, change)
        old_files = self._lake.earlier_files(bound.bronze, since)
        old = view_typed(engine, self._lake, bound.pack, bound.driver, files=old_files if replays else [], suffix="__old")
        typed = f"{new}_and_replayed"
        replayed = f"select o.* from {old} as o semi join {replays} as r using ({_IDS})" if replays else f"select * from {old}"
        engine.name_query(typed, f"select * from {new} union all {replayed}")
        candidates, canonical = f"candidates_{source}", self._canonical(bound, typed, "shaped")
        was = f"left join {replays} as r using ({_IDS})" if replays else "cross join (select null::varchar as _was) as r"
        engine.materialize(candidates, f"select c.*, r._was from {canonical} as c {was}")

        months = self._touched(bound, candidates)
        standing = self._standing(bound, months, candidates)
        pool, judged = f"pool_{source}", f"judged_{source}"
        engine.name_query(
            pool, f"select *, false as _standing from {candidates} union all by name select *, true as _standing from {standing}"
        )
        engine.materialize(judged, athena(fate_select(pool, self._contract.grain)))
        # A standing row that stays accepted has not moved; only those that lost their place count.
        moved = engine.name_query(f"moved_{source}", f"select * from {judged} where not (_standing and _fate = 'accepted')")
        raw = engine.name_query(
            f"{raw_view(bound.pack, bound.driver)}_read",
            f"from {raw_view(bound.pack, bound.driver, '__new')} union all from {raw_view(bound.pack, bound.driver, '__old')}",
        )
        self._ledger.add(Account(bound.pack, bound.driver, moved, raw), anew=False)
        return f"select * from {judged} where _fate = 'accepted'", months

    def _canonical(self, bound: BoundMapping, driver: str, name: str) -> str:
        relations = {bound.driver: driver}
        for kind in bound.lookups:
            typed = view_typed(self._engine, self._lake, bound.pack, kind)
            relations[kind] = view_latest(self._engine, bound.pack, kind, typed)
        mapped = bound.select(relations).sql(dialect="trino")
        return self._engine.name_query(f"{name}_{bound.pack.name}.rows", athena(canonical_select(bound, f"({mapped})")))

    def _replays(self, bound: BoundMapping, change: Change) -> str | None:
        # Rows judged earlier whose fate may change: those that wait, and those whose lookup rows are new.
        if self._last is None:
            return None
        source, engine, name = bound.pack.name, self._engine, f"replays_{bound.pack.name}"
        before = in_partitions(self._lake.files(REJECTS, self._last.companions.get(REJECTS)), {(source, bound.driver)})
        rejects = view_table(engine, self._lake, REJECTS, view=f"{name}.rejects", files=before)
        found = [f"select file_id as _file_id, line_number as _line_number from {rejects} where waits"]
        moved = [kind for kind in bound.lookups if bound.pack.bronze(kind) in change.inputs]
        if moved:
            found += self._rows_with_new_lookups(bound, moved)
        elif not before:
            return None
        own = [file for file in self._lake.files(TABLE) if file.partition[0] == source]
        sales = view_table(engine, self._lake, TABLE, view=f"{name}.sales", files=own if moved else [])
        engine.materialize(
            f"{name}.ids",
            f"""select i.{_IDS.replace(", ", ", i.")},
                case when r.file_id is not null then 'rejected' when s.file_id is not null then 'accepted' else 'superseded' end as _was
            from ({" union ".join(found)}) as i
            left join {rejects} as r on i._file_id = r.file_id and i._line_number = r.line_number
            left join {sales} as s on i._file_id = s.file_id and i._line_number = s.line_number""",
        )
        return f"{name}.ids"

    def _rows_with_new_lookups(self, bound: BoundMapping, moved: list[str]) -> list[str]:
        # Asked of all earlier driver rows, of which only the key columns are read. Rows that share a
        # key with a match come along, since the one that was superseded may be the better one now.
        assert self._last is not None
        engine, pack = self._engine, bound.pack
        earlier = self._lake.earlier_files(bound.bronze, self._last.inputs.get(bound.bronze))
        driver = view_typed(engine, self._lake, pack, bound.driver, files=earlier, suffix="__earlier")
        relations = {kind: view_latest(engine, pack, kind, view_typed(engine, self._lake, pack, kind)) for kind in bound.lookups}
        matches = []
        for kind in moved:
            added = self._lake.added_files(pack.bronze(kind), self._last.inputs.get(pack.bronze(kind)))
            new = view_typed(engine, self._lake, pack, kind, files=added, suffix="__new")
            # Earlier versions of the changed rows too: what joined those may join nothing now.
            key = ", ".join(map(quote, pack.files[kind].key))
            ever = engine.name_query(f"ever_{pack.name}.{kind}", f"from typed_{pack.name}.{kind} semi join {new} using ({key})")
            query = bound.matches(kind, relations | {bound.driver: driver, kind: ever})
            everything = f"select {_IDS} from {driver} where not _ignored"
            matches.append(athena(query.sql(dialect="trino")) if query is not None else everything)
        key = ", ".join(map(quote, pack.files[bound.driver].key))
        sound = f"select d.* from {driver} as d semi join ({' union '.join(matches)}) as m using ({_IDS}) where not d._ignored"
        hits = engine.name_query(f"hits_{pack.name}", sound)
        return [f"select {_IDS} from {driver} as d semi join {hits} as h using ({key}) where not _ignored", f"select {_IDS} from {hits}"]

    def _touched(self, bound: BoundMapping, candidates: str) -> set[Partition]:
        months = self._months(bound, f"select * from {candidates} where _reasons is null and not _ignored")
        own = [file for file in self._lake.files(TABLE) if file.partition[0] == bound.pack.name]
        if own:
            sales = view_table(self._engine, self._lake, TABLE, view=f"standing_{bound.pack.name}.everywhere", files=own)
            months |= self._months(bound, f"select s.sold_on from {sales} as s semi join {candidates} as c using (order_id, line)")
            same_row = "s.file_id = c._file_id and s.line_number = c._line_number"
            months |= self._months(bound, f"select s.sold_on from {sales} as s semi join {candidates} as c on {same_row}")
        return months

    def _standing(self, bound: BoundMapping, months: set[Partition], candidates: str) -> str:
        name, engine = f"standing_{bound.pack.name}", self._engine
        sales = view_table(engine, self._lake, TABLE, view=f"{name}.sales", files=in_partitions(self._lake.files(TABLE), months))
        carried = """s.file_id as _file_id, s.line_number as _line_number, a.load_id as _load_id, s.updated_at as _version,
            false as _ignored, null::varchar as _reasons, false as _waits, 'accepted' as _was"""
        return engine.name_query(
            f"{name}.rows",
            f"""select s.*, {carried} from {sales} as s join arrivals as a on s.file_id = a._file_id
            anti join {candidates} as c on s.file_id = c._file_id and s.line_number = c._line_number""",
        )

    def _months(self, bound: BoundMapping, query: str) -> set[Partition]:
        months = self._engine.rows(f"select distinct (year(sold_on) - 1970) * 12 + month(sold_on) - 1 from ({query})")
        return {(bound.pack.name, int(month)) for (month,) in months}

    def _provenance(self, companions: dict[str, int]) -> Provenance:
        inputs, packs = dict(self._last.inputs) if self._last else {}, dict(self._last.packs) if self._last else {}
        for source in self._changes:
            bound = self._shop.mappings[source][TABLE]
            packs[source] = str(_recipe(self._lake, bound.pack))
            for name in (bound.bronze, *map(bound.pack.bronze, bound.lookups)):
                if (snapshot := self._lake.snapshot_id(name)) is not None:
                    inputs[name] = snapshot
        for name in ("silver.products", "silver.stores"):
            if (snapshot := self._lake.snapshot_id(name)) is not None:
                inputs[name] = snapshot
        return Provenance(self._run.run_id, STEP, _code(), self._contract.fingerprint, inputs, companions, packs)


def _recipe(lake: Lake, pack: Pack) -> Recipe:
    return recipe(lake, pack, code=_code(), contract=table_contract(TABLE).fingerprint)


def _code() -> str:
    return silver_code("sales.py")


def _rejected(lake: Lake, bound: BoundMapping, last: Provenance) -> int:
    # As of the table's own last commit: a crash may have left newer rejects without their sales.
    return sum(file.rows for file in in_partitions(lake.files(REJECTS, last.companions.get(REJECTS)), {(bound.pack.name, bound.driver)}))
