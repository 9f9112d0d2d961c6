"""A training job and an endpoint as SageMaker starts them: processes of their own, folders below a base, signals."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.models.pasts import plan, small_past
from tests.support.nights import REPOSITORY

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.models.artifact import open_artifact
from sales_tech.models.exported import export_past, read_exported
from sales_tech.serving.server import DIGEST, MOST_ANSWER_BYTES

pytestmark = pytest.mark.slow(40)

SMALL = {"horizon": "21", "most_rows": "2000", "trees": '"8"', "sagemaker_region": '"sa-east-1"'}
HEAVY = ("sklearn", "scipy", "matplotlib", "duckdb", "skops", "pyiceberg", "fastapi", "holidays")


def run(base: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SM_")}
    environment |= {"SAGEMAKER_BASE_DIR": str(base), **variables}
    code = [sys.executable, str(REPOSITORY / "pipeline.py"), *command]
    return subprocess.run(code, env=environment, cwd=base, capture_output=True, text=True, timeout=120, check=False)


def laid_out(base: Path, hyperparameters: object, **changed: Any) -> Path:
    export_past(small_past(**changed), base / "input" / "data" / "training", "erp_br", {"gold.daily_sales": 7})
    (base / "input" / "config").mkdir(parents=True)
    (base / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    return base


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = laid_out(tmp_path_factory.mktemp("ml"), SMALL)
    done = run(base, "train-job")
    assert done.returncode == 0, done.stdout + done.stderr
    return base


class Endpoint:
    """A process that serves the model of a base folder; it ends with the test."""

    def __init__(self, base: Path, **variables: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SM_")}
        environment |= {"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_BIND_TO_PORT": str(self.port), **variables}
        code = [sys.executable, str(REPOSITORY / "pipeline.py"), "serve"]
        self.process = subprocess.Popen(code, env=environment, cwd=base, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self) -> Endpoint:
        for _ in range(600):
            if self.process.poll() is not None:
                break
            try:
                if self.ask("GET", "/ping")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def ask(self, method: str, address: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with closing(client):
            client.request(method, address, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = client.getresponse()
            return answer.status, answer.read()

    def ended(self) -> tuple[int, str]:
        """The exit code after SIGTERM, and what was logged."""
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, log


def test_what_was_exported_is_what_was_there(tmp_path: Path) -> None:
    past = replace(small_past(), calendar=RetailCalendar(country="PT", occasions={"feast": [(date(2025, 4, 1), date(2025, 4, 9))]}))
    export_past(past, tmp_path, "erp_br", {"gold.daily_sales": 7})
    read = read_exported(tmp_path)
    assert (read.about.source, read.about.currency, read.about.snapshots) == ("erp_br", "BRL", {"gold.daily_sales": 7})
    assert read.past.calendar == past.calendar
    assert read.past.frames.stockouts is None
    for name in ("daily", "products", "stores", "promotions"):
        pd.testing.assert_frame_equal(getattr(read.past.frames, name), getattr(past.frames, name), check_exact=True)
    for name in ("results", "daily", "response", "elasticity"):
        pd.testing.assert_frame_equal(getattr(read.past, name), getattr(past, name), check_exact=True)


def test_a_training_job_leaves_a_model_and_its_card(trained: Path) -> None:
    artifact = open_artifact(trained / "model")
    card = artifact.card()
    assert (card.source, card.snapshots, card.decision.outcome) == ("erp_br", {"gold.daily_sales": 7}, "registered")
    assert (card.parameters["trees"], card.parameters["horizon"]) == (8, 21)
    assert (trained / "output" / "data" / "card.json").read_bytes() == (trained / "model" / "card.json").read_bytes()
    assert not (trained / "output" / "failure").exists()


def test_the_endpoint_answers_from_the_model_of_the_job_and_ends_cleanly(trained: Path) -> None:
    artifact = open_artifact(trained / "model")
    row = plan().iloc[0]
    promotion = {"sku": row["sku"], "mechanic": row["mechanic"], "discount_share": row["discount_share"], "investment": row["investment"]}
    promotion |= {name: f"{row[name]:%Y-%m-%d}" for name in ("starts_on", "ends_on")}
    with Endpoint(trained, **{DIGEST: artifact.digest, MOST_ANSWER_BYTES: "100000"}) as endpoint:
        assert endpoint.ask("GET", "/ping") == (200, b"")
        body = json.dumps({"promotions": [promotion]}).encode()
        status, told = endpoint.ask("POST", "/invocations", body, Content_Type="application/json", Accept="*/*")
        assert status == 200
        assert len(told) < 100_000
        many = json.dumps({"promotions": [promotion | {"promotion_id": str(number)} for number in range(20)]}).encode()
        status, refused = endpoint.ask("POST", "/invocations", many, Content_Type="application/json", Accept="*/*")
        assert (status, json.loads(refused)["errors"][0]["expected"]) == (422, "at most 100,000, which is what this endpoint passes on")
        direct = artifact.outlook().forecast(plan())
        assert [one["units"] for one in json.loads(told)["days"]] == pytest.approx(direct["units"].tolist(), rel=1e-15)
        code, log = endpoint.ended()
    assert code == 0
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["event"] for line in lines] == ["serving", "refused", "stopped"]
    assert lines[0]["model"] == artifact.digest


def test_an_endpoint_does_not_start_from_a_model_that_is_not_the_registered_one(trained: Path) -> None:
    done = run(trained, "serve", "--port", "1", **{DIGEST: "sha256:" + "0" * 64})
    assert done.returncode == 1
    assert "which the registry names" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_limit_that_is_no_number_is_told_as_such(trained: Path) -> None:
    done = run(trained, "serve", "--port", "1", **{MOST_ANSWER_BYTES: "4 MB"})
    assert done.returncode == 1
    assert "SALES_TECH_MOST_ANSWER_BYTES is '4 MB'; expected a number of bytes" in " ".join(done.stderr.split())


def test_a_port_that_is_taken_is_told_as_such(trained: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        done = run(trained, "serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "choose another with --port" in " ".join(done.stderr.split())


def test_what_answers_imports_nothing_that_it_was_learnt_by(trained: Path) -> None:
    code = f"""
