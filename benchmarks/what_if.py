"""How well plans are answered: units and the depth that earns most, told from a past, beside what they would really bring.

    python benchmarks/what_if.py [--difficulty default,hard] [--seeds 11,12] [--drawn 40] [--json]

A synthetic retailer of the scorecard's size is drawn with a longer history and cut AHEAD days before its end. From what is before,
promotions are estimated and a planner is fitted; then it is asked for the retailer's own later promotions and for drawn ones, at
every depth that the categories have tried.

The truth of a plan is an expectation over its own luck, since of a promotion to come nobody can know whether it works at all
(EFFECTLESS_SHARE of them do nothing), how strong it is and how stores take it up; the demand without it is that of the days
as they came, with their stock-outs and the dips of earlier promotions, without other promotions to come. So two errors are
left that no planner avoids: how the market moves after the cut, and what earlier promotions could not tell. `oracle`
knows all but the first: the market of the day of the cut returns to its mean, and the true responses. `insider_with_effects_seen` is a
bound: its baseline knows every law and number and the states of the day of the cut, but neither prices nor empty shelves to come;
its lifts are learnt by the analysis' own model, from the effects of past promotions as they truly were.

Goals: WMAPE of units by category and plan at most 0.08 (default) and 0.12 (hard); the depth that is told to earn most loses at
most 5 % of the margin at the best one, summed over plans. Margin is what is made in the promotion less what neighbours and
later weeks lose; `regret of gain` is the same loss beside what the best depths add to doing nothing, where they add anything.
Exit code 1 where a goal is missed. Seeds are fresh unless given.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sales_tech.planning import Outlook, PlanBeyondHistory, PromotionPlanner, SourcePast
from sales_tech.promotions import SourceFrames, estimate
from sales_tech.promotions.lifts import LiftData, LiftModel, log_lift_at
from sales_tech.twin.assortment import CATEGORIES
from sales_tech.twin.demand import LARGEST_LOSS, Demand
from sales_tech.twin.observed import observed_daily, observed_products, observed_promotions, observed_stockouts
from sales_tech.twin.planning import DAYS, EFFECTLESS_SHARE, MECHANIC_SHARES, MECHANICS, SKUS
from sales_tech.twin.response import PROMOTION_SD, Member, Response, log_lift
from sales_tech.twin.retailer import make_retailer
from sales_tech.twin.scenario import Size, scenario_named
from sales_tech.twin.stores import CHANNELS, REGIONS

AHEAD = 35
DRAWS = 20
# Effects that are seen as they are: of so many units that chance says nothing.
MANY_UNITS, NO_ERROR = 1e7, 1e-6
SIZE = Size(stores=50, skus=300, months=19, promotions=254)
GOALS = {"default": 0.08, "hard": 0.12, "shock": 0.08}
MOST_LOST = 0.05
CATEGORY_NAMES = [category.name for category in CATEGORIES]
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class World:
    """A retailer, its demand without promotions that begin after the cut, and the past as it was seen on that day."""

    demand: Demand
    cut: int
    past: SourcePast
    frames: SourceFrames


def make_world(difficulty: str, seed: int) -> World:
    """Draw a retailer, cut its history, and estimate the promotions of what is left."""
    retailer = make_retailer(scenario_named(difficulty), SIZE, seed)
    whole = Demand(retailer)
    cut = len(retailer.history.days) - AHEAD - 1
    origin = pd.Timestamp(retailer.history.days[cut]).as_unit("s")
    frames = SourceFrames(
        observed_daily(whole), observed_products(retailer), retailer.stores, observed_promotions(retailer), observed_stockouts(retailer)
    )
    before = seen_on(frames, origin)
    begun = [member for member in whole.response.members if member.start <= cut]
    response = Response(begun, whole.response.cannibal, whole.response.pull, whole.response.halo)
    return World(Demand(retailer, response), cut, SourcePast.of(before, estimate(before)), frames)


def seen_on(frames: SourceFrames, origin: pd.Timestamp) -> SourceFrames:
    """What a source shows on a day: nothing that came later, but the promotions that are planned."""
    products = frames.products[frames.products["valid_from"] <= origin]
    products = products.assign(valid_to=products["valid_to"].where(products["valid_to"] <= origin))
    out = pd.DataFrame(frames.stockouts)
    out = out[out["starts_on"] <= origin]
    out = out.assign(ends_on=out["ends_on"].where(out["ends_on"] <= origin, origin))
    return SourceFrames(frames.daily[frames.daily["sold_on"] <= origin], products, frames.stores, frames.promotions, out)


def plans_ahead(world: World, drawn: int, rng: np.random.Generator) -> pd.DataFrame:
    """The retailer's own promotions that lie after the cut and before the end, and as many drawn ones as asked."""
    retailer, first = world.demand.retailer, world.cut + 1
    days = retailer.history.days
    last = pd.Timestamp(days[-1])
    own = pd.DataFrame(world.frames.promotions)
    own = own[(own["starts_on"] > pd.Timestamp(days[world.cut])) & (own["ends_on"] <= last)]
    products = retailer.catalogue.products
    alive = np.flatnonzero((products["launch"] <= world.cut - 14) & (products["withdrawn"] > world.cut))
    parts = [own.drop(columns="name")]
    for number in range(drawn):
        mechanic = MECHANICS[rng.choice(len(MECHANICS), p=MECHANIC_SHARES)]
        length = int(rng.integers(*DAYS[mechanic]))
        start = int(rng.integers(first, first + AHEAD - length + 1))
        category = products["category_row"].to_numpy()[rng.choice(alive)]
        eligible = alive[products["category_row"].to_numpy()[alive] == category]
        chosen = rng.choice(eligible, size=min(len(eligible), int(rng.integers(*SKUS))), replace=False)
        scope = rng.random()
        part = pd.DataFrame({"sku": products["sku"].to_numpy()[np.sort(chosen)]})
        part["promotion_id"], part["mechanic"], part["discount_share"] = f"D{number:03d}", mechanic, 0.1
        part["starts_on"], part["ends_on"] = pd.Timestamp(days[start]), pd.Timestamp(days[start + length - 1])
        part["channel"] = CHANNELS[int(rng.integers(len(CHANNELS)))] if scope < 0.2 else None
        part["region"] = REGIONS[int(rng.integers(len(REGIONS)))] if 0.2 <= scope < 0.5 else None
        part["display"], part["investment"] = bool(rng.random() < 0.4), 0.0
        parts.append(part)
    plans = pd.concat(parts, ignore_index=True)
    gone = products.set_index("sku")["withdrawn"].reindex(plans["sku"]).to_numpy() <= world.cut
    return plans[~gone].reset_index(drop=True)


