"""Lambda as tests use it: the zip that a deploy uploads, its runtime in a process of its own, and SQS as its source.

The runtime has the standard library and boto3's environment, as Lambda has, but nothing of this repository: neither
its folders nor the package `sales_tech` can be imported there.
"""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
import sysconfig
import tempfile
import threading
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from tests.support.cloud import REGION, Cloud
from tests.support.nights import REPOSITORY

FUNCTIONS = REPOSITORY / "lambda"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MOST_AT_ONCE = 10  # messages that SQS takes or gives in one call

_RUNTIME = """
import importlib, json, logging, os, sys, time, traceback
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
sys.path[:0] = [os.getcwd()]
sys.path.append(sys.argv[2])
logging.getLogger().addHandler(logging.StreamHandler(sys.stderr))
module, _, name = sys.argv[1].rpartition(".")

class Context:
    function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    memory_limit_in_mb = 256
    def __init__(self, request, milliseconds):
        self.aws_request_id, self._end = request, time.monotonic() + milliseconds / 1000
        self.invoked_function_arn = "arn:aws:lambda:" + os.environ["AWS_REGION"] + ":123456789012:function:" + self.function_name
    def get_remaining_time_in_millis(self):
        return max(0, round((self._end - time.monotonic()) * 1000))

function = getattr(importlib.import_module(module), name)
for number, line in enumerate(sys.stdin):
    asked = json.loads(line)
    try:
        answer = {"result": function(asked["event"], Context(str(number), asked["milliseconds"]))}
        text = json.dumps(answer)
    except Exception as error:
        text = json.dumps({"type": type(error).__name__, "message": str(error), "trace": traceback.format_exc()})
    print(text, file=answers)
"""


def build_zip(function: str) -> bytes:
    """The folder of a function as `aws cloudformation package` zips it, the same bytes each time."""
    folder = FUNCTIONS / function
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not _left_by_a_tool(path.relative_to(folder)))
    if not files:
        raise FileNotFoundError(f"no function {function} below {FUNCTIONS}; there are {sorted(path.name for path in FUNCTIONS.iterdir())}")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return packed.getvalue()


def _left_by_a_tool(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def load(function: str) -> SimpleNamespace:
    """All modules of a function, imported into this process for tests that look inside.

    Functions have modules of the same names, so the names are forgotten again after the import.
    """
    folder = FUNCTIONS / function
    names = [path.stem for path in folder.glob("*.py")]
    hidden = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(folder))
    try:
        return SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(str(folder))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(hidden)


class FunctionError(Exception):
    """The function raised; the text is its type and message."""


class FunctionDied(Exception):
    """The runtime ended or was ended before it answered."""


class LambdaRunner:
    """Runs a zip as Lambda would: a cold start, then one invocation after the other in the same process.

    `variables` are the function's own. After a timeout or `kill()` the next invocation starts cold again.
    """

    def __init__(
        self, packed: bytes, variables: dict[str, str], cloud: Cloud | None = None, *, name: str = "function", timeout: float = 60.0
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="lambda-")
        self.code = Path(self._folder.name) / "task"
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            archive.extractall(self.code)
        aws = cloud.environment if cloud else {"AWS_REGION": REGION}
        self._environment = {**aws, **variables, "AWS_LAMBDA_FUNCTION_NAME": name, "LANG": "C.UTF-8"}
        self._timeout = timeout
        self._process: subprocess.Popen[str] | None = None
        self._log = Path(self._folder.name) / "log"
        self.cold_starts = 0

    def invoke(self, event: Any, *, entry: str = "handler.handler") -> Any:
        """What the function returns. Raises FunctionError where it raises, FunctionDied where it is killed or too late."""
        process = self._running(entry)
        assert process.stdin and process.stdout
        late = threading.Timer(self._timeout, process.kill)
        late.start()
        try:
            process.stdin.write(json.dumps({"event": event, "milliseconds": round(self._timeout * 1000)}) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            late.cancel()
        if not answer.endswith("\n"):
            self.kill()
            raise FunctionDied(
                f"no answer: the process was killed, or took longer than {self._timeout} s. Its log ends:\n{self.log[-2000:]}"
            )
        found = json.loads(answer)
        if "result" not in found:
            raise FunctionError(f"{found['type']}: {found['message']}\n{found['trace']}")
        return found["result"]

    @property
    def log(self) -> str:
        """All that was logged so far, over all cold starts."""
        return self._log.read_text() if self._log.exists() else ""

    def kill(self) -> None:
        """End the process at once, as a crash would; from any thread."""
        process = self._process
        if process:
            process.kill()
            process.wait(timeout=10)

    def close(self) -> None:
        """End the process and remove its folder."""
        self.kill()
        self._close_pipes()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running(self, entry: str) -> subprocess.Popen[str]:
        if self._process and self._process.poll() is None:
            return self._process
        self._close_pipes()
        # Without `site` no .pth file is read, so what is installed as editable, such as this project, is not there.
        command = [sys.executable, "-I", "-S", "-c", _RUNTIME, entry, sysconfig.get_path("purelib")]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, cwd=self.code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.cold_starts += 1
        return self._process

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout) if self._process else ():
            with suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]


