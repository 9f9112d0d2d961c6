"""A training job of SageMaker: a source's exported past in, a model with its card out, or the reason why there is none.

Source of the layout: Amazon SageMaker AI Developer Guide, "How Amazon SageMaker AI Provides Training Information".
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from sales_tech.errors import ModelError, SalesTechError, SettingsError

TRAINING, CHAMPION = "training", "champion"
_LONGEST_MESSAGE = 1024  # characters that DescribeTrainingJob shows as FailureReason
_NUMBERS = {"horizon": int, "most_rows": int, "trees": int, "random_state": int}
_OWN = (*_NUMBERS, "country", "champion_digest")


@dataclass(frozen=True)
class Job:
    """Where a job finds what it needs: SM_* variables where they are set, else the folders below SAGEMAKER_BASE_DIR or /opt/ml."""

    hyperparameters: Path
    training: Path
    champion: Path
    model: Path
    output: Path
    data: Path

    @classmethod
    def of_environment(cls) -> Job:
        """The job that this process was started for."""
        base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))

        def place(variable: str, usual: Path) -> Path:
            return Path(os.environ.get(variable) or usual)

        config = place("SM_INPUT_CONFIG_DIR", place("SM_INPUT_DIR", base / "input") / "config")
        channels = place("SM_INPUT_DIR", base / "input") / "data"
        return cls(
            config / "hyperparameters.json",
            place("SM_CHANNEL_TRAINING", channels / TRAINING),
            place("SM_CHANNEL_CHAMPION", channels / CHAMPION),
            place("SM_MODEL_DIR", base / "model"),
            place("SM_OUTPUT_DIR", base / "output"),
            place("SM_OUTPUT_DATA_DIR", place("SM_OUTPUT_DIR", base / "output") / "data"),
        )


def train(console: Console) -> int:
    """Fit a planner on the channel `training`, try it against that of the channel `champion`, if any, and write it; the exit code.

    1 where it failed or was not better: output/failure then has the reason, output/data the card where one was made.
    """
    job = Job.of_environment()
    try:
        digest = _train(job)
    except SalesTechError as error:
        _tell(console, job, str(error))
        return 1
    except Exception as error:
        # The container's log has the traceback; the job's description shows what kind of failure it was.
        _tell(console, job, f"{type(error).__name__}: {error}")
        raise
    console.print(f"model {digest} written into {job.model}", highlight=False, soft_wrap=True)
    return 0


def _train(job: Job) -> str:
    # The planner is heavy to import; whoever only asks for help does without it.
    from sales_tech.models.artifact import open_artifact, write_artifact
    from sales_tech.models.championship import contest
    from sales_tech.models.exported import read_exported
    from sales_tech.planning import PromotionPlanner, TooLittleHistory

    given = _hyperparameters(job.hyperparameters)
    exported = read_exported(job.training)
    recipe = PromotionPlanner(**exported.past.days).set_params(
        **{name: value for name, value in given.items() if name != "champion_digest"}
    )
    champion = None
    if job.champion.is_dir():
        archive = job.champion / "model.tar.gz"
        champion = open_artifact(archive if archive.is_file() else job.champion, given.get("champion_digest"))
    about = exported.about
    try:
        ended = contest(exported.past, about.source, about.snapshots, champion, recipe)
    except TooLittleHistory as error:
        raise ModelError(f"{about.source}: {error}") from error
    job.data.mkdir(parents=True, exist_ok=True)
    (job.data / "card.json").write_text(ended.card.model_dump_json(indent=1), encoding="utf-8")
    (job.data / "card.md").write_text(ended.card.markdown(), encoding="utf-8")
    if ended.planner is None:
        raise ModelError(f"{about.source}: the new model is not registered: {ended.card.decision.reason}")
    return write_artifact(job.model, ended.planner, ended.card).digest


def _hyperparameters(path: Path) -> dict[str, Any]:
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise SettingsError(f"{path} is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise SettingsError(f"{path} holds {type(given).__name__}; expected an object with a text for each hyperparameter")
    told: dict[str, Any] = {}
    for name, value in given.items():
        if name.startswith("sagemaker_"):
            continue  # what SageMaker's own tools add for theirs
        if name not in _OWN:
            raise SettingsError(f"{path}: unknown hyperparameter {name}; expected {', '.join(_OWN)}")
        # SageMaker passes texts only, and some of its tools write them as JSON once more.
        text = str(value).strip().strip('"')
        try:
            told[name] = _NUMBERS[name](text) if name in _NUMBERS else text or None
        except ValueError as error:
            raise SettingsError(f"{path}: {name} is {text!r}; expected a whole number") from error
    return told


def _tell(console: Console, job: Job, message: str) -> None:
    console.print(f"error {message}", highlight=False, markup=False, soft_wrap=True)
    try:
        job.output.mkdir(parents=True, exist_ok=True)
        (job.output / "failure").write_text(message[:_LONGEST_MESSAGE], encoding="utf-8")
    except OSError as error:
        # The exit code tells of the failure all the same, and the log has the message.
        console.print(f"{job.output} cannot be written ({error.strerror})", highlight=False, soft_wrap=True)
