"""silver.sales: order lines of all sources, from their files and from the event stream, each as it was last known.

A night reads the bronze rows that are new, and those whose fate they may change: rows that wait for a
product or an order, and rows whose order changed. It rebuilds the months that these rows touch.
"""

from __future__ import annotations

from sales_tech.contracts.pack import Pack
from sales_tech.contracts.stream import SALES, STREAM, STREAM_TABLE, stream_contract
from sales_tech.contracts.table import table_contract
from sales_tech.engines.dialect import literal, quote
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake, LakeFile, Partition
from sales_tech.lake.write import in_partitions
from sales_tech.runs import Commit, Run, StepResult, exclusive
from sales_tech.transform.accounts import REJECTS, Account, Ledger
from sales_tech.transform.blame import blamed, each_once
from sales_tech.transform.canonical import canonical_select, references
from sales_tech.transform.feeds import Feed, feeds_of
from sales_tech.transform.judging import judge
from sales_tech.transform.mapping import BoundMapping
from sales_tech.transform.merging import cancellations_select
from sales_tech.transform.months import stage_months
from sales_tech.transform.sources import athena, ensure_silver, raw_view, view_arrivals, view_latest, view_table, view_typed
from sales_tech.transform.staleness import Change, Recipe, change_since, recipe, silver_code
from sales_tech.transform.versions import COUNTED, versions_ahead
from sales_tech.transform.workshop import Workshop, open_workshop

STEP, TABLE = "silver/sales", SALES
_IDS = "_file_id, _line_number"
_CANCELS = "event_type = 'order_cancelled'"


def why(lake: Lake, packs: dict[str, Pack], mappings: dict[str, dict[str, BoundMapping]], *, force: bool = False) -> dict[str, Change]:
    """For each pack whose lines must be worked on: what moved since the table's last commit."""
    last = lake.provenance(TABLE)
    changes = {}
    for name, pack in packs.items():
        if feeds := feeds_of(lake, pack, mappings[name]):
            change = _change(lake, last, pack, feeds, force=force)
            if change:
                changes[name] = change
    return changes


def run(run: Run) -> StepResult:
    """Bring silver.sales, and with it rejects and fates of its feeds, up to date.

    Raises ConservationError or AuditError, before any commit, when rows are lost or a promise is broken.
    """
    with exclusive(run.settings), open_workshop(run) as shop:
        ensure_silver(shop.lake)
        changes = why(shop.lake, shop.packs, shop.mappings, force=run.force)
        if not changes:
            return run.record(StepResult(STEP, notes=["nothing to do"]))
        with each_once(shop.engine, shop.lake, [shop.mappings[source][TABLE] for source in changes if TABLE in shop.mappings[source]]):
            result = _Build(shop, run, changes).finish()
        return run.record(result)


def _change(lake: Lake, last: Provenance | None, pack: Pack, feeds: list[Feed], *, force: bool) -> Change:
    differences = _recipe(lake, pack).differences(last, pack.name)
    files = [feed for feed in feeds if not feed.streams]
    bronze = [pack.bronze(kind) for feed in files for kind in (feed.kind, *feed.bound.lookups)]
    change = change_since(lake, last, bronze, differences, force=force)
    for feed in feeds:
        since = feed.since(last)
        if feed.streams and (last is None or differences or force or (since is not None and not lake.has_snapshot(STREAM_TABLE, since))):
            expired = f"the snapshot of {STREAM_TABLE} last read has expired"
            again = "never built" if last is None else "forced" if force else expired
            change = Change(True, change.reasons or tuple(differences) or (again,), change.inputs | {STREAM_TABLE})
        elif feed.streams and feed.added_files(lake, since):
            change = Change(change.full, (*change.reasons, f"changed input {STREAM_TABLE}"), change.inputs | {STREAM_TABLE})
    if last is not None and not all(lake.has_snapshot(table, snapshot) for table, snapshot in last.companions.items()):
        change = Change(True, (*change.reasons, "the accounts of the last commit have expired"), change.inputs)
    if not change.full and last is not None and any(feed.rejected(lake, last) for feed in feeds):
        known = change_since(lake, last, {reference.table for feed in feeds for reference in references(feed.bound)})
        change = Change(False, change.reasons + known.reasons, change.inputs | known.inputs)
    return change


