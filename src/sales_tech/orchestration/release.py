"""A champion of the lake on its way to whoever asks it: in this process, or registered on AWS with what its card says."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import anyio

from sales_tech.errors import ModelError
from sales_tech.models.archive import ARCHIVE
from sales_tech.models.artifact import CARD, Artifact
from sales_tech.models.card import CHALLENGER, CHAMPION, NAIVE, ModelCard
from sales_tech.models.registry import Registry
from sales_tech.settings import Settings

if TYPE_CHECKING:
    from sales_tech.aws.model_packages import ModelPackage
    from sales_tech.aws.stack import Stack
    from sales_tech.planning import Outlook

MOST_WORDS = 1024  # characters that SageMaker keeps of what a version is
_DAYS = 10


@dataclass(frozen=True)
class Champion:
    """The model of a source that is in use."""

    source: str
    version: str
    artifact: Artifact

    def page(self) -> str:
        """Its card as Markdown, under what it is called."""
        return f"`{self.source} {self.version}`, `{self.artifact.digest}`\n\n{self.artifact.card().markdown()}"


def champion_of(settings: Settings, source: str | None = None) -> Champion | None:
    """The champion of a source, by default of the first that has one; None where none has. ModelError for a source without one."""
    registry = Registry(settings)
    known = registry.sources()
    if source is not None and source not in known:
        raise ModelError(f"{source} has no champion; expected one of {', '.join(known) or 'none yet: the step ml/train fits one'}")
    if not known:
        return None
    chosen = source or known[0]
    version = registry.champion(chosen)
    assert version is not None
    return Champion(chosen, version.version, registry.open(chosen, version.version))


def figures_of(card: ModelCard) -> dict[str, str]:
    """The card in short texts, to be shown beside a registered version: what it learnt from, and its errors beside its rivals'."""
    figures = {
        "origin": f"{card.origin:%Y-%m-%d}",
        "horizon_days": str(card.horizon),
        "series": str(card.series),
        "currency": card.currency,
        "code_version": card.code_version,
        "decision": card.decision.outcome,
    }
    for name, prefix in ((CHALLENGER, ""), (CHAMPION, "champion_"), (NAIVE, "naive_")):
        if (one := card.figures_of(name)) is not None:
            measured = {"wape": one.wape, "bias": one.bias, "rmsse": one.rmsse, "coverage": one.coverage}
            figures |= {f"{prefix}{key}": f"{value:.4f}" for key, value in measured.items() if value is not None}
    return figures


def register_champion(settings: Settings, stack: Stack, source: str, image_tag: str) -> ModelPackage:
    """Register the champion of a source, as it lies in the stack's lake, to wait for approval; the version that has it already, if any.

    `image_tag` names the image in the stack's repository that is to serve it. ModelError where the source has no champion, or the
    lake is not the stack's.
    """
    from sales_tech.aws.model_packages import ModelPackages

    check_lake(settings, stack)
    outputs = stack.outputs
    champion = champion_of(settings, source)
    assert champion is not None
    card = champion.artifact.card()
    place = f"{settings.lake}/models/{source}/{champion.version}"
    return ModelPackages(stack.connection, outputs["ModelGroup"]).register(
        source,
        f"{place}/{ARCHIVE}",
        f"{outputs['RepositoryUri']}:{image_tag}",
        champion.artifact.digest,
        figures=figures_of(card),
        card=f"{place}/{CARD}",
        # The reason stands here, since SageMaker takes neither commas nor per cent signs in a figure.
        description=f"{source} {champion.version}, sales until {card.origin:%Y-%m-%d}: {card.decision.reason}"[:MOST_WORDS],
    )


def check_lake(settings: Settings, stack: Stack) -> None:
    """ModelError where the lake is not the stack's."""
    lake = f"s3://{stack.output('LakeBucket')}/lake"
    if str(settings.lake) != lake:
        raise ModelError(f"the lake is {settings.lake}; expected {lake}, that of the stack {stack.name}, whose models its endpoint reads")


def sample_question(outlook: Outlook, days: int = _DAYS) -> dict[str, Any] | None:
    """A plan that an outlook can answer, as its JSON; None where no category has seen a promotion.

    It is of the SKU that sells most of a category with a past promotion, on a mechanic and a discount that it has seen.
    """
    from sales_tech.serving.choices import Choices

    choices = Choices.of(outlook)
    if choices.sample is None:
        return None
    sku, tried = choices.sample
    first, last = (date.fromisoformat(choices.about[name]) for name in ("first_day", "last_day"))
    planned = {
        "promotion_id": "sample",
        "sku": sku["sku"],
        "mechanic": tried["mechanic"],
        "discount_share": round((tried["depth_from"] + tried["depth_to"]) / 2, 2),
        "starts_on": first.isoformat(),
        "ends_on": min(last, first + timedelta(days=days - 1)).isoformat(),
        "display": tried["display"],
    }
    return {"promotions": [planned]}


def ask_in_process(outlook: Outlook, question: dict[str, Any]) -> dict[str, Any]:
    """What the application behind the endpoint answers to one request, without a port; ModelError, with its words, where it refuses."""
    from sales_tech.serving.app import application

    body, sent = json.dumps(question).encode(), list[dict[str, Any]]()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": "POST", "path": "/invocations", "query_string": b"", "headers": headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    # In a thread, since a notebook's own thread runs an event loop already.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(anyio.run, application(outlook), scope, receive, send).result()
    answered: dict[str, Any] = json.loads(b"".join(message.get("body", b"") for message in sent))
    if sent[0]["status"] != 200:
        raise ModelError(f"the application answered {sent[0]['status']}: {answered}")
    return answered
