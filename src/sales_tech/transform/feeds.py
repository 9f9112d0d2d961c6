"""What silver.sales is fed by: the sales files of a pack, and the order events that name the pack."""

from __future__ import annotations

from dataclasses import dataclass

from sales_tech.contracts.pack import Pack
from sales_tech.contracts.stream import SALES, STREAM, STREAM_TABLE, stream_pack
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake, LakeFile
from sales_tech.lake.write import in_partitions
from sales_tech.transform.accounts import REJECTS
from sales_tech.transform.mapping import BoundMapping, bind


@dataclass(frozen=True)
class Feed:
    """One stream of order lines of a source: its checked mapping, and the bronze files that hold its rows."""

    bound: BoundMapping

    @property
    def source(self) -> str:
        """The pack's name."""
        return self.bound.pack.name

    @property
    def kind(self) -> str:
        """The kind of file that drives it; `order_events` for the event stream."""
        return self.bound.driver

    @property
    def streams(self) -> bool:
        """Whether it is the event stream, whose table all sources share."""
        return self.kind == STREAM

    def since(self, last: Provenance | None) -> int | None:
        """The snapshot of its bronze table up to which a commit had judged its rows."""
        if last is None:
            return None
        return last.streams.get(self.source) if self.streams else last.inputs.get(self.bound.bronze)

    def files(self, lake: Lake) -> list[LakeFile]:
        """All its bronze files."""
        return self._own(lake.files(self.bound.bronze))

    def added_files(self, lake: Lake, since: int | None) -> list[LakeFile]:
        """Its bronze files that are newer than a snapshot."""
        return self._own(lake.added_files(self.bound.bronze, since))

    def earlier_files(self, lake: Lake, since: int | None) -> list[LakeFile]:
        """Its bronze files that a snapshot had already."""
        return self._own(lake.earlier_files(self.bound.bronze, since))

    def rejected(self, lake: Lake, last: Provenance | None) -> list[LakeFile]:
        """The files with its rejected rows, as of a commit of silver.sales."""
        # Not the newest ones: a crash may have left newer rejects without their sales.
        snapshot = last.companions.get(REJECTS) if last else None
        return in_partitions(lake.files(REJECTS, snapshot), {(self.source, self.kind)}) if snapshot else []

    def _own(self, files: tuple[LakeFile, ...]) -> list[LakeFile]:
        return [file for file in files if not self.streams or file.partition[0] == self.source]


def feeds_of(lake: Lake, pack: Pack, mappings: dict[str, BoundMapping]) -> list[Feed]:
    """The feeds of a pack that have bronze rows."""
    feeds = []
    bound = mappings.get(SALES)
    if bound is not None and lake.snapshot_id(bound.bronze) is not None:
        feeds.append(Feed(bound))
    if lake.snapshot_id(STREAM_TABLE) is not None:
        sales = pack.files[bound.driver] if bound is not None else None
        events = Feed(bind(stream_pack(pack, sales), SALES))
        feeds += [events] if events.files(lake) else []
    return feeds