class Truth:
    """What plans would bring, as an expectation over their luck."""

    def __init__(self, world: World) -> None:
        self.world, retailer = world, world.demand.retailer
        self._demand, self._retailer, self._first = world.demand, retailer, world.cut + 1
        self.base = world.demand.expect(self._first, self._first + AHEAD).units.astype(np.float64)
        days = len(retailer.history.days)
        self._price, self._cost = (retailer.catalogue.prices(days, name).T[:, self._first :] / 100 for name in ("price", "cost"))
        self._row = {sku: row for row, sku in enumerate(retailer.catalogue.products["sku"])}
        keep = 0.5 ** (np.arange(1, AHEAD + 1) / retailer.scenario.sku_state_half_life)
        market = retailer.market
        self.known = np.exp(market.state[:, [world.cut]] * keep - market.state[:, self._first :])
        # An insider knows each law and number and today's states, but neither prices nor empty shelves to come.
        full = replace(retailer, stockouts=retailer.stockouts.iloc[:0])
        shelved = Demand(full, world.demand.response).expect(self._first, self._first + AHEAD).units.astype(np.float64)
        moved = market.relative_price[:, [world.cut]] - market.relative_price[:, self._first :]
        factor = self.known * np.exp(-market.elasticity[:, None] * moved) * self.base.sum() / shelved.sum()
        self.insider = shelved * factor[:, None, :]
        self._seen = SeenEffects(world)

    def of(self, plan: pd.DataFrame, depth: float) -> dict[str, float]:
        """Units, margin and gain (what is added to doing nothing) of one plan at a depth; the oracle's units; units without it.

        `bound` are units as an insider of the baseline tells them who saw what each past promotion did without any error.
        """
        head = plan.iloc[0]
        stores = self._stores(head)
        begin, stop = (self._day(head[name]) for name in ("starts_on", "ends_on"))
        rows = np.array([self._row[sku] for sku in plan["sku"]])
        base = self.base[np.ix_(rows, stores, np.arange(begin, stop + 1))].sum(axis=1)
        factor = np.stack([self._factor(row, begin, stop, depth, head) for row in rows.tolist()])
        price, cost = (table[rows, begin : stop + 1] for table in (self._price, self._cost))
        extra = (base * (factor - 1)).sum(axis=1)
        made = (base * factor * (price * (1 - depth) - cost)).sum()
        idle = (base * (price - cost)).sum()
        category = int(self._demand.category[rows[0]])
        lost = self._demand.response.pull[category] * float((extra * (price - cost).mean(axis=1)).sum())
        lost += self._neighbours(rows, stores, begin, stop, category, float(extra.sum()))
        known = (self.known[rows, begin : stop + 1] * base * factor).sum()
        insider = self.insider[np.ix_(rows, stores, np.arange(begin, stop + 1))].sum(axis=(1, 2))
        seen = self._seen.factors(rows, depth, str(head["mechanic"]), bool(head["display"]))
        return {
            "units": float((base * factor).sum()),
            "oracle": float(known),
            "insider_baseline": float(insider.sum()),
            "bound": float((insider * seen).sum()),
            "baseline": float(base.sum()),
            "margin": float(made) - lost,
            "gain": float(made - idle) - lost,
        }

    def outcomes(self, plan: pd.DataFrame, depth: float, rng: np.random.Generator) -> np.ndarray:
        """Units of one plan at a depth as its own luck may have them: whether it works, how strong, in which stores, and chance."""
        head, scenario = plan.iloc[0], self._retailer.scenario
        stores = self._stores(head)
        begin, stop = (self._day(head[name]) for name in ("starts_on", "ends_on"))
        rows = np.array([self._row[sku] for sku in plan["sku"]])
        base = self.base[np.ix_(rows, stores, np.arange(begin, stop + 1))]
        level = [
            log_lift(self._retailer, row, self._first + begin, depth, str(head["mechanic"]), bool(head["display"])) for row in rows.tolist()
        ]
        profile = _profile(stop - begin + 1)
        told = np.empty(DRAWS)
        for draw in range(DRAWS):
            works = rng.random() >= EFFECTLESS_SHARE
            own = np.exp(rng.normal(0, PROMOTION_SD)) * works
            by_store = np.clip(1 + rng.normal(0, scenario.store_lift_sd, len(stores)), 0.2, 2.0)
            told[draw] = rng.poisson((base * np.exp(np.multiply.outer(level, np.multiply.outer(by_store, profile)) * own)).sum())
        return told

    def _neighbours(self, rows: np.ndarray, stores: np.ndarray, begin: int, stop: int, category: int, extra: float) -> float:
        peers = np.setdiff1d(np.flatnonzero(self._demand.category == category), rows)
        window = np.ix_(peers, stores, np.arange(begin, stop + 1))
        units = self.base[window].sum(axis=1)
        if units.sum() <= 0:
            return 0.0
        unit_margin = float((units * (self._price - self._cost)[peers, begin : stop + 1]).sum() / units.sum())
        share = min(self._demand.response.cannibal[category] * extra / units.sum(), LARGEST_LOSS)
        return float(units.sum() * (1 - np.exp(-share))) * unit_margin

    def _factor(self, row: int, begin: int, stop: int, depth: float, head: pd.Series) -> np.ndarray:
        scenario = self._retailer.scenario
        level = log_lift(self._retailer, row, self._first + begin, depth, str(head["mechanic"]), bool(head["display"]))
        profile = _profile(stop - begin + 1)
        own = np.exp(PROMOTION_SD * _NODES)
        by_store = np.clip(1 + scenario.store_lift_sd * _NODES, 0.2, 2.0)
        lift = np.exp(level * own[:, None, None] * by_store[None, :, None] * profile)
        mean = np.einsum("i,j,ijd->d", _WEIGHTS, _WEIGHTS, lift)
        return EFFECTLESS_SHARE + (1 - EFFECTLESS_SHARE) * mean

    def _stores(self, head: pd.Series) -> np.ndarray:
        stores = self._retailer.stores
        inside = np.ones(len(stores), dtype=bool)
        for name in ("channel", "region"):
            if isinstance(head[name], str):
                inside &= stores[name].to_numpy() == head[name]
        return np.flatnonzero(inside)

    def _day(self, day: pd.Timestamp) -> int:
        return int((day - pd.Timestamp(self._retailer.history.days[self._first])).days)


