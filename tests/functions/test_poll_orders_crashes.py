"""poll_orders as it is deployed, and what a crash between two pages leaves behind."""

from __future__ import annotations

import json

import pytest
from tests.functions.orders_api import TOKEN, status
from tests.functions.polling import Poll, ids, landed, order
from tests.support.functions import LambdaRunner, build_zip

KILLED = """
import os, signal, polling, services

def once(number):
    # Dies at the second page's step, and only in the first process.
    if not os.path.exists("died"):
        counted.append(number)
        if len(counted) == 2:
            open("died", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)

counted = []
send, write, batches = polling.send, polling.write_cursor, services._batches
if {step!r} == "in the middle of a page":
    def middle(events):
        for place, batch in enumerate(batches(events)):
            if place:
                once(place)
            yield batch
    services._batches = middle
if {step!r} == "after a page before its cursor":
    polling.send = lambda *args: (send(*args), once(1))
if {step!r} == "after a cursor before the next page":
    polling.write_cursor = lambda *args: (write(*args), once(1))
handler = polling.handler
"""


@pytest.mark.parametrize(
    ("step", "sent"),
    [("in the middle of a page", 90), ("after a page before its cursor", 100), ("after a cursor before the next page", 80)],
)
def test_a_crash_neither_loses_nor_doubles_an_order_downstream(poll: Poll, step: str, sent: int) -> None:
    poll.api.pages = [[order(20 * page + number) for number in range(20)] for page in range(4)]
    with LambdaRunner(build_zip("poll_orders"), poll.variables, poll.places.cloud) as running:
        (running.code / "handler.py").rename(running.code / "polling.py")
        (running.code / "handler.py").write_text(KILLED.replace("{step!r}", repr(step)))
        with pytest.raises(Exception, match="the process was killed"):
            running.invoke({})
        assert running.invoke({})["stopped"] == "no further page"
        assert running.cold_starts == 2
    queue = {"QueueUrl": poll.places.queue, "AttributeNames": ["ApproximateNumberOfMessages"]}
    waiting = poll.places.cloud.client("sqs").get_queue_attributes(**queue)["Attributes"]
    assert waiting == {"ApproximateNumberOfMessages": str(sent)}
    lines, letters = landed(poll.places)
    events = [json.loads(text) for text in lines]
    assert ids(events) == sorted(f"PED-{number}" for number in range(80))
    assert len({event["event_id"] for event in events}) == 80
    assert letters == []


def test_the_deployed_zip_polls_with_real_waits(poll: Poll) -> None:
    poll.api.pages = [[order(1)], [order(2)]]
    poll.api.faults = [status(429, Retry_After="1")]
    with LambdaRunner(build_zip("poll_orders"), poll.variables, poll.places.cloud, timeout=30) as running:
        assert running.invoke({}) == {"pages": 2, "orders": 2, "stopped": "no further page"}
        assert TOKEN not in running.log
        assert '"wait_seconds": 1.0' in running.log
    assert ids(poll.events()) == ["PED-1", "PED-2"]
