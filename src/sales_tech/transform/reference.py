"""silver.products, silver.stores, silver.promotions and silver.stockouts, and the fates of all files that only support others.

These tables are small beside the sales, so a source whose files changed is built again in full.
"""

from __future__ import annotations

from sales_tech.contracts.pack import Pack
from sales_tech.contracts.table import table_contract
from sales_tech.engines.dialect import quote
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake
from sales_tech.lake.write import Staged, stage
from sales_tech.runs import Commit, Run, StepResult, exclusive
from sales_tech.transform.accounts import FATES, Account, Ledger
from sales_tech.transform.blame import blamed, each_once
from sales_tech.transform.canonical import canonical_select
from sales_tech.transform.history import history_select
from sales_tech.transform.mapping import BoundMapping
from sales_tech.transform.sales import TABLE as SALES
from sales_tech.transform.sources import athena, ensure_silver, raw_view, view_arrivals, view_latest, view_typed
from sales_tech.transform.staleness import Change, Recipe, change_since, recipe, silver_code
from sales_tech.transform.typed import fate_select
from sales_tech.transform.versions import COUNTED, versions_ahead
from sales_tech.transform.workshop import Workshop, open_workshop

STEP = "silver/reference"
TABLES = ("silver.products", "silver.stores", "silver.promotions", "silver.stockouts")
Mappings = dict[str, dict[str, BoundMapping]]


def why(lake: Lake, packs: dict[str, Pack], mappings: Mappings, *, force: bool = False) -> dict[tuple[str, str], Change]:
    """For each pack and table, or pack and file kind that feeds none, that must be worked on: what moved."""
    changes = {}
    accounts = lake.last_provenance(FATES, STEP)
    for name, pack in packs.items():
        for table, bound in mappings[name].items():
            if table not in TABLES or lake.snapshot_id(bound.bronze) is None:
                continue
            last = lake.provenance(table)
            inputs = [pack.bronze(kind) for kind in (bound.driver, *bound.lookups)]
            changes[name, table] = change_since(lake, last, inputs, _recipe(lake, pack, table).differences(last, name), force=force)
        for kind in _supporting(pack, mappings[name]):
            differences = _recipe(lake, pack, FATES).differences(accounts, name)
            changes[name, kind] = change_since(lake, accounts, [pack.bronze(kind)], differences, force=force)
    return {key: change for key, change in changes.items() if change}


def run(run: Run) -> StepResult:
    """Bring the reference tables and the accounts of their files up to date.

    Raises ConservationError or AuditError, before the commit of a table, when rows are lost or a
    promise is broken.
    """
    with exclusive(run.settings), open_workshop(run) as shop:
        ensure_silver(shop.lake)
        changes = why(shop.lake, shop.packs, shop.mappings, force=run.force)
        if not changes:
            return run.record(StepResult(STEP, notes=["nothing to do"]))
        with each_once(shop.engine, shop.lake, [bound for source, name in changes if (bound := shop.mappings[source].get(name))]):
            result = _build(shop, run, changes)
        return run.record(result)


def _build(shop: Workshop, run: Run, changes: dict[tuple[str, str], Change]) -> StepResult:
    view_arrivals(shop.engine, shop.lake)
    ledger = Ledger(shop.engine, shop.lake, None)
    staged: dict[str, list[tuple[str, Staged]]] = {}
    rows_in, remarks = 0, list[str]()
    for source, subject in changes:
        pack = shop.packs[source]
        bound = shop.mappings[source].get(subject)
        kind = bound.driver if bound else subject
        with blamed(shop.engine, shop.lake, [bound] if bound else []):
            judged = _judge(shop, bound) if bound else _judge_kind(shop, pack, kind)
        rows = sum(file.rows for file in shop.lake.files(pack.bronze(kind)))
        ledger.add(Account(pack, kind, judged, raw_view(pack, kind), rows), anew=True)
        counted = f"(select * from {judged} where {COUNTED})"
        remarks += versions_ahead(shop.engine, pack, kind, counted, raw_view(pack, kind), f"{source}/{kind}.yaml")
        rows_in += rows
        if bound:
            query = f"select * from {judged} where _fate = 'accepted'"
            contract = bound.contract
            if contract.history:
                query = history_select(contract, f"({query})")
            staged.setdefault(subject, []).append((source, stage(shop.lake, shop.engine, contract, query, run.run_id)))
    # Accounts first: a crash in between leaves the tables' own bookmarks old, and all is judged again.
    commits = ledger.commit(run.run_id, _accounts_provenance(shop, run, changes))
    for table, parts in staged.items():
        sources = {source for source, _ in parts}
        removed = [file for file in shop.lake.files(table) if file.partition[0] in sources]
        snapshot = shop.lake.commit(
            table, [path for _, part in parts for path in part.paths], removed, _table_provenance(shop, run, table, sources)
        )
        commits.append(Commit(table, snapshot, sum(part.rows for _, part in parts), len(sources)))
    return StepResult(STEP, rows_in, commits, remarks=remarks)


