"""A night on AWS whose services fail, throttle, dawdle or no longer know its credentials half way: told in words, made good for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.reliability.children import ended, refused_night, start
from tests.reliability.proxy import Answer, Late, relay
from tests.reliability.scenes import Scene, different, half_tables
from tests.support.nights import night

pytestmark = pytest.mark.slow(60)
S3, GLUE = "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_GLUE"
READS_AND_WRITES = ("GET", "PUT", "POST", "HEAD", "DELETE")


def xml(code: str, message: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


BROKEN = Answer(500, xml("InternalError", "We encountered an internal error."))
SLOW_DOWN = Answer(503, xml("SlowDown", "Please reduce your request rate."))
EXPIRED = Answer(400, xml("ExpiredToken", "The provided token has expired."))
THROTTLED = Answer(400, b'{"__type": "ThrottlingException", "message": "Rate exceeded"}')
EXPIRED_GLUE = Answer(400, b'{"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"}')
LATER = "AWS could not serve it although it was asked several times; run again later"
SIGN_IN = "the credentials have expired; sign in again"
OUTAGES = [
    pytest.param(S3, "PUT", 0.25, BROKEN, LATER, id="S3 answers 500 to what is written"),
    pytest.param(S3, "PUT", 0.6, SLOW_DOWN, LATER, id="S3 answers 503 to what is written"),
    pytest.param(S3, "GET", 0.8, SLOW_DOWN, LATER, id="S3 answers 503 to what is read"),
    pytest.param(S3, "PUT", 0.5, EXPIRED, SIGN_IN, id="S3 knows the credentials no longer"),
    pytest.param(GLUE, "UpdateTable", 0.5, THROTTLED, LATER, id="Glue throttles the commits"),
    pytest.param(GLUE, "GetTable", 0.5, EXPIRED_GLUE, SIGN_IN, id="Glue knows the credentials no longer"),
]


@pytest.fixture(scope="module")
def requests() -> dict[str, int]:
    """How many requests of each kind an undisturbed night makes; counted once, by the first test that asks."""
    return {}


def counted(scene: Scene, requests: dict[str, int]) -> dict[str, int]:
    """The requests of an undisturbed night."""
    if not requests:
        scene.restore()
        with relay(scene.environment["AWS_ENDPOINT_URL"], lambda _kind, _number: None) as passing:
            both = {S3: passing.endpoint, GLUE: passing.endpoint}
            night_ended = ended(start(night, scene.settings, environment={**scene.environment, **both}))
        assert night_ended == 0
        assert different(scene) == []
        requests |= passing.counts
    return requests


@pytest.mark.parametrize(("service", "kind", "part", "answer", "said"), OUTAGES)
def test_a_night_whose_service_fails_half_way_says_so_and_the_next_makes_good_for_it(
    second_night: Scene, requests: dict[str, int], tmp_path: Path, service: str, kind: str, part: float, answer: Answer, said: str
) -> None:
    first, told = 1 + int(counted(second_night, requests)[kind] * part), tmp_path / "told.txt"
    second_night.restore()

    def fault(met: str, number: int) -> Answer | None:
        return answer if met == kind and number >= first else None

    with relay(second_night.environment["AWS_ENDPOINT_URL"], fault) as failing:
        variables = {**second_night.environment, service: failing.endpoint, "AWS_MAX_ATTEMPTS": "2"}
        assert ended(start(refused_night, second_night.settings, told, environment=variables)) == 3
    assert failing.failed
    words = told.read_text(encoding="utf-8")
    assert " failed: " in words, words
    assert words.endswith(said), words
    assert half_tables(second_night) == []
    night(second_night.settings)
    assert different(second_night) == []


@pytest.mark.parametrize(
    ("service", "kinds", "every", "answers"),
    [
        pytest.param(S3, READS_AND_WRITES, 9, (SLOW_DOWN, BROKEN), id="S3 answers 503 or 500 to every ninth request"),
        pytest.param(S3, READS_AND_WRITES, 120, (Late(5.0),), id="S3 takes five seconds now and then"),
        pytest.param(GLUE, ("UpdateTable", "GetTable"), 4, (THROTTLED,), id="Glue throttles every fourth request"),
    ],
)
def test_a_night_whose_service_fails_now_and_then_is_as_good_as_any(
    second_night: Scene, service: str, kinds: tuple[str, ...], every: int, answers: tuple[Answer | Late, ...]
) -> None:
    second_night.restore()
    met: list[str] = []

    def fault(kind: str, _number: int) -> Answer | Late | None:
        met.extend([kind] if kind in kinds else [])
        return answers[len(met) // every % len(answers)] if kind in kinds and len(met) % every == 0 else None

    with relay(second_night.environment["AWS_ENDPOINT_URL"], fault) as failing:
        variables = {**second_night.environment, service: failing.endpoint}
        assert ended(start(night, second_night.settings, environment=variables)) == 0
    assert failing.failed >= 2
    assert different(second_night) == []
