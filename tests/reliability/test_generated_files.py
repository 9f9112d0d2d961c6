"""Thousands of generated files and events: nothing crashes, both readers agree, and no row is lost on the way to its fate."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.reliability.hostile import hostile_event, hostile_file
from tests.support.nights import REPOSITORY, night, read, settings_in

from sales_tech.contracts.pack import FileContract, load_packs
from sales_tech.errors import UnreadableFile
from sales_tech.ingest.reader import read_rows
from sales_tech.orchestration.post_events import post_events
from sales_tech.settings import Settings

pytestmark = pytest.mark.usefixtures("hash_key")

PACKS = load_packs((REPOSITORY / "sources",))
KINDS = {f"{pack.name}/{kind}": contract for pack in PACKS.values() for kind, contract in pack.files.items()}
FEW, MANY = 240, 10_000
A_NIGHT = 500


@dataclass
class Generated:
    """Files that were generated, with what the reader makes of each: its rows, or the reason why it cannot be read."""

    files: dict[str, bytes] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    by_pack: Counter[str] = field(default_factory=Counter)
    fast: int = 0

    def add(self, kind: str, content: bytes, scratch: Path) -> None:
        """Read a file as ingest does, and prove of its rows what can be told without a lake."""
        name = _place(KINDS[kind].glob, len(self.files))
        self.files[name] = content
        self.by_pack[kind.partition("/")[0]] += 1
        path = scratch / "file"
        path.write_bytes(content)
        try:
            found = read_rows(path, KINDS[kind])
        except UnreadableFile as error:
            self.reasons[name] = str(error)
            return
        rows = [row for batch in found.batches() for row in batch.to_pylist()]
        if found.fast:
            self.fast += 1
            assert rows == [row for batch in replace(found, fast=False).batches() for row in batch.to_pylist()]
        _check_lines(content, KINDS[kind], [row["_line_number"] for row in rows])
        self.rows[name] = len(rows)


def _place(glob: str, number: int) -> str:
    # olist/batches/*/orders_*.csv* takes one number in all of its places.
    stars = glob.removesuffix("*")
    return stars.replace("*", f"{number:05}") if "*" in stars else f"{stars}.{number:05}"


def _check_lines(content: bytes, contract: FileContract, numbers: list[int]) -> None:
    # Counted once more from the text: as many lines as it has, and where nothing is quoted one row for each.
    plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    text = plain.decode(contract.encoding).removeprefix("\ufeff")
    head = min((place for end in "\r\n" if (place := text.find(end)) >= 0), default=len(text))
    end = "\n" if text[head:].lstrip("\r").startswith("\n") else "\r"
    lines = text.split(end)
    count = len(lines) - (lines[-1] == "")
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 2
    assert numbers[-1] <= count
    if '"' not in text:
        assert numbers == list(range(2, count + 1))


def generate(strategy: st.SearchStrategy[Any], count: int, take: Callable[[Any], None]) -> None:
    """Give so many examples of a strategy, the same ones each time."""

    @settings(max_examples=count, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def examples(one: Any) -> None:
        take(one)

    examples()


def generated_files(count: int) -> Generated:
    """About so many files, as many of each pack."""
    made = Generated()
    with TemporaryDirectory() as scratch:
        for pack in PACKS.values():
            kinds = [f"{pack.name}/{kind}" for kind in pack.files]
            one = st.sampled_from(kinds).flatmap(lambda kind: st.tuples(st.just(kind), hostile_file(KINDS[kind])))
            generate(one, count // len(PACKS), lambda drawn: made.add(*drawn, Path(scratch)))
    return made


def generated_events(count: int) -> list[str]:
    """So many texts that are meant to be events."""
    texts: list[str] = []
    generate(hostile_event(), count, texts.append)
    return texts


def check_files(count: int, folder: Path) -> None:
    """Generate files, load them over some nights, and follow each of their rows to its fate."""
    began = time.monotonic()
    made = generated_files(count)
    read_in = time.monotonic() - began
    lake = settings_in(folder)
    names = list(made.files)
    nights = 0
    for start in range(0, len(names), A_NIGHT):
        for name in names[start : start + A_NIGHT]:
            path = lake.landing / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made.files[name])
        night(lake)
        nights += 1
    fates = _follow(lake, made)
    print(  # noqa: T201  # the figures, for whoever asks for them with -s
        f"\n{len(names)} files ({', '.join(f'{pack} {number}' for pack, number in made.by_pack.items())}): {len(made.rows)} read "
        f"({made.fast} by both readers, with equal rows), {len(made.reasons)} refused; "
        f"{sum(made.rows.values())} rows; of what was loaded {dict(fates)}; "
        f"{read_in:.0f} s to make and read, {time.monotonic() - began - read_in:.0f} s for {nights} nights"
    )


def _follow(lake: Settings, made: Generated) -> Counter[str]:
    entries = {entry["file_path"]: entry for entry in read(lake, "bronze.files")}
    assert set(entries) == set(made.files)
    assert {name for name, entry in entries.items() if entry["status"] == "rejected"} == set(made.reasons)
    assert {name: entry["reason"] for name, entry in entries.items() if entry["status"] == "rejected"} == made.reasons
    loaded = {entry["file_id"]: entry for entry in entries.values() if entry["status"] == "loaded"}
    for name, rows in made.rows.items():
        digest = hashlib.sha256(made.files[name]).hexdigest()
        assert entries[name]["status"] == ("loaded" if loaded[digest]["file_path"] == name else "duplicate")
        assert loaded[digest]["rows"] == rows
    return check_fates(lake, {key: (entry["source"], entry["file_kind"], entry["rows"]) for key, entry in loaded.items()})


def check_fates(lake: Settings, loaded: dict[str, tuple[str, str, int]]) -> Counter[str]:
    """Every row of every file has one fate: the counts add up by file, and no row is both in silver.sales and among the rejects."""
    counted: Counter[str] = Counter()
    fates: Counter[str] = Counter()
    by_file: Counter[tuple[str, str]] = Counter()
    for row in read(lake, "silver.fates"):
        counted[row["file_id"]] += row["rows"]
        fates[row["fate"]] += row["rows"]
        by_file[row["file_id"], row["fate"]] += row["rows"]
    assert counted == Counter({file: rows for file, (_, _, rows) in loaded.items() if rows})
    bronze = {
        (row["_file_id"], row["_line_number"])
        for source, kind in {(source, kind) for source, kind, _ in loaded.values()}
        for row in read(lake, "bronze.order_events" if kind == "order_events" else f"bronze.{source}_{kind}")
    }
    accepted = [(row["file_id"], row["line_number"]) for row in read(lake, "silver.sales")]
    rejected = [(row["file_id"], row["line_number"]) for row in read(lake, "silver.rejects")]
    assert len(set(accepted)) == len(accepted)
    assert len(set(rejected)) == len(rejected)
    assert not set(accepted) & set(rejected)
    assert set(accepted) | set(rejected) <= bronze
    assert Counter(file for file, _ in rejected) == Counter({file: rows for (file, fate), rows in by_file.items() if fate == "rejected"})
    assert all(row["reasons"] for row in read(lake, "silver.rejects"))
    return fates


def check_events(count: int, folder: Path) -> None:
    """Post generated events, and land as many past the queue's consumer; follow each line of an order to its fate."""
    lake = settings_in(folder)
    texts = generated_events(count)
    posted_file = folder / "events.jsonl"
    posted_file.write_text("\n".join(texts) + "\n", encoding="utf-8", errors="surrogatepass")
    posted = post_events(posted_file, lake)
    assert posted.events == sum(bool(text.strip()) for text in texts)
    assert posted.landed + posted.repeated + posted.refused == posted.events
    for number in range(0, len(texts), 5):
        # As if somebody wrote objects by other means: refused as a whole where one line is no event.
        content = gzip.compress("\n".join(texts[number : number + 5]).encode("utf-8", "surrogatepass"), mtime=0)
        path = lake.landing / "order_events" / f"{number:05}" / f"{number:05}.jsonl.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    night(lake)
    night(lake)
    entries = [entry for entry in read(lake, "bronze.files") if entry["status"] == "loaded"]
    lines: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        rows = [json.loads(text) for text in gzip.decompress((lake.landing / entry["file_path"]).read_bytes()).splitlines() if text.strip()]
        assert entry["rows"] == sum(len(event["order"]["lines"]) for event in rows)
        for event in rows:
            lines[entry["file_id"], event["source"]] += len(event["order"]["lines"])
    fates: Counter[tuple[str, str]] = Counter()
    by_fate: Counter[str] = Counter()
    for row in read(lake, "silver.fates"):
        fates[row["file_id"], row["source"]] += row["rows"]
        by_fate[row["fate"]] += row["rows"]
    assert fates == Counter({key: rows for key, rows in lines.items() if key[1] in PACKS})
    print(  # noqa: T201  # the figures, for whoever asks for them with -s
        f"\n{len(texts)} events: {posted.landed} landed, {posted.repeated} repeated, {posted.refused} refused; "
        f"{sum(lines.values())} rows in {len(entries)} objects, {dict(by_fate)}"
    )


@pytest.mark.slow(40)
def test_rows_of_some_hundred_generated_files_have_one_fate_each(tmp_path: Path) -> None:
    check_files(FEW, tmp_path)


def test_lines_of_some_hundred_generated_events_have_one_fate_each(tmp_path: Path) -> None:
    check_events(FEW, tmp_path)


@pytest.mark.long
def test_rows_of_ten_thousand_generated_files_have_one_fate_each(tmp_path: Path) -> None:
    check_files(MANY, tmp_path)


@pytest.mark.long
def test_lines_of_ten_thousand_generated_events_have_one_fate_each(tmp_path: Path) -> None:
    check_events(MANY, tmp_path)
