"""Gold tables: SQL models over silver, rebuilt in just the partitions whose inputs changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

from sqlglot import exp

from sales_tech.contracts.fingerprint import code_fingerprint
from sales_tech.contracts.table import TableContract, contract_path, table_contract
from sales_tech.engines.chosen import open_chosen_engine
from sales_tech.engines.dialect import parse_model, quote, rename_tables, to_duckdb
from sales_tech.engines.engine import Engine
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake, LakeFile, Partition
from sales_tech.lake.write import Staged, stage, stage_each
from sales_tech.runs import Commit, Run, StepResult, exclusive
from sales_tech.transform.calendar import calendar
from sales_tech.transform.sources import view_table
from sales_tech.transform.staleness import Change, change_since

STEP = "gold/sales"
CALENDAR = "gold.calendar"
MODELS = ("gold.daily_sales", "gold.kpis_daily", "gold.orders_daily", "gold.product_performance", "gold.stores", "gold.customer_value")


@dataclass(frozen=True)
class Model:
    """A gold table's contract and its SQL."""

    contract: TableContract
    tree: exp.Query
    code: str

    @cached_property
    def sql(self) -> str:
        """Its SQL in the engine's words."""
        return to_duckdb(self.tree)

    def over(self, relations: dict[str, str]) -> str:
        """Its SQL in the engine's words, over relations that stand for its tables."""
        return to_duckdb(rename_tables(self.tree.copy(), relations))


@cache
def model(name: str) -> Model:
    """One of MODELS; ContractError where its SQL is not one select."""
    path = contract_path(name).with_suffix(".sql")
    tree = parse_model(path.read_text(encoding="utf-8"), path)
    return Model(table_contract(name), tree, code_fingerprint("engines", "transform/gold.py", f"tables/gold/{path.name}"))


def why(lake: Lake, *, force: bool = False) -> dict[str, Change]:
    """For each gold table that must be worked on: what moved since its last commit."""
    changes = {}
    if (change := _calendar_change(lake, force=force)) is not None:
        changes[CALENDAR] = change
    for name in MODELS:
        current = model(name)
        change = _change(lake, current, force=force)
        if change:
            changes[name] = change
    return changes


def run(run: Run) -> StepResult:
    """Bring the gold sales tables up to date, in the order in which they build on each other.

    Raises AuditError, before the commit of a table, when a promise is broken.
    """
    with exclusive(run.settings), open_chosen_engine(run.settings) as engine:
        lake = Lake(run.settings)
        if not why(lake, force=run.force):
            return run.record(StepResult(STEP, notes=["nothing to do"]))
        commits, rows_in = [], 0
        if _calendar_change(lake, force=run.force) is not None:
            commits.append(_build_calendar(lake, engine, run))
        for name in MODELS:
            # Asked again for each, because the table before may be its input.
            current = model(name)
            change = _change(lake, current, force=run.force)
            if change:
                commit, read = _build(lake, engine, run, current, change)
                commits.append(commit)
                rows_in += read
        return run.record(StepResult(STEP, rows_in, commits))


def _change(lake: Lake, current: Model, *, force: bool) -> Change:
    last = lake.provenance(current.contract.name)
    differences = []
    if last is not None:
        differences += ["changed code"] if last.code != current.code else []
        differences += ["changed contract"] if last.contract != current.contract.fingerprint else []
    return change_since(lake, last, current.contract.inputs, differences, force=force)


def _build(lake: Lake, engine: Engine, run: Run, current: Model, change: Change) -> tuple[Commit, int]:
    contract = current.contract
    touched = None if change.full else _touched(lake, engine, contract, change)
    files = {
        name: [file for file in lake.files(name) if touched is None or _shared(table_contract(name), file.partition, contract, touched)]
        for name in contract.inputs
    }
    read = sum(file.rows for some in files.values() for file in some)
    staged = _staged(lake, engine, run, current, files)
    removed = [file for file in lake.files(contract.name) if touched is None or file.partition in touched]
    inputs = {name: snapshot for name in contract.inputs if (snapshot := lake.snapshot_id(name)) is not None}
    provenance = Provenance(run.run_id, STEP, current.code, contract.fingerprint, inputs)
    snapshot = lake.commit(contract.name, staged.paths, removed, provenance)
    partitions = touched if touched is not None else {file.partition for file in lake.files(contract.name, snapshot)}
    return Commit(contract.name, snapshot, staged.rows, len(partitions)), read


