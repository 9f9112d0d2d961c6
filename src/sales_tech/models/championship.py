"""Whether a new model takes the place of the one in use: it has to be better on days that neither knew.

The champion is asked as it is: its artifact, shown the sales up to the cutoff, which lies at or after the end of what it
learnt from. The challenger is fitted on what was known at the same cutoff, and once more on all sales if it wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import clone

from sales_tech import __version__
from sales_tech.errors import ModelError
from sales_tech.models.artifact import Artifact
from sales_tech.models.card import (
    CHALLENGER,
    CHAMPION,
    NAIVE,
    NOTHING,
    REFUSED,
    REGISTERED,
    Decision,
    Figures,
    ModelCard,
    Parameter,
    far_from,
)
from sales_tech.models.importance import permutation_importance
from sales_tech.models.manifest import libraries, model_code
from sales_tech.models.trial import Trial, past_until, try_forecasters
from sales_tech.planning import PromotionPlanner, SourcePast, TooLittleHistory
from sales_tech.planning.demand import Demand, demand_of

FEWEST_DAYS, MOST_DAYS = 7, 28
OCCASIONS = "occasions"
OTHER_DAYS = (
    "The model in use was made for other holidays or occasions than the calendar of its pack tells now, so it was not to be beaten."
)
# By so much a better model may be worse in these before it is refused: shares of units, and of rows.
BIAS_TOLERANCE, COVERAGE_TOLERANCE = 0.02, 0.03


@dataclass(frozen=True)
class Contest:
    """How a championship ended: the card, the planner to be registered (None where none is), and the trial (None where none was)."""

    card: ModelCard
    planner: PromotionPlanner | None
    trial: Trial | None


def contest(
    past: SourcePast,
    source: str,
    snapshots: dict[str, int],
    champion: Artifact | None,
    recipe: PromotionPlanner,
    *,
    importance: bool = True,
) -> Contest:
    """Fit a challenger by a recipe, and let it meet the champion and the simple peers on the last days of the past.

    TooLittleHistory where there is too little to fit or to try. A champion that was made for other holidays or occasions than the
    source's calendar tells now is not asked: whose days count is the retailer's to say, and seldom lies in the days of a trial.
    Nor is one that learnt from sales which are others now, as where a file had been cut off: it would be asked about days of its own.
    """
    in_use = champion is not None
    other_days = champion is not None and past.calendar is not None and _days(champion.card().parameters) != _days(parameters_of(recipe))
    why_not = [OTHER_DAYS] if other_days else [] if champion is None else _other_sales(champion.card(), past, recipe)
    if why_not:
        champion = None
    now = demand_of(past, recipe.horizon)
    days = min(MOST_DAYS, now.horizon)
    cutoff = now.origin - pd.Timedelta(days=days)
    if champion is not None:
        learnt = pd.Timestamp(champion.card().origin)
        cutoff = max(cutoff, learnt)
        if (gap := (now.origin - learnt).days) < FEWEST_DAYS:
            after = f"only {max(gap, 0)} days of sales lie after those that the model in use learnt from"
            reason = f"{after}; at least {FEWEST_DAYS} are needed to compare"
            return Contest(_card(past, source, snapshots, now, recipe, None, Decision(outcome=NOTHING, reason=reason)), None, None)
    before = past_until(past, cutoff)
    known = demand_of(before, recipe.horizon)
    challenger = _fresh(recipe).fit(before)
    outlooks = {CHALLENGER: challenger.outlook_}
    rival, notes, must_beat = _champion(champion, before, recipe)
    notes += why_not
    if rival is not None:
        outlooks[CHAMPION] = rival.outlook_
    # No day counts whose sales are not known yet.
    trial = try_forecasters(past, known, min(MOST_DAYS, (now.origin - known.origin).days), outlooks)
    decision = decide(trial.figures(), must_beat=must_beat, in_use=in_use)
    card = _card(past, source, snapshots, now, recipe, trial, decision, notes)
    if importance and len(trial.told[CHALLENGER]):
        rows = trial.told[CHALLENGER][["sku", "channel", "date", "actual"]]
        ahead = known.ahead(challenger.forecaster_.horizon).merge(rows, on=["sku", "channel", "date"], how="left")
        told = permutation_importance(challenger.forecaster_, ahead, recipe.random_state)
        card = card.model_copy(update={"importance": told})
    planner = _fresh(recipe).fit(past) if decision.outcome == REGISTERED else None
    return Contest(card, planner, trial)


def decide(figures: list[Figures], *, must_beat: bool = True, in_use: bool = False) -> Decision:
    """The decision by the figures: WAPE below that of the seasonal naive and of the champion, and bias and coverage not worse.

    Without `must_beat` the champion is not to be beaten but only not to be lost to, as where it is the same recipe. `in_use` tells
    that there is a model in use, though it may not have been asked.
    """
    by_name = {one.name: one for one in figures}
    mine, naive, rival = by_name[CHALLENGER], by_name[NAIVE], by_name.get(CHAMPION)
    if not mine.rows:
        reason = "all that is sold was out of stock on every day of the trial, so no error can be told"
        return Decision(outcome=REFUSED, reason=reason)
    if mine.wape is None or naive.wape is None:
        return Decision(outcome=REFUSED, reason="nothing was sold on the days of the trial, so no error can be told")
    told = f"its error (WAPE) is {mine.wape:.1%}"
    if mine.wape >= naive.wape:
        return Decision(outcome=REFUSED, reason=f"{told}, not below the {naive.wape:.1%} of repeating the last week")
    if rival is None or rival.wape is None:
        alone = "the model in use was not asked (see the notes)" if in_use else "there was no model in use to beat"
        return Decision(outcome=REGISTERED, reason=f"{told}, against {naive.wape:.1%} of repeating the last week; {alone}")
    if mine.wape > rival.wape or (must_beat and mine.wape >= rival.wape):
        return Decision(outcome=REFUSED, reason=f"{told}, not below the {rival.wape:.1%} of the model in use, which stays")
    for name, tolerance in (("bias", BIAS_TOLERANCE), ("coverage", COVERAGE_TOLERANCE)):
        own, other = (_off(one, name) for one in (mine, rival))
        if own > other + tolerance:
            reason = f"{told}, below the {rival.wape:.1%} of the model in use, but its {name} is off by {own:.1%} against {other:.1%}"
            return Decision(outcome=REFUSED, reason=f"{reason}, more than {tolerance:.0%} worse")
    return Decision(
        outcome=REGISTERED, reason=f"{told}, against {rival.wape:.1%} of the model in use and {naive.wape:.1%} of repeating the last week"
    )


def _off(figures: Figures, name: str) -> float:
    if name == "bias":
        return abs(figures.bias or 0.0)
    return abs((figures.coverage or 0.0) - (figures.nominal or 0.0))


def _champion(champion: Artifact | None, before: SourcePast, recipe: PromotionPlanner) -> tuple[PromotionPlanner | None, list[str], bool]:
    """The champion up to the cutoff, notes on it, and whether it has to be beaten."""
    if champion is None:
        return None, [], True
    try:
        return champion.planner().observe(before), [], True
    except ModelError as error:
        parameters = champion.card().parameters
        given = {name: value for name, value in parameters.items() if name in recipe.get_params()}
        if given == parameters_of(recipe):
            note = "It was made by the same recipe as the new one, so it is not to be beaten"
            return None, [f"The model in use cannot be asked any more: {error}. {note}."], True
        note = "Its recipe was fitted anew in its place, and only must not be better"
        again = _fresh(recipe).set_params(**({OCCASIONS: None} | given))
        return again.fit(before), [f"The model in use cannot be asked any more: {error}. {note}."], False


def _other_sales(card: ModelCard, past: SourcePast, recipe: PromotionPlanner) -> list[str]:
    """A note where the sales that a model learnt from are others now."""
    try:
        now = float(demand_of(past_until(past, pd.Timestamp(card.origin)), recipe.horizon).panel["units"].sum())
    except TooLittleHistory:
        now = 0.0
    if not far_from(card.sales_units, now):
        return []
    return [
        f"The model in use learnt from {card.sales_units:,.0f} units sold up to {card.origin}, of which {now:,.0f} are known now, "
        "so it was not to be beaten."
    ]


def parameters_of(recipe: PromotionPlanner) -> dict[str, Parameter]:
    """The parameters of a recipe as a card has them; a recipe without occasions does not speak of them."""
    told: dict[str, Parameter] = {
        name: list(value) if isinstance(value, tuple | list) else value
        for name, value in sorted(recipe.get_params().items())
        if name != OCCASIONS
    }
    if recipe.occasions:
        told[OCCASIONS] = {name: [(first, last) for first, last in times] for name, times in recipe.occasions.items()}
    return told


def _days(parameters: Mapping[str, Parameter]) -> tuple[Parameter, Parameter]:
    return parameters.get("country"), parameters.get(OCCASIONS)


def _fresh(recipe: PromotionPlanner) -> PromotionPlanner:
    made: PromotionPlanner = clone(recipe)
    return made


def _card(
    past: SourcePast,
    source: str,
    snapshots: dict[str, int],
    now: Demand,
    recipe: PromotionPlanner,
    trial: Trial | None,
    decision: Decision,
    notes: list[str] | None = None,
) -> ModelCard:
    return ModelCard(
        source=source,
        currency=past.currency,
        snapshots=snapshots,
        first_day=now.first.date(),
        origin=now.origin.date(),
        horizon=now.horizon,
        series=int(np.count_nonzero(now.table.ahead)),
        sales_units=float(now.panel["units"].sum()),
        code_version=__version__,
        code=model_code(),
        libraries=libraries(),
        parameters=parameters_of(recipe),
        cutoffs=[] if trial is None else [trial.cutoff.date()],
        compared_days=0 if trial is None else trial.days,
        figures=[] if trial is None else trial.figures(),
        calibration=[] if trial is None else trial.calibration(CHALLENGER),
        importance=[],
        decision=decision,
        notes=[*now.notes, *(notes or [])],
    )
