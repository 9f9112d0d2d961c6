"""What a model is, what it was learnt from and how good it is, for those who decide by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CHALLENGER, CHAMPION, NAIVE, AVERAGE = "challenger", "champion", "seasonal naive", "moving average"
REGISTERED: Literal["registered"] = "registered"
REFUSED: Literal["refused"] = "refused"
NOTHING: Literal["nothing to compare"] = "nothing to compare"
_WORDS = {
    CHALLENGER: "the new model",
    CHAMPION: "the model in use",
    NAIVE: "last week repeated",
    AVERAGE: "mean of 28 days",
}
# Sales of a past that change by more than this share are other sales; returns and late orders change less.
REWRITTEN = 0.02
Parameter = int | float | str | list[float] | dict[str, list[tuple[str, str]]] | None


def far_from(units: float, now: float) -> bool:
    """Whether so many units that were sold up to a day have become others since, so that what was learnt from them does not hold."""
    return abs(now - units) > REWRITTEN * max(units, 1.0)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figures(_Part):
    """How good one forecaster was on the rows that all were asked about; `evaluate` of the forecasting package says what each means."""

    name: str
    rows: int
    wape: float | None
    bias: float | None
    rmsse: float | None
    pinball: float | None
    coverage: float | None
    nominal: float | None


class Bin(_Part):
    """Of rows whose forecast lies in one tenth of all: what was told of them and what came true, in units per row."""

    forecast: float
    actual: float
    rows: int


class Importance(_Part):
    """By how much the error (WAPE) grows where a feature's values are shuffled among held-out rows."""

    feature: str
    wape_lost: float


class Decision(_Part):
    """Whether the model was registered, and why or why not."""

    outcome: Literal["registered", "refused", "nothing to compare"]
    reason: str


class ModelCard(_Part):
    """The card of one model.

    `snapshots` are those of the lake's tables that it learnt from, empty where it learnt from exported files;
    `cutoffs` the days up to which the forecasters of the backtest knew sales.
    """

    format_version: Literal[1] = 1
    source: str
    currency: str
    snapshots: dict[str, int]
    first_day: date
    origin: date
    horizon: int
    series: int
    sales_units: float
    code_version: str
    code: str
    libraries: dict[str, str]
    parameters: dict[str, Parameter]
    cutoffs: list[date]
    compared_days: int
    figures: list[Figures]
    calibration: list[Bin]
    importance: list[Importance]
    decision: Decision
    notes: list[str] = Field(default_factory=list)

    def figures_of(self, name: str) -> Figures | None:
        """The figures of one forecaster, None where it was not asked."""
        return next((figures for figures in self.figures if figures.name == name), None)

    def markdown(self) -> str:
        """The card as a page."""
        parts = [
            f"# Model of {self.source}",
            self._in_portuguese(),
            f"**{self.decision.outcome.capitalize()}**: {self.decision.reason}",
            "## What it is\n\n"
            "A forecast of daily units by SKU and channel without promotions (an average of boosted trees, Poisson regressions and a "
            "smoothed level), times what the analysis of promotions found them to do. It is meant for plans of promotions up to "
            f"{self.horizon} days ahead, not for single days of single SKUs that hardly sell, and not for goods without any past.",
            "## What it learnt from\n\n" + _table(("", ""), self._origin_rows()),
            "## How good it is\n\n"
            f"All were asked about the same rows: the {self.compared_days} days after "
            f"{' and '.join(f'{day:%Y-%m-%d}' for day in self.cutoffs) or 'no day'}, of which they knew nothing.\n\n"
            + _table(("forecaster", "rows", "WAPE", "bias", "RMSSE", "coverage", "of"), [_row(one) for one in self.figures]),
            "What promotions were found to do is told from all sales up to the origin, also those after these days, so promoted days "
            "are judged more kindly than they will be; this holds for the new model and the one in use alike.",
        ]
        if self.calibration:
            rows = [(f"{one.forecast:.2f}", f"{one.actual:.2f}", f"{one.rows:,}") for one in self.calibration]
            parts.append("## Calibration\n\nUnits per row, by tenths of the forecast.\n\n" + _table(("forecast", "actual", "rows"), rows))
        if self.importance:
            told = [(one.feature, f"{100 * one.wape_lost:+.2f}") for one in self.importance]
            words = "By how many points the WAPE of held-out rows grows where the values of a feature are shuffled."
            parts.append(f"## What matters\n\n{words}\n\n" + _table(("feature", "points"), told))
        if self.notes:
            parts.append("## Notes\n\n" + "\n".join(f"- {note}" for note in self.notes))
        return "\n\n".join(parts) + "\n"

    def _origin_rows(self) -> list[tuple[str, str]]:
        return [
            ("days of sales", f"{self.first_day:%Y-%m-%d} to {self.origin:%Y-%m-%d}"),
            ("series", f"{self.series:,}, {self.sales_units:,.0f} units in all"),
            ("snapshots", ", ".join(f"{name} {number}" for name, number in self.snapshots.items()) or "exported files"),
            ("parameters", ", ".join(f"{name} {_spelt(value)}" for name, value in self.parameters.items())),
            ("code", f"{self.code_version}, fingerprint {self.code}"),
            ("libraries", ", ".join(f"{name} {number}" for name, number in self.libraries.items())),
        ]

    def _in_portuguese(self) -> str:
        words = {REGISTERED: "registrado", REFUSED: "recusado", NOTHING: "sem nada a comparar"}[self.decision.outcome]
        mine, other = self.figures_of(CHALLENGER), self.figures_of(CHAMPION) or self.figures_of(NAIVE)
        told = ""
        if mine is not None and other is not None and mine.wape is not None and other.wape is not None:
            rival = "do modelo em uso" if other.name == CHAMPION else "da semana anterior repetida"
            told = f", erro (WAPE) de {_percent(mine.wape)} contra {_percent(other.wape)} {rival}".replace(".", ",")
        return f"*Resumo: modelo de {self.source} com vendas até {self.origin:%d/%m/%Y}, {words}{told}.*"


def _row(figures: Figures) -> tuple[str, ...]:
    name = f"{figures.name} ({_WORDS[figures.name]})" if figures.name in _WORDS else figures.name
    numbers = (figures.wape, figures.bias, figures.rmsse, figures.coverage, figures.nominal)
    shown = [_percent(numbers[0]), _percent(numbers[1], "+"), "" if numbers[2] is None else f"{numbers[2]:.3f}"]
    return (name, f"{figures.rows:,}", *shown, *(_percent(number) for number in numbers[3:]))


def _spelt(value: Parameter) -> str:
    if not isinstance(value, dict):
        return str(value)
    times = {name: " and ".join(f"{first} to {last}" for first, last in days) for name, days in value.items()}
    return "; ".join(f"{name} ({told})" for name, told in times.items())


def _percent(number: float | None, sign: str = "") -> str:
    return "" if number is None else f"{100 * number:{sign}.1f} %"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    # A bar or the end of a line would end the cell.
    return text.replace("|", "\\|").replace("\n", " ")