class SeenEffects:
    """What promotions to come multiply units by, learnt by the analysis' own model from the true effects of past ones."""

    def __init__(self, world: World) -> None:
        retailer = world.demand.retailer
        products = retailer.catalogue.products
        self._category, self._brand = products["category_row"].to_numpy(), products["brand_row"].to_numpy()
        promotions = retailer.promotions
        members = world.demand.response.members
        past = [member for member in members if member.start < world.cut]
        promotion, product = (np.array([getattr(member, name) for member in past]) for name in ("promotion", "product"))
        mechanic = np.array([MECHANICS.index(kind) for kind in promotions["mechanic"]])
        data = LiftData(
            actual=MANY_UNITS * np.array([self._multiplied(world, member) for member in past]),
            baseline=np.full(len(past), MANY_UNITS),
            own_error=np.full(len(past), NO_ERROR),
            shared_error=np.full(len(past), NO_ERROR),
            promotion=np.unique(promotion, return_inverse=True)[1],
            category=self._category[product],
            brand=self._brand[product],
            mechanic=mechanic[promotion],
            depth=np.array([member.percent for member in past]) / 100,
            display=promotions["display"].to_numpy(dtype=np.float64)[promotion],
            prior_slope=np.zeros(len(CATEGORIES)),
        )
        self._brands = int(self._brand.max()) + 1
        sizes = {"category": len(CATEGORIES), "brand": self._brands, "mechanic": len(MECHANICS)}
        self._lifts = LiftModel(data, sizes, seed=0).sample()

    def factors(self, rows: np.ndarray, depth: float, mechanic: str, display: bool) -> np.ndarray:
        """By product, the mean over what is a promotion's own and whether it works."""
        lifts, kind = self._lifts, MECHANICS.index(mechanic)
        category = self._category[rows]
        slope = (lifts.slope[:, category] + lifts.brand_slope[:, category * self._brands + self._brand[rows]]) * lifts.noticed[:, [kind]]
        logs = log_lift_at(lifts, slope, [kind], display, np.array(depth)) + lifts.hyper["promotion"].to_numpy()[:, None] ** 2 / 2
        works = 1 - lifts.hyper["null_share"].to_numpy()[:, None]
        told: np.ndarray = (1 + works * np.expm1(logs)).mean(axis=0)
        return told

    @staticmethod
    def _multiplied(world: World, member: Member) -> float:
        market = world.demand.retailer.market
        days = slice(member.start, min(member.end, world.cut) + 1)
        usual = market.affinity[member.product, member.stores][:, None] * market.store_day[member.stores, days]
        return float((usual * np.exp(member.log_lift[:, : usual.shape[1]])).sum() / usual.sum())