def _staged(lake: Lake, engine: Engine, run: Run, current: Model, files: dict[str, list[LakeFile]]) -> Staged:
    # Large partitions are made one by one, as a night makes those it touches: what is grouped and sorted is small then.
    contract = current.contract
    parted = [name for name, rule in contract.inputs.items() if rule.changes == "partition" and contract.partition]
    parts = {_project(table_contract(name), file.partition, contract) for name in parted for file in files[name]}
    rows = sum(file.rows for name in parted for file in files[name])
    if engine.rows_apart is None or len(parts) < 2 or rows < engine.rows_apart * len(parts):
        for name, some in files.items():
            view_table(engine, lake, name, files=some)
        return stage(lake, engine, contract, current.sql, run.run_id)
    queries = []
    for number, part in enumerate(sorted(parts)):
        relations = {}
        for name, some in files.items():
            theirs = table_contract(name)
            own = [file for file in some if _shared(theirs, file.partition, contract, {part})]
            relations[name] = view_table(engine, lake, name, view=f"part_{number}.{name.replace('.', '_')}", files=own)
        queries.append(current.over(relations))
    return stage_each(lake, engine, contract, queries, run.run_id)


def _touched(lake: Lake, engine: Engine, contract: TableContract, change: Change) -> set[Partition]:
    last = lake.provenance(contract.name)
    assert last is not None
    touched: set[Partition] = set()
    for name in change.inputs:
        rule, since = contract.inputs[name], last.inputs.get(name)
        if rule.changes == "partition":
            changed = lake.changed_partitions(name, since)
            touched |= {_project(table_contract(name), partition, contract) for partition in changed}
        else:
            touched |= _touched_by_keys(lake, engine, contract, name, since)
    return touched


def _touched_by_keys(lake: Lake, engine: Engine, contract: TableContract, name: str, since: int | None) -> set[Partition]:
    # Where the keys of the input's changed rows occur in the table `via`, whose partitions are ours.
    rule = contract.inputs[name]
    assert rule.via is not None
    before = {file.path: file for file in (lake.files(name, since) if since is not None else ())}
    now = {file.path: file for file in lake.files(name)}
    old = view_table(engine, lake, name, view="changed.old", files=[file for path, file in before.items() if path not in now])
    new = view_table(engine, lake, name, view="changed.new", files=[file for path, file in now.items() if path not in before])
    via = view_table(engine, lake, rule.via, view="changed.via")
    keys = ", ".join(map(quote, rule.keys))
    values = ", ".join(
        quote(field.column)
        if field.transform == "identity"
        else f"(year({quote(field.column)}) - 1970) * 12 + month({quote(field.column)}) - 1"
        for field in contract.partition_fields
    )
    return set(
        engine.rows(
            f"""select distinct {values} from {via} semi join (
                (select * from {old} except select * from {new}) union all (select * from {new} except select * from {old})
            ) as changed using ({keys})"""
        )
    )


def _project(theirs: TableContract, partition: Partition, ours: TableContract) -> Partition:
    values = dict(zip(theirs.partition, partition, strict=True))
    return tuple(values[field] for field in ours.partition)


def _shared(theirs: TableContract, partition: Partition, ours: TableContract, touched: set[Partition]) -> bool:
    # Whether an input's partition can hold rows of the touched partitions: they agree where both are split.
    common = [field for field in theirs.partition if field in ours.partition]
    values = tuple(partition[theirs.partition.index(field)] for field in common)
    return values in {tuple(mine[ours.partition.index(field)] for field in common) for mine in touched}


def _calendar_change(lake: Lake, *, force: bool) -> Change | None:
    last, contract = lake.provenance(CALENDAR), table_contract(CALENDAR)
    if last is None:
        return Change(True, ("never built",))
    if force:
        return Change(True, ("forced",))
    if last.code != _calendar_code():
        return Change(True, ("changed code",))
    return Change(True, ("changed contract",)) if last.contract != contract.fingerprint else None


def _build_calendar(lake: Lake, engine: Engine, run: Run) -> Commit:
    contract = table_contract(CALENDAR)
    with engine.arrow_view("days", calendar()):
        staged = stage(lake, engine, contract, "select * from days", run.run_id)
    provenance = Provenance(run.run_id, STEP, _calendar_code(), contract.fingerprint)
    removed: tuple[LakeFile, ...] = lake.files(CALENDAR)
    return Commit(CALENDAR, lake.commit(CALENDAR, staged.paths, removed, provenance), staged.rows, 0)


def _calendar_code() -> str:
    return code_fingerprint("retail_dates.py", "transform/calendar.py")
