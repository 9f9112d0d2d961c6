"""What the endpoint refuses, each with what was found, where, what was expected and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_LONGEST = 60


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a request; `row` counts the promotions of a request from 1, and is None for the request as a whole."""

    found: str
    expected: str
    remedy: str
    row: int | None = None
    field: str | None = None

    def told(self) -> dict[str, Any]:
        """As the body of an answer has it."""
        return asdict(self)


class Refused(Exception):
    """A request that cannot be answered, with the HTTP status that says so."""

    def __init__(self, status: int, *problems: Problem) -> None:
        self.status, self.problems = status, problems
        super().__init__(f"{status}: {len(problems)} problems")


def shown(value: Any) -> str:
    """A value of a request as an answer repeats it: short, so that no answer is made long by its request."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
