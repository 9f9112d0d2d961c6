"""The ledger of fates: its books after some nights are those of a list of rows, and books that do not add up are not kept."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from tests.support.nights import REPOSITORY, read

from sales_tech.contracts.pack import load_pack
from sales_tech.engines.dialect import literal
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.errors import ConservationError
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake
from sales_tech.settings import Settings
from sales_tech.transform.accounts import FATES, REJECTS, Account, Ledger, fates_by_kind
from sales_tech.transform.sources import ensure_silver

RUN = "20260301T020000-1a2b3c"
PACK = load_pack(REPOSITORY / "sources" / "erp_br")
FILES = {"lojas": ("f0", "f1"), "rupturas": ("g0", "g1")}
ALL_FATES = ("accepted", "superseded", "ignored", "rejected")
Place = tuple[str, int]
Fates = dict[Place, str]


@pytest.fixture
def lake(erp: Settings) -> Lake:
    made = Lake(erp)
    ensure_silver(made)
    return made


@pytest.fixture
def engine(erp: Settings) -> Iterator[DuckEngine]:
    with open_engine(erp) as opened:
        files = ", ".join(f"('{file}', 'load of {file}', 'erp_br/{file}.csv')" for some in FILES.values() for file in some)
        opened.name_query("arrivals", f"select * from (values {files}) as files(_file_id, load_id, file_path)")
        yield opened


def account(engine: DuckEngine, kind: str, now: Fates, before: Fates, rows: int, *, lost: Iterable[Place] = ()) -> Account:
    """What became of rows of a kind, of which some had a fate before; `lost` are not in bronze, or not twice."""
    judged = ", ".join(
        f"('{file}', {line}, '{fate}', {literal(before[file, line]) if (file, line) in before else 'null'}, 'wrong in {line}', {line} = 1)"
        for (file, line), fate in now.items()
    )
    names = "_file_id, _line_number, _fate, _was, _reasons, _waits"
    engine.name_query(f"judged_now.{kind}", f"select * from (values {judged}) as judged({names})")
    texts = ", ".join(f"'{name} ' || _line_number as {name}" for name in PACK.files[kind].columns)
    places = ", ".join(f"('{file}', {line})" for file, line in now if (file, line) not in lost)
    carried = "_file_id, _line_number, 'load of ' || _file_id as _load_id, null::varchar as _problem, null::varchar as _raw"
    engine.name_query(f"raw_now.{kind}", f"select {carried}, {texts} from (values {places}) as bronze(_file_id, _line_number)")
    return Account(PACK, kind, f"judged_now.{kind}", f"raw_now.{kind}", rows)


def keep(lake: Lake, engine: DuckEngine, base: dict[str, int] | None, *accounts: Account, anew: bool = False) -> dict[str, int]:
    """Commit accounts on top of the snapshots of a base; the new snapshots are returned."""
    ledger = Ledger(engine, lake, base)
    for one in accounts:
        ledger.add(one, anew=anew)
    return {commit.table: commit.snapshot_id for commit in ledger.commit(RUN, Provenance(RUN, "silver/sales", "code", "contract"))}


def books(settings: Settings) -> tuple[Counter[tuple[str, str, str]], dict[tuple[str, str, int], str]]:
    """Rows by kind, file and fate, and the reasons of each rejected row."""
    fates, rejects = Counter[tuple[str, str, str]](), {}
    for row in read(settings, FATES):
        assert (row["source"], row["load_id"]) == ("erp_br", f"load of {row['file_id']}")
        fates[row["file_kind"], row["file_id"], row["fate"]] += row["rows"]
    for row in read(settings, REJECTS):
        file, line, kind = row["file_id"], row["line_number"], row["file_kind"]
        assert (row["source"], row["load_id"], row["file_path"]) == ("erp_br", f"load of {file}", f"erp_br/{file}.csv")
        assert (row["waits"], next(iter(json.loads(row["row"]).values()))) == (line == 1, f"{next(iter(PACK.files[kind].columns))} {line}")
        rejects[kind, file, line] = row["reasons"]
    return fates, rejects


def expected(kinds: dict[str, Fates]) -> tuple[Counter[tuple[str, str, str]], dict[tuple[str, str, int], str]]:
    return (
        Counter((kind, file, fate) for kind, rows in kinds.items() for (file, _), fate in rows.items()),
        {(kind, *place): f"wrong in {place[1]}" for kind, rows in kinds.items() for place, fate in rows.items() if fate == "rejected"},
    )


def test_the_books_of_some_nights_are_those_of_each_rows_last_fate(lake: Lake, engine: DuckEngine) -> None:
    chance, base = random.Random(1), None
    kinds: dict[str, Fates] = {"lojas": {}, "rupturas": {}}
    places = {kind: [(file, line) for line in range(1, 6) for file in files] for kind, files in FILES.items()}
    for number in range(4):
        judged = dict[str, Fates]()
        # In the third night one kind has no news; the books of a night that was cut short after them count for nothing.
        for kind in ("lojas", "rupturas") if number != 2 else ("lojas",):
            judged[kind] = {
                place: chance.choice(ALL_FATES) for place in places[kind][: 4 + 2 * number] if number == 0 or chance.random() < 0.5
            }
        if base:
            lost = {places["lojas"][0]: "rejected", places["lojas"][9]: "ignored"}
            keep(lake, engine, base, account(engine, "lojas", lost, kinds["lojas"], len(kinds["lojas"].keys() | lost.keys())))
        accounts = [account(engine, kind, now, kinds[kind], len(kinds[kind].keys() | now.keys())) for kind, now in judged.items()]
        snapshots = keep(lake, engine, base, *accounts)
        base = {table: snapshots[table] for table in (REJECTS, FATES)}
        for kind, now in judged.items():
            kinds[kind] |= now
        assert books(lake.settings) == expected(kinds)
    whole = {place: chance.choice(ALL_FATES) for place in places["lojas"][:7]}
    keep(lake, engine, base, account(engine, "lojas", whole, {}, len(whole)), anew=True)
    assert books(lake.settings) == expected(kinds | {"lojas": whole})
    counted = Counter((kind, fate) for kind, rows in (kinds | {"lojas": whole}).items() for fate in rows.values())
    assert fates_by_kind(engine, lake) == sorted(("erp_br", kind, fate, rows) for (kind, fate), rows in counted.items())


@pytest.mark.parametrize(
    ("rows", "accepted", "lost", "said"),
    [
        (4, None, [], "erp_br lojas: 1 accepted, 2 rejected; expected them to add up to 4 rows in bronze"),
        (2, None, [], "erp_br lojas: 1 accepted, 2 rejected; expected them to add up to 2 rows in bronze"),
        (3, 0, [], "erp_br: 1 accepted; expected them to add up to 0 rows in silver"),
        (3, 2, [], "erp_br: 1 accepted; expected them to add up to 2 rows in silver"),
        (3, 1, [("f0", 2)], "2 rejected rows by their fates, 1 in silver.rejects; expected the same"),
    ],
    ids=[
        "a row without a fate",
        "a fate too many",
        "a row that silver lacks",
        "a row too many in silver",
        "a rejected row that is not shown",
    ],
)
def test_books_that_do_not_add_up_are_not_kept(
    lake: Lake, engine: DuckEngine, rows: int, accepted: int | None, lost: list[Place], said: str
) -> None:
    now = {("f0", 1): "rejected", ("f0", 2): "rejected", ("f1", 1): "accepted"}
    ledger = Ledger(engine, lake, None)
    ledger.add(account(engine, "lojas", now, {}, rows, lost=lost), anew=True)
    with pytest.raises(ConservationError) as refused:
        ledger.commit(RUN, Provenance(RUN, "silver/sales", "code", "contract"), None if accepted is None else {"erp_br": accepted})
    assert str(refused.value).startswith(f"{said}. Nothing was committed")
    assert (lake.snapshot_id(FATES), lake.snapshot_id(REJECTS)) == (None, None)