def _profile(days: int) -> np.ndarray:
    return 0.92 + 0.3 * np.exp(-np.arange(days) / 2.5)


def judge(world: World, outlook: Outlook, plans: pd.DataFrame) -> pd.DataFrame:
    """One row per plan and depth: what was told beside what is true."""
    truth = Truth(world)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlanBeyondHistory)
        told = outlook.alternatives(plans)
    even = plans.groupby("promotion_id")["discount_share"].nunique() == 1
    told = told[~told["planned"] | told["promotion_id"].map(even)]
    by_plan = dict(list(plans.groupby("promotion_id", sort=True)))
    category = outlook.prices.drop_duplicates("sku").set_index("sku")["category"]
    rows, rng = [], np.random.default_rng(world.demand.retailer.seed)
    for one in told.itertuples():
        plan = by_plan[one.promotion_id]
        true = truth.of(plan, float(one.discount_share))
        outcomes = truth.outcomes(plan, float(one.discount_share), rng)
        rows.append(
            {"plan": one.promotion_id, "category": category[plan["sku"].iloc[0]], "depth": one.discount_share, **true}
            | {"told": one.units, "told_baseline": one.baseline_units, "told_net": one.net_margin + one.investment}
            | {"low": one.units_low, "high": one.units_high, "mechanic": plan["mechanic"].iloc[0]}
            | {"inside": float(np.mean((outcomes >= one.units_low) & (outcomes <= one.units_high)))}
        )
    return pd.DataFrame(rows)