import sys
from pathlib import Path
import sales_tech.cli
from sales_tech.serving import server
from sales_tech.serving.app import application
application(server.of_folder(Path({str(trained / "model")!r})).outlook)
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []


def test_a_champion_that_is_better_fails_the_job_with_the_reason(trained: Path, tmp_path: Path) -> None:
    base = laid_out(tmp_path, SMALL | {"trees": "1", "most_rows": "60"}, days=171)
    (base / "input" / "data" / "champion").mkdir()
    for path in (trained / "model").rglob("*"):
        if path.is_file():
            target = base / "input" / "data" / "champion" / path.relative_to(trained / "model")
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    done = run(base, "train-job")
    assert done.returncode == 1
    failure = (base / "output" / "failure").read_text()
    assert failure.startswith("erp_br: the new model is not registered: its error (WAPE) is")
    assert failure in " ".join(done.stdout.split())
    assert json.loads((base / "output" / "data" / "card.json").read_text())["decision"]["outcome"] == "refused"
    assert not (base / "model").exists()


@pytest.mark.parametrize(
    ("hyperparameters", "words"),
    [
        ({"trees": "many"}, "trees is 'many'; expected a whole number"),
        ({"epochs": "3"}, "unknown hyperparameter epochs; expected horizon"),
        ({"horizon": "0"}, "horizon"),
        (["trees", "3"], "hyperparameters.json holds list; expected an object"),
    ],
)
def test_a_job_that_cannot_be_done_tells_why_in_output_failure(hyperparameters: object, words: str, tmp_path: Path) -> None:
    base = laid_out(tmp_path, hyperparameters)
    done = run(base, "train-job")
    assert done.returncode == 1
    assert words in (base / "output" / "failure").read_text()


def test_a_job_without_its_channel_and_one_with_too_little_history_tell_so(tmp_path: Path) -> None:
    done = run(tmp_path, "train-job")
    assert done.returncode == 1
    assert "about.json is not there" in (tmp_path / "output" / "failure").read_text()
    base = laid_out(tmp_path / "short", SMALL, days=70, skus=5)
    assert run(base, "train-job").returncode == 1
    assert "days of sales are known" in (base / "output" / "failure").read_text()
