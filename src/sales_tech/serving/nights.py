"""The forecast of the last night, also where that night came after the process began."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sales_tech.errors import SalesTechError
from sales_tech.serving.server import Served, of_lake
from sales_tech.settings import Settings

if TYPE_CHECKING:
    from sales_tech.planning import Outlook

log = logging.getLogger("sales_tech.serving")

LOOK_SECONDS = 300.0


class Nights:
    """What a lake serves: `served` at first, and what `read` gives where the lake has `moved` since the last look.

    To look into a lake on S3 takes longer than to answer, so it counts as moved once in LOOK_SECONDS.
    """

    def __init__(self, settings: Settings, source: str | None) -> None:
        from sales_tech.lake.store import Lake

        self._settings, self._source, self._lake = settings, source, Lake(settings)
        # The marks first: what is written while the forecast is read is seen by the next look.
        self._seen, self._forecast = self._mark(), self._snapshot()
        self.served: Served = of_lake(settings, source)

    def moved(self) -> bool:
        """Whether anything was committed to the lake since the last look, or may have been; told in microseconds."""
        return self._mark() != self._seen

    def read(self) -> Outlook | None:
        """The outlook of a forecast that is newer than the one told last; None where there is none.

        One that cannot be read is left alone, and said so in the log, until something is committed again.
        """
        self._seen = self._mark()
        try:
            if (now := self._snapshot()) == self._forecast:
                return None
            told = of_lake(self._settings, self._source)
        except SalesTechError as error:
            log.error(json.dumps({"event": "not renewed", "error": type(error).__name__, "said": str(error)}))
            return None
        self._forecast, self.served = now, told
        return told.outlook

    def _mark(self) -> tuple[int, ...]:
        from sales_tech.platform.local import CATALOG

        if not isinstance(self._settings.lake, Path):
            return (int(time.monotonic() / LOOK_SECONDS),)
        try:
            about = (self._settings.lake / CATALOG).stat()
        except FileNotFoundError:
            return ()
        return about.st_ino, about.st_size, about.st_mtime_ns

    def _snapshot(self) -> int | None:
        from sales_tech.transform.forecasts import DEMAND

        self._lake.refresh()
        return self._lake.snapshot_id(DEMAND)
