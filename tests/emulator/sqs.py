"""SQS without the counts that moto takes of the whole queue on every call, which make a load of thousands take hours."""

from __future__ import annotations

import time


def install(_port: int) -> None:
    """Take the clock without its freezing, and skip the check of retention: no test keeps a message for days."""
    from moto.sqs import models

    models.unix_time_millis = lambda _moment=None: time.time() * 1000
    models.SQSBackend.is_message_valid_based_on_retention_period = lambda *_: True