class _Build:
    """One commit of silver.sales in the making."""

    def __init__(self, shop: Workshop, run: Run, changes: dict[str, Change]) -> None:
        self._shop, self._run, self._changes = shop, run, changes
        self._lake, self._engine = shop.lake, shop.engine
        self._contract = table_contract(TABLE)
        self._last = self._lake.provenance(TABLE)
        self._ledger = Ledger(self._engine, self._lake, self._last.companions if self._last else None)
        self._rows_in = 0
        self._remarks: list[str] = []
        self._pools = dict[str, str]()
        """By source, the relation outside of memory that its judged rows are read from."""

    def finish(self) -> StepResult:
        view_arrivals(self._engine, self._lake)
        for name in ("silver.products", "silver.stores"):
            view_table(self._engine, self._lake, name)
        paths: list[str] = []
        removed, rows, touched = [], 0, 0
        accepted = {}
        for source, change in self._changes.items():
            feeds = self._feeds(source)
            with blamed(self._engine, self._lake, [feed.bound for feed in feeds if not feed.streams]):
                query, partitions = self._full(source, feeds) if change.full else self._incremental(source, feeds, change)
            staged = stage_months(self._lake, self._engine, self._contract, query, self._run.run_id, self._pools[source], partitions)
            own = self._own(source)
            replaced = own if change.full else in_partitions(own, partitions)
            paths += staged.paths
            removed += replaced
            rows += staged.rows
            touched += len(partitions)
            accepted[source] = staged.rows + sum(file.rows for file in own) - sum(file.rows for file in replaced)
        commits = self._ledger.commit(self._run.run_id, self._provenance({}), accepted)
        companions = {commit.table: commit.snapshot_id for commit in commits}
        snapshot = self._lake.commit(TABLE, paths, removed, self._provenance(companions))
        return StepResult(STEP, self._rows_in, [*commits, Commit(TABLE, snapshot, rows, touched)], remarks=self._remarks)

    def _full(self, source: str, feeds: list[Feed]) -> tuple[str, set[Partition]]:
        # Every bronze row of the source is judged; the table's part of this source is replaced.
        candidates = []
        for feed in feeds:
            files, persons = feed.files(self._lake), feed.bound.persons if self._engine.hashes_once else ()
            typed = view_typed(self._engine, self._lake, feed.bound.pack, feed.kind, files=files, hashed_once=persons)
            candidates.append(f"select *, null::varchar as _was from {self._candidates(feed, typed, 'all')}")
            self._rows_in += self._rows(feed)
        judged = self._judge(source, " union all by name ".join(candidates), fresh=True)
        for feed in feeds:
            raw = raw_view(feed.bound.pack, feed.kind)
            self._ledger.add(Account(feed.bound.pack, feed.kind, self._of_kind(judged, feed), raw, self._rows(feed)), anew=True)
            self._look_ahead(feed, raw)
        query = f"select * from {judged} where _fate = 'accepted'"
        return query, self._months(source, query)

    def _incremental(self, source: str, feeds: list[Feed], change: Change) -> tuple[str, set[Partition]]:
        # New rows and replayed ones meet the rows that stand in the months they touch.
        engine, candidates = self._engine, f"candidates_{source}"
        parts: list[str] = []
        for feed in feeds:
            part = f"{candidates}__{feed.kind}"
            engine.materialize(part, self._news(feed, change, parts))
            parts.append(part)
        engine.name_query(candidates, " union all by name ".join(f"select * from {part}" for part in parts))
        months = self._touched(source, candidates)
        standing = self._standing(source, feeds, months, candidates)
        judged = self._judge(source, f"select * from {candidates} union all by name select * from {standing}")
        # A standing row that stays accepted has not moved; only those that lost their place count.
        moved = engine.name_query(f"moved_{source}", f"select * from {judged} where not (_standing and _fate = 'accepted')")
        (fallen,) = engine.row(f"select count(*) from {judged} where _standing and _fate = 'rejected'")
        for feed in feeds:
            pack, kind = feed.bound.pack, feed.kind
            new, old = raw_view(pack, kind, "__new"), raw_view(pack, kind, "__old")
            if fallen:
                # A cancellation whose statement was lost, in a file that nothing else was read from.
                view_typed(engine, self._lake, pack, kind, files=feed.earlier_files(self._lake, feed.since(self._last)), suffix="__old")
            raw = engine.name_query(f"{raw_view(pack, kind)}_read", f"from {new} union all from {old}")
            self._ledger.add(Account(pack, kind, self._of_kind(moved, feed), raw, self._rows(feed)), anew=False)
            self._look_ahead(feed, new)
        return f"select * from {judged} where _fate = 'accepted'", months

    def _look_ahead(self, feed: Feed, raw: str) -> None:
        new = f"(select * from {self._pools[feed.source]} where _kind = {literal(feed.kind)} and _was is null and {COUNTED})"
        sales = self._shop.mappings[feed.source].get(TABLE)
        mended_in = f"{feed.source}/{sales.driver}.yaml" if sales else None
        self._remarks += versions_ahead(self._engine, feed.bound.pack, feed.kind, new, raw, mended_in)

    def _news(self, feed: Feed, change: Change, others: list[str]) -> str:
        # A feed's new rows, and those judged earlier whose fate may change; `others` are the candidates of other feeds.
        engine, pack, kind = self._engine, feed.bound.pack, feed.kind
        since = feed.since(self._last)
        new_files = feed.added_files(self._lake, since)
        new = view_typed(engine, self._lake, pack, kind, files=new_files, suffix="__new")
        self._rows_in += sum(file.rows for file in new_files)
        replays = self._replays(feed, change, others)
        old_files = feed.earlier_files(self._lake, since)
        old = view_typed(engine, self._lake, pack, kind, files=old_files if replays else [], suffix="__old")
        typed = f"{new}_and_replayed"
        replayed = f"select o.* from {old} as o semi join {replays} as r using ({_IDS})" if replays else f"select * from {old}"
        engine.name_query(typed, f"select * from {new} union all {replayed}")
        was = f"left join {replays} as r using ({_IDS})" if replays else "cross join (select null::varchar as _was) as r"
        return f"select c.*, r._was from {self._candidates(feed, typed, 'new')} as c {was}"

    def _candidates(self, feed: Feed, typed: str, name: str) -> str:
        # Rows of a pool: statements in the contract's columns, and of the stream also cancellations.
        engine, kind = self._engine, literal(feed.kind)
        if not feed.streams:
            rows = self._canonical(feed.bound, typed, name)
            return f"(select *, {kind} as _kind, false as _standing, false as _cancels, true as _states from {rows})"
        states = engine.name_query(f"{typed}_states", f"from {typed} where ({_CANCELS}) is not true")
        cancels = engine.name_query(f"{typed}_cancels", f"from {typed} where {_CANCELS}")
        rows = self._canonical(feed.bound, states, name)
        undone = athena(cancellations_select(self._contract, cancels))
        return f"""(select *, {kind} as _kind, false as _standing, false as _cancels, true as _states from {rows}
            union all by name select *, {kind} as _kind, false as _standing, true as _cancels, false as _states from ({undone}))"""

    def _judge(self, source: str, pool: str, *, fresh: bool = False) -> str:
        self._pools[source], judged = judge(self._engine, self._contract, source, pool, fresh=fresh)
        return judged

    def _of_kind(self, judged: str, feed: Feed) -> str:
        return self._engine.name_query(f"{judged}.{feed.kind}", f"from {judged} where _kind = {literal(feed.kind)}")

    def _canonical(self, bound: BoundMapping, driver: str, name: str) -> str:
        relations = {bound.driver: driver}
        for kind in bound.lookups:
            typed = view_typed(self._engine, self._lake, bound.pack, kind)
            relations[kind] = view_latest(self._engine, bound.pack, kind, typed)
        mapped = bound.select(relations).sql(dialect="trino")
        return self._engine.name_query(f"{name}_{bound.pack.name}.{bound.driver}", athena(canonical_select(bound, f"({mapped})")))

    def _replays(self, feed: Feed, change: Change, others: list[str]) -> str | None:
        # Rows judged earlier whose fate may change: those that wait, those whose lookup rows are new, and events of
        # lines that another feed judges again.
        if self._last is None:
            return None
        engine, name = self._engine, f"replays_{feed.source}__{feed.kind}"
        before = feed.rejected(self._lake, self._last)
        rejects = view_table(engine, self._lake, REJECTS, view=f"{name}.rejects", files=before)
        found = [f"select file_id as _file_id, line_number as _line_number from {rejects} where waits"]
        moved = [kind for kind in feed.bound.lookups if feed.bound.pack.bronze(kind) in change.inputs]
        again = [part for part in others if feed.streams and engine.row(f"select count(*) from {part} where _was is not null")[0]]
        if moved:
            found += self._rows_with_new_lookups(feed, moved)
        elif not again and not (before and engine.row(f"select count(*) from {rejects} where waits")[0]):
            return None
        sales = view_table(engine, self._lake, TABLE, view=f"{name}.sales", files=self._own(feed.source) if moved or again else [])
        if again:
            # Those that stand in silver are in the pool as they stand there, with the statement they hold.
            earlier = feed.earlier_files(self._lake, feed.since(self._last))
            events = view_typed(engine, self._lake, feed.bound.pack, feed.kind, files=earlier, suffix="__earlier")
            stands = f"anti join {sales} as s on e._file_id = s.file_id and e._line_number = s.line_number"
            lines = [f"(select order_id, line from {part} where _was is not null)" for part in again]
            found += [
                f"select e.{_IDS.replace(', ', ', e.')} from {events} as e semi join {some} as t using (order_id, line) {stands}"
                for some in lines
            ]
        engine.materialize(
            f"{name}.ids",
            f"""select i.{_IDS.replace(", ", ", i.")},
                case when r.file_id is not null then 'rejected' when s.file_id is not null then 'accepted' else 'superseded' end as _was
            from ({" union ".join(found)}) as i
            left join {rejects} as r on i._file_id = r.file_id and i._line_number = r.line_number
            left join {sales} as s on i._file_id = s.file_id and i._line_number = s.line_number""",
        )
        return f"{name}.ids"

    def _rows_with_new_lookups(self, feed: Feed, moved: list[str]) -> list[str]:
        # Asked of all earlier driver rows, of which only the key columns are read. Rows that share a
        # key with a match come along, since the one that was superseded may be the better one now.
        assert self._last is not None
        engine, bound, pack = self._engine, feed.bound, feed.bound.pack
        earlier = feed.earlier_files(self._lake, feed.since(self._last))
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

    def _touched(self, source: str, candidates: str) -> set[Partition]:
        sound = f"select * from {candidates} where _reasons is null and not _ignored and sold_on is not null"
        months = self._months(source, sound)
        if own := self._own(source):
            sales = view_table(self._engine, self._lake, TABLE, view=f"standing_{source}.everywhere", files=own)
            months |= self._months(source, f"select s.sold_on from {sales} as s semi join {candidates} as c using (order_id, line)")
            same_row = "s.file_id = c._file_id and s.line_number = c._line_number"
            months |= self._months(source, f"select s.sold_on from {sales} as s semi join {candidates} as c on {same_row}")
        return months

    def _standing(self, source: str, feeds: list[Feed], months: set[Partition], candidates: str) -> str:
        name, engine = f"standing_{source}", self._engine
        sales = view_table(engine, self._lake, TABLE, view=f"{name}.sales", files=in_partitions(self._lake.files(TABLE), months))
        # What the stream states is never cancelled; such a row stands by a cancellation.
        streamed = f"a.file_kind = {literal(STREAM)}"
        kind = next((literal(feed.kind) for feed in feeds if not feed.streams), literal(STREAM))
        carried = f"""s.file_id as _file_id, s.line_number as _line_number, a.load_id as _load_id, s.updated_at as _version,
            false as _ignored, null::varchar as _reasons, false as _waits, 'accepted' as _was,
            case when {streamed} then {literal(STREAM)} else {kind} end as _kind, true as _standing,
            {streamed} and s.status = 'cancelled' as _cancels, judged._file_id is null as _states"""
        return engine.name_query(
            f"{name}.rows",
            f"""select s.*, {carried} from {sales} as s join arrivals as a on s.file_id = a._file_id
            left join (select _file_id, _line_number from {candidates}) as judged
                on s.stated_file_id = judged._file_id and s.stated_line_number = judged._line_number
            anti join {candidates} as c on s.file_id = c._file_id and s.line_number = c._line_number""",
        )

    def _months(self, source: str, query: str) -> set[Partition]:
        months = self._engine.rows(f"select distinct (year(sold_on) - 1970) * 12 + month(sold_on) - 1 from ({query})")
        return {(source, int(month)) for (month,) in months}

    def _feeds(self, source: str) -> list[Feed]:
        return feeds_of(self._lake, self._shop.packs[source], self._shop.mappings[source])

    def _own(self, source: str) -> list[LakeFile]:
        return [file for file in self._lake.files(TABLE) if file.partition[0] == source]

    def _rows(self, feed: Feed) -> int:
        return sum(file.rows for file in feed.files(self._lake))

    def _provenance(self, companions: dict[str, int]) -> Provenance:
        inputs, packs = dict(self._last.inputs) if self._last else {}, dict(self._last.packs) if self._last else {}
        streams = dict(self._last.streams) if self._last else {}
        read = {"silver.products", "silver.stores"}
        for source in self._changes:
            packs[source] = str(_recipe(self._lake, self._shop.packs[source]))
            for feed in self._feeds(source):
                read |= {feed.bound.bronze, *map(feed.bound.pack.bronze, feed.bound.lookups)}
                if feed.streams and (snapshot := self._lake.snapshot_id(STREAM_TABLE)) is not None:
                    streams[source] = snapshot
        for source, since in streams.items():
            if source not in self._changes and not any(file.partition[0] == source for file in self._lake.added_files(STREAM_TABLE, since)):
                # Nothing came for it, so its bookmark moves along and does not expire.
                streams[source] = self._lake.snapshot_id(STREAM_TABLE) or since
        inputs |= {name: snapshot for name in sorted(read) if (snapshot := self._lake.snapshot_id(name)) is not None}
        return Provenance(self._run.run_id, STEP, _code(), self._contract.fingerprint, inputs, companions, packs, streams)


def _recipe(lake: Lake, pack: Pack) -> Recipe:
    return recipe(lake, pack, code=_code(), contract=f"{table_contract(TABLE).fingerprint}+{stream_contract().fingerprint}")


def _code() -> str:
    return silver_code("sales.py", "feeds.py", "judging.py", "merging.py", "months.py", stream=True)