@dataclass
class Polled:
    """What became of the messages of one or more batches."""

    received: int = 0
    deleted: int = 0
    returned: int = 0
    deaths: int = 0

    def __iadd__(self, other: Polled) -> Self:
        self.received += other.received
        self.deleted += other.deleted
        self.returned += other.returned
        self.deaths += other.deaths
        return self


class Poller:
    """An SQS event source mapping with ReportBatchItemFailures: what the function does not name is deleted.

    What it names, and all of a batch whose invocation raised or died, is visible again at once rather than after
    the queue's visibility timeout, so that tests need not wait.
    """

    def __init__(self, cloud: Cloud, queue_url: str, runner: LambdaRunner, *, batch: int = _MOST_AT_ONCE) -> None:
        self._sqs, self._queue, self._runner, self._batch = cloud.client("sqs"), queue_url, runner, batch
        self._arn = self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def poll(self) -> Polled:
        """Hand one batch to the function; a death of the function is counted, an error that it raised is, too."""
        messages = self._receive()
        if not messages:
            return Polled()
        try:
            answer = self._runner.invoke({"Records": [self._record(message) for message in messages]})
            failed, deaths = _named(answer, messages), 0
        except (FunctionDied, FunctionError):
            failed, deaths = messages, 1
        done = [message for message in messages if message not in failed]
        for some in _tens(done):
            answer = self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=_entries(some))
            assert not answer.get("Failed"), answer
        for some in _tens(failed):
            entries = [entry | {"VisibilityTimeout": 0} for entry in _entries(some)]
            self._sqs.change_message_visibility_batch(QueueUrl=self._queue, Entries=entries)
        return Polled(len(messages), len(done), len(failed), deaths)

    def drain(self, *, most: int = 1000) -> Polled:
        """Poll until nothing is received any more. Raises RuntimeError after the given number of batches."""
        total = Polled()
        for _ in range(most):
            polled = self.poll()
            if not polled.received:
                return total
            total += polled
        raise RuntimeError(f"the queue {self._queue} still gave messages after {most} batches: {total}")

    def _receive(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        while len(messages) < self._batch:
            some = self._sqs.receive_message(
                QueueUrl=self._queue,
                MaxNumberOfMessages=min(_MOST_AT_ONCE, self._batch - len(messages)),
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not some:
                break
            messages += some
        return messages

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": REGION,
        }


def _named(answer: Any, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages that the function reports as failed; all of them where the report is none that SQS understands."""
    known = {message["MessageId"]: message for message in messages}
    named = [item.get("itemIdentifier") for item in (answer or {}).get("batchItemFailures") or []]
    return [known[name] for name in named] if all(name in known for name in named) else messages


def _tens(messages: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [messages[place : place + _MOST_AT_ONCE] for place in range(0, len(messages), _MOST_AT_ONCE)]


def _entries(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]} for place, message in enumerate(messages)]