def figures(rows: pd.DataFrame) -> dict[str, float]:
    """The errors over all plans and depths."""
    units = rows["units"].sum()
    best = rows.loc[rows.groupby("plan")["margin"].idxmax()].set_index("plan")
    chosen = rows.loc[rows.groupby("plan")["told_net"].idxmax()].set_index("plan")
    lost = float((best["margin"] - chosen["margin"]).sum())
    lift, told_lift = rows["units"] / rows["baseline"], rows["told"] / rows["told_baseline"]
    once = rows.drop_duplicates("plan")
    return {
        "plans": len(best),
        "rows": len(rows),
        "wmape": float((rows["told"] - rows["units"]).abs().sum() / units),
        "oracle": float((rows["oracle"] - rows["units"]).abs().sum() / units),
        "insider_with_effects_seen": float((rows["bound"] - rows["units"]).abs().sum() / units),
        "insider_with_lifts_as_told": float((rows["insider_baseline"] * told_lift - rows["units"]).abs().sum() / units),
        "bias": float(rows["told"].sum() / units - 1),
        "wmape_of_baseline": float((once["told_baseline"] - once["baseline"]).abs().sum() / once["baseline"].sum()),
        "wmape_of_insider_baseline": float((once["insider_baseline"] - once["baseline"]).abs().sum() / once["baseline"].sum()),
        "bias_of_baseline": float(once["told_baseline"].sum() / once["baseline"].sum() - 1),
        "wmape_of_lift": float(((told_lift - lift).abs() * rows["baseline"]).sum() / units),
        "bias_of_lift": float(((told_lift - lift) * rows["baseline"]).sum() / units),
        "expectations_within_range": float(((rows["units"] >= rows["low"]) & (rows["units"] <= rows["high"])).mean()),
        "outcomes_within_range": float(rows["inside"].mean()),
        "regret": lost / float(best["margin"].sum()),
        "regret_of_gain": lost / max(float(best["gain"].clip(lower=0).sum()), 1e-9),
        "best_depth": float(best["depth"].mean()),
        "chosen_depth": float(chosen["depth"].mean()),
    }


def main() -> None:
    """Judge each difficulty and seed, print the figures and whether the goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--difficulty", default="default,hard")
    parser.add_argument("--seeds", default=str(secrets.randbelow(2**31)))
    parser.add_argument("--drawn", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    missed, said = False, []
    for difficulty in given.difficulty.split(","):
        for seed in map(int, given.seeds.split(",")):
            begun = time.perf_counter()
            world = make_world(difficulty, seed)
            between = time.perf_counter()
            planner = PromotionPlanner(horizon=AHEAD).fit(world.past)
            seconds = time.perf_counter() - between
            rows = judge(world, planner.outlook_, plans_ahead(world, given.drawn, np.random.default_rng(seed)))
            told = figures(rows)
            holds = told["wmape"] <= GOALS[difficulty] and told["regret"] <= MOST_LOST
            missed |= not holds
            said.append({"difficulty": difficulty, "seed": seed, **told, "seconds_of_fit": seconds, "holds": holds})
            if not given.json:
                print(f"\n{difficulty}, seed {seed}: goals {'hold' if holds else 'are missed'} ({between - begun:.0f} s to estimate)")
                print("  " + ", ".join(f"{name} {value:.3f}" for name, value in (told | {"seconds_of_fit": seconds}).items()), flush=True)
    if given.json:
        print(json.dumps(said, indent=2))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
