"""Glue's optimistic lock, which moto leaves out.

`update_table` with a VersionId that is no longer the table's is refused, as on AWS. Without this a commit of
one writer would be lost to another's in the emulator alone.
"""

from __future__ import annotations

import threading

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.glue.responses import GlueResponse


def install(_port: int) -> None:
    """Patch moto in this process."""
    plain = GlueResponse.update_table
    one_at_a_time = threading.Lock()

    def update_table(response: GlueResponse) -> ActionResult:
        given = response.parameters
        expected = given.get("VersionId")
        with one_at_a_time:
            table = response.glue_backend.get_table(given["DatabaseName"], given["TableInput"]["Name"])
            if expected is not None and str(table.as_dict()["VersionId"]) != str(expected):
                raise JsonRESTError("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
            return plain(response)

    GlueResponse.update_table = update_table