def _judge(shop: Workshop, bound: BoundMapping) -> str:
    pack = bound.pack
    relations = {bound.driver: view_typed(shop.engine, shop.lake, pack, bound.driver)}
    for kind in bound.lookups:
        relations[kind] = view_latest(shop.engine, pack, kind, view_typed(shop.engine, shop.lake, pack, kind))
    mapped = bound.select(relations).sql(dialect="trino")
    name = f"{pack.name}.{bound.mapping.table.replace('.', '_')}"
    rows = shop.engine.name_query(f"rows_{name}", athena(canonical_select(bound, f"({mapped})")))
    shop.engine.materialize(f"judged_{name}", f"select *, null::varchar as _was from ({athena(fate_select(rows, bound.contract.grain))})")
    return f"judged_{name}"


def _judge_kind(shop: Workshop, pack: Pack, kind: str) -> str:
    typed = view_typed(shop.engine, shop.lake, pack, kind)
    judged = athena(fate_select(typed, pack.files[kind].key))
    name = f"judged_{pack.name}.{kind}"
    columns = ", ".join(map(quote, ("_file_id", "_line_number", "_version", "_ignored", "_reasons", "_fate")))
    shop.engine.materialize(name, f"select {columns}, false as _waits, null::varchar as _was from ({judged})")
    return name


def _supporting(pack: Pack, mappings: dict[str, BoundMapping]) -> list[str]:
    drivers = {bound.driver for table, bound in mappings.items() if table in (*TABLES, SALES)}
    return [kind for kind in pack.files if kind not in drivers]


def _accounts_provenance(shop: Workshop, run: Run, changes: dict[tuple[str, str], Change]) -> Provenance:
    last = shop.lake.last_provenance(FATES, STEP)
    inputs, packs = dict(last.inputs) if last else {}, dict(last.packs) if last else {}
    for source, subject in changes:
        bound = shop.mappings[source].get(subject)
        name = shop.packs[source].bronze(bound.driver if bound else subject)
        if (snapshot := shop.lake.snapshot_id(name)) is not None:
            inputs[name] = snapshot
        packs[source] = str(_recipe(shop.lake, shop.packs[source], FATES))
    return Provenance(run.run_id, STEP, _code(), table_contract(FATES).fingerprint, inputs, {}, packs)


def _table_provenance(shop: Workshop, run: Run, table: str, sources: set[str]) -> Provenance:
    last = shop.lake.provenance(table)
    inputs, packs = dict(last.inputs) if last else {}, dict(last.packs) if last else {}
    for source in sources:
        bound = shop.mappings[source][table]
        packs[source] = str(_recipe(shop.lake, shop.packs[source], table))
        for kind in (bound.driver, *bound.lookups):
            if (snapshot := shop.lake.snapshot_id(bound.pack.bronze(kind))) is not None:
                inputs[bound.pack.bronze(kind)] = snapshot
    return Provenance(run.run_id, STEP, _code(), table_contract(table).fingerprint, inputs, {}, packs)


def _recipe(lake: Lake, pack: Pack, table: str) -> Recipe:
    return recipe(lake, pack, code=_code(), contract=table_contract(table).fingerprint)


def _code() -> str:
    return silver_code("history.py", "reference.py")
