"""The process behind the port: which model it answers from, where it listens, and how it ends."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from sales_tech.errors import SettingsError
from sales_tech.models.artifact import open_artifact
from sales_tech.models.manifest import MANIFEST
from sales_tech.serving.app import Newer, application, log_plainly
from sales_tech.settings import PREFIX, Settings

if TYPE_CHECKING:
    from sales_tech.planning import Outlook

PORT = 8080
LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104  # a container's port is reached from outside of it only where whoever runs it says so
BIND_TO_PORT = "SAGEMAKER_BIND_TO_PORT"
DIGEST = f"{PREFIX}MODEL_DIGEST"
MOST_ANSWER_BYTES = f"{PREFIX}MOST_ANSWER_BYTES"
LAST_SECONDS = 10


@dataclass(frozen=True)
class Served:
    """An outlook, and what it is called in the log."""

    outlook: Outlook
    version: str


def model_folder() -> Path:
    """Where SageMaker lays a model: SM_MODEL_DIR, else `model` below SAGEMAKER_BASE_DIR, else /opt/ml/model."""
    given = os.environ.get("SM_MODEL_DIR")
    return Path(given) if given else Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "model"


def usual_port() -> int:
    """The port in SAGEMAKER_BIND_TO_PORT, else PORT; SettingsError where it cannot be one."""
    given = os.environ.get(BIND_TO_PORT) or str(PORT)
    if not given.isdecimal() or not 1 <= int(given) <= 65_535:
        raise SettingsError(f"{BIND_TO_PORT} is {given!r}; expected a port from 1 to 65535")
    return int(given)


def in_container() -> bool:
    """Whether a model lies where SageMaker lays it, so that a process that is told of no lake serves that one."""
    return "SM_MODEL_DIR" in os.environ or (model_folder() / MANIFEST).is_file()


def of_folder(folder: Path) -> Served:
    """The model in a folder; where SALES_TECH_MODEL_DIGEST is set, only the one that it stands for."""
    digest = os.environ.get(DIGEST) or None
    artifact = open_artifact(folder, digest)
    return Served(artifact.outlook(), f"{artifact.digest}{'' if digest else ', not checked against a registry'}")


def of_lake(settings: Settings, source: str | None) -> Served:
    """The last night's forecast of a source, of the only one there is by default; where there is none, the registered model.

    A model is registered when it is better, which may be weeks ago; each night takes the newest sales.
    """
    # What answers in a container does without engine and catalog.
    from sales_tech.engines.duck import open_engine
    from sales_tech.lake.store import Lake
    from sales_tech.models.registry import Registry
    from sales_tech.transform.forecasts import DEMAND
    from sales_tech.transform.outlooks import read_outlook, source_of
    from sales_tech.transform.promotion_frames import sources_of

    lake, registry = Lake(settings), Registry(settings)
    told = sources_of(lake, DEMAND) if lake.snapshot_id(DEMAND) is not None else set()
    if told and (source is None or source in told):
        name = source_of(lake, source)
        with open_engine(settings) as engine:
            outlook = read_outlook(lake, engine, name)
        champion = registry.champion(name)
        return Served(
            outlook, f"{name}, the forecast of {outlook.origin:%Y-%m-%d} by {champion.version if champion else 'no registered model'}"
        )
    name = source or _only(registry.sources())
    artifact = registry.open(name)
    return Served(artifact.outlook(), f"{name} {registry.index(name).champion}, {artifact.digest}")


def serve(served: Served, host: str, port: int, newer: Newer | None = None, listening: Callable[[], None] = lambda: None) -> None:
    """Answer until SIGTERM or SIGINT, from what is `newer` once there is; what is being answered then is finished within LAST_SECONDS.

    `listening` is called once the address is taken.
    """
    log_plainly()
    # It would write what a request made fail, with values of the request; the application's own log tells the place.
    logging.getLogger("uvicorn.error").disabled = True
    config = uvicorn.Config(
        application(served.outlook, served.version, _most_bytes(), newer),
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=LAST_SECONDS,
        timeout_keep_alive=75,
    )
    with _bound(host, port) as bound:
        # The server raises the signal again once it has stopped; a wanted end is no failure.
        for wanted in (signal.SIGTERM, signal.SIGINT):
            signal.signal(wanted, _ended)
        listening()
        uvicorn.Server(config).run(sockets=[bound])


def _most_bytes() -> int | None:
    given = os.environ.get(MOST_ANSWER_BYTES)
    if given and not given.isdecimal():
        raise SettingsError(f"{MOST_ANSWER_BYTES} is {given!r}; expected a number of bytes, the longest answer that is passed on")
    return int(given) if given else None


def _ended(number: int, frame: object) -> None:
    return None


def _bound(host: str, port: int) -> socket.socket:
    # Only of a socket that names its protocol does asyncio switch Nagle's algorithm off, which holds the end of an answer for 40 ms.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise SettingsError(f"port {port} of {host} cannot be used: {error.strerror}; choose another with --port") from error
    return made


def _only(sources: list[str]) -> str:
    if not sources:
        raise SettingsError("the lake has no forecast and no model; `python pipeline.py run` makes them (steps ml/forecast and ml/train)")
    if len(sources) > 1:
        raise SettingsError(f"the lake has models of {len(sources)} sources; expected --source with one of {', '.join(sources)}")
    return sources[0]
