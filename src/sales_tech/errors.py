"""Everything that Sales Tech refuses, as one small tree.

SalesTechError
├── SettingsError       a setting is missing or cannot be used
├── ContractError       a pack or a table contract is wrong; names file and line
│   └── ContractErrors  several files of packs are
├── UnreadableFile      a landed file cannot be taken apart into rows; the file is rejected, the run goes on
├── AuditError          staged files break the table's contract; nothing was committed
├── ConservationError   rows went missing or appeared from nowhere
├── LakeError           the lake is busy, absent, or not in the state an operation needs
│   └── LakeBusy        another run works on it, or did until it was killed
├── QueryError          a query is not readable, or not allowed
├── ModelError          a stored model is foreign, damaged, not the registered one, or cannot be used by this code
└── StepFailed          a notebook of the pipeline ended in an error
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class SalesTechError(Exception):
    """Base of all errors that this package raises on purpose; the text is meant for the user."""


class SettingsError(SalesTechError):
    """A setting is missing or cannot be used."""


class ContractError(SalesTechError):
    """A pack or a table contract is wrong.

    The text reads `file:line: what was found; what was expected`.
    """

    def __init__(self, path: Path, line: int | None, found: str, expected: str) -> None:
        self.path, self.line, self.found, self.expected = path, line, found, expected
        where = f"{path}:{line}" if line else f"{path}"
        super().__init__(f"{where}: {found}; expected {expected}")


class ContractErrors(ContractError):
    """The mistakes of several files; the text has one of them on each line, and the rest is that of the first."""

    def __init__(self, mistakes: Sequence[ContractError]) -> None:
        first = mistakes[0]
        super().__init__(first.path, first.line, first.found, first.expected)
        self.mistakes = tuple(mistakes)
        self.args = ("\n".join(dict.fromkeys(map(str, mistakes))),)


class Mistakes:
    """Gathers the ContractErrors of files that do not need one another, so that all are told at once."""

    def __init__(self) -> None:
        self._found: list[ContractError] = []

    @contextmanager
    def of_one(self) -> Iterator[None]:
        """Keep the mistake that is found within, and go on."""
        try:
            yield
        except ContractErrors as several:
            self._found += several.mistakes
        except ContractError as mistake:
            self._found.append(mistake)

    def tell(self) -> None:
        """Raise what was kept: one mistake as it was raised, several as ContractErrors."""
        # Nothing is kept of them here, where their own traces would keep it, and an engine with it, for ever.
        found, self._found = self._found, []
        if found:
            raise found.pop() if len(found) == 1 else ContractErrors(found)


class UnreadableFile(SalesTechError):
    """A landed file cannot be taken apart into rows; the text is the reason kept in bronze.files."""


class AuditError(SalesTechError):
    """Staged files break the table's contract, so they were not committed."""


class ConservationError(SalesTechError):
    """The fates of the bronze rows do not add up to the bronze rows."""


class LakeError(SalesTechError):
    """The lake is busy, absent, or not in the state an operation needs."""


class LakeBusy(LakeError):
    """Another run works on the lake; should it be dead already, the lake is free in so many `seconds`."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds


class QueryError(SalesTechError):
    """A query cannot be read, or asks for what queries may not do."""


class ModelError(SalesTechError):
    """A stored model is foreign, damaged, not the registered one, or cannot be used by this code."""


class StepFailed(SalesTechError):
    """A notebook of the pipeline ended in an error."""
