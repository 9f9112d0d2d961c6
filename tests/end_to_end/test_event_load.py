"""A bounded load on the emulator, from the queue to silver: nothing is lost, nothing counts twice, and the counts add up.

20,000 messages, of which a fifth are copies and one in a hundred is poison, shuffled, through the deployed zip,
which is killed five times while it works.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass

import pytest
from tests.oracles import events_oracle as oracle
from tests.support.cloud import Cloud
from tests.support.compare import comparable
from tests.support.events import Event, cancelled, line, placed
from tests.support.exports import land_reference
from tests.support.functions import LambdaRunner, Polled, Poller, build_zip
from tests.support.nights import STEPS, cloud_settings_in, read
from tests.support.places import Places

from sales_tech.runs import Run
from sales_tech.settings import Settings

MESSAGES, COPIES, POISON = 20_000, 4_000, 200
BATCH, SLICE = 250, 2_000
FATAL = {3: "before", 14: "after", 30: "after", 47: "before", 66: "after"}
"""Invocations at which the function is killed: before it did its work, or after it and before it could answer."""

_DYING = """
import json, os, signal
import landing

FATAL = {fatal}


def handler(event, context):
    count = int(open("count").read()) + 1 if os.path.exists("count") else 1
    with open("count", "w") as file:
        file.write(str(count))
    if FATAL.get(str(count)) == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = landing.handler(event, context)
    if FATAL.get(str(count)) == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
"""


@dataclass(frozen=True)
class Load:
    """What was sent, what the poller counted, and the lake behind it."""

    good: list[Event]
    poison: list[str]
    places: Places
    polled: Polled
    settings: Settings


def good_events() -> list[Event]:
    """Orders of one or two lines over two months, some cancelled."""
    events: list[Event] = []
    number = 0
    while len(events) < MESSAGES - COPIES - POISON:
        at = f"2026-0{1 + number % 2}-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:{number % 59:02}.{number:06}-03:00"
        bought = [line(str(item), quantity=1 + number % 3) for item in range(1, 2 + number % 2)]
        events.append(placed(f"P{number}", at, *bought))
        if number % 10 == 0:
            events.append(cancelled(f"P{number}", f"2026-03-{1 + number % 28:02}T10:00:00.{number:06}-03:00", "1"))
        number += 1
    return events[: MESSAGES - COPIES - POISON]


def poisonous(number: int) -> str:
    """A message that breaks the contract in one of five ways, another one for each number."""
    event = placed(f"X{number}")
    event["event_id"] = f"poison-{number}"
    if number % 5 == 0:
        return json.dumps(event)[:-5]
    if number % 5 == 1:
        return json.dumps(event | {"order": event["order"] | {"lines": [line(quantity="two")]}})
    if number % 5 == 2:
        return json.dumps({name: value for name, value in event.items() if name != "occurred_at"})
    if number % 5 == 3:
        return f'{{"event_id": "poison-{number}", "order": {"[" * 100_000}'
    return json.dumps(event | {"occurred_at": "2199-01-01T00:00:00Z"})


@pytest.fixture(scope="module")
def load(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """The whole load, once: sent and consumed a slice at a time, then one night."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (cloud.environment | {"SALES_TECH_HASH_KEY": "a key for this load"}).items():
            patch.setenv(name, value)
        shown = cloud_settings_in(tmp_path_factory.mktemp("load"), cloud, "erp_br")
        land_reference(shown.landing, "A")
        settings = shown.land()
        rng = random.Random(20)
        good, poison = good_events(), [poisonous(number) for number in range(POISON)]
        bodies = [json.dumps(event) for event in good]
        messages = [*bodies, *rng.choices(bodies, k=COPIES), *poison]
        rng.shuffle(messages)
        places = Places.make(cloud, shown.bucket)
        polled = _consume(places, messages)
        run = Run.begin(settings)
        for step in STEPS:
            step.run(run)
        yield Load(good, poison, places, polled, settings)


def _consume(places: Places, messages: list[str]) -> Polled:
    total, sqs = Polled(), places.cloud.client("sqs")
    with LambdaRunner(build_zip("land_orders"), places.variables, places.cloud) as runner:
        (runner.code / "handler.py").rename(runner.code / "landing.py")
        (runner.code / "handler.py").write_text(_DYING.replace("{fatal}", repr({str(at): when for at, when in FATAL.items()})))
        poller = Poller(places.cloud, places.queue, runner, batch=BATCH)
        for start in range(0, len(messages), SLICE):
            for some in range(start, min(start + SLICE, len(messages)), 10):
                entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(messages[some : some + 10])]
                answer = sqs.send_message_batch(QueueUrl=places.queue, Entries=entries)
                assert not answer.get("Failed")
            total += poller.drain()
    return total


def test_the_function_was_killed_five_times_and_every_message_was_handled_all_the_same(load: Load) -> None:
    assert load.polled.deaths == len(FATAL)
    assert load.polled.deleted == MESSAGES


def test_every_poisonous_message_is_among_the_dead_letters_with_its_reason_and_no_other(load: Load) -> None:
    letters = load.places.letters()
    assert Counter(letter["Body"] for letter in letters).keys() == set(load.poison)
    reasons = {letter["Body"]: letter["MessageAttributes"]["reason"]["StringValue"] for letter in letters}
    words = ("not JSON", "order.lines[0].quantity: text", "occurred_at: missing", "nest", "occurred_at: a time in the future")
    assert all(words[number % 5] in reasons[body] for number, body in enumerate(load.poison)), sorted(set(reasons.values()))


def test_every_good_event_is_in_silver_exactly_once(load: Load) -> None:
    expected = oracle.sales(oracle.facts_of_events(load.good))
    names = expected[0].keys()
    found = [{name: row[name] for name in names} for row in read(load.settings, "silver.sales")]
    assert comparable(found) == comparable(expected)


def test_the_counts_add_up(load: Load) -> None:
    rows = read(load.settings, "bronze.order_events")
    assert {row["event_id"] for row in rows} == {event["event_id"] for event in load.good}
    lines = sum(len(event["order"]["lines"]) for event in load.good)
    fates: Counter[str] = Counter()
    for row in read(load.settings, "silver.fates"):
        if row["file_kind"] == "order_events":
            fates[row["fate"]] += row["rows"]
    cancellations = sum(event["event_type"] == "order_cancelled" for event in load.good)
    assert fates["accepted"] == lines - cancellations
    assert fates["superseded"] == len(rows) - fates["accepted"]
    assert fates["rejected"] == fates["ignored"] == 0
