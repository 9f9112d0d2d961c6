"""What would have sold without promotions, imputed from behaviour on days and in stores without them.

The imputation estimator of Borusyak, Jaravel and Spiess (2024, Review of Economic Studies 91): a model is
fitted on unpromoted, available cells only and extrapolated to the others. The model is multiplicative and
fitted by Poisson pseudo-likelihood (Santos Silva and Tenreyro 2006; Wooldridge 2023, Econometrics Journal 26),
with effects of SKU by store, channel by day, category by weekday and age of the SKU, the response to regular
price, and states that wander (categories, SKUs, SKUs by group of stores, stores) smoothed as in `states`,
the structural time series of Brodersen et al. (2015) in their simplest form.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sales_tech.promotions.course import Course
from sales_tech.promotions.luck import Luck
from sales_tech.promotions.panel import Bools, Floats, Ints, PromotionPanel
from sales_tech.promotions.shelf import ShelfRates, on_shelf
from sales_tech.promotions.shrinkage import Pooled, pool
from sales_tech.promotions.states import Smoothed, Wander, choose_wander, smooth, whiten

ROUNDS = 12
# Rounds in which the variances of the states are chosen again.
CHOOSING = (2, 5)
LAUNCH_WEEKS, END_WEEKS = 8, 6
TINY = 1e-9


@dataclass(frozen=True)
class Groups:
    """Stores of one region and channel, which share promotions and states: the row of each store, and how many there are."""

    of_store: Ints
    size: int

    @classmethod
    def of(cls, panel: PromotionPanel) -> Groups:
        """The groups of a panel's stores."""
        rows = np.unique(panel.region * len(panel.channels) + panel.channel, return_inverse=True)[1]
        return cls(rows.astype(np.int64), int(rows.max()) + 1)


@dataclass
class Baseline:
    """A fitted model of unpromoted demand; all effects are logarithms but `pair`, `channel_day` and `weekday`.

    After `fit`, `sku_state` and `group_state` are the smoothed states with their variances, `wanders` and `luck`
    what was chosen by likelihood; `exposure` (S, K, T) is the chance that a cell had a unit on the shelf.
    """

    panel: PromotionPanel
    groups: Groups
    pair: Floats = field(init=False)
    channel_day: Floats = field(init=False)
    store_day: Floats = field(init=False)
    weekday: Floats = field(init=False)
    category_day: Floats = field(init=False)
    age: Floats = field(init=False)
    price_effect: Floats = field(init=False)
    price_elasticity: Pooled = field(init=False)
    sku_elasticity: Floats = field(init=False)
    sku_state: Smoothed = field(init=False)
    group_state: Smoothed = field(init=False)
    exposure: NDArray[np.float32] = field(init=False)
    course: Course | None = None
    shelf_rates: ShelfRates | None = None
    wanders: dict[str, Wander] = field(default_factory=dict)
    luck: Luck = field(default_factory=Luck)

    def __post_init__(self) -> None:
        panel = self.panel
        stores, skus, days = panel.shape
        self.exposure = panel.available.astype(np.float32)
        self.pair = np.ones((stores, skus))
        self.channel_day = np.ones((len(panel.channels), days))
        self.store_day = np.zeros((stores, days))
        self.weekday = np.ones((len(panel.categories), 7))
        self.category_day = np.zeros((len(panel.categories), days))
        self.age = np.zeros((skus, days))
        self.price_effect = np.zeros((skus, days))
        self.sku_elasticity = np.zeros(skus)
        zero = np.zeros((skus, days))
        self.sku_state = Smoothed(zero, zero)
        zero = np.zeros((skus * self.groups.size, days))
        self.group_state = Smoothed(zero, zero)
        self._of_weekday = (panel.days.astype("datetime64[D]").astype(np.int64) + 3) % 7
        self._log_price = np.log(panel.price)
        self._log_price = self._log_price - self._log_price.mean(axis=1, keepdims=True)

    def fit(self, clean: Bools, offset: Floats, rounds: int = ROUNDS) -> Baseline:
        """Fit on the cells of (SKU, group, day) that are `clean`; `offset` (K, G, T) is what is known of their log demand besides."""
        sold = self._sold(clean)
        if self.pair.min() == 1.0 == self.pair.max():
            self._begin(sold, clean)
        for turn in range(rounds):
            choose = turn in CHOOSING
            expected = self._pass(clean, offset)
            self._scale(sold, expected, choose=choose)
            expected = self._pass(clean, offset)
            self._states(sold, expected, choose=choose)
        return self

    def expect(self, offset: Floats) -> tuple[Floats, Floats]:
        """Expected and sold units of all available cells, each (K, G, T)."""
        everywhere = np.ones((len(self.panel.skus), self.groups.size, len(self.panel.days)), dtype=bool)
        return self._pass(everywhere, offset).group, self._sold(everywhere).group

    def above_median(self, fitted: Floats) -> Floats:
        """Factor (K, G, T) by which imputed demand exceeds the exponential of its mean log; one where cells were `fitted` (their units).

        States are Gaussian, so half of their variance is missing from it (Duan 1983, Journal of the American Statistical
        Association 78, on retransformation). The effects fitted beside them hold that of fitted cells already, so that only
        what the variance of imputed cells is greater counts.
        """
        variance = self.sku_state.variance[:, None, :] + self.group_state.variance.reshape(fitted.shape)
        usual = (variance * fitted).sum(axis=(1, 2)) / np.maximum(fitted.sum(axis=(1, 2)), TINY)
        factor: Floats = np.where(fitted > 0, 1.0, np.exp((variance - usual[:, None, None]) / 2))
        return factor

    def level(self) -> Floats:
        """Log factor of SKU, group and day that all stores of a group share."""
        panel = self.panel
        shared = (
            self.category_day[panel.category] + np.log(self.weekday)[panel.category][:, self._of_weekday] + self.age + self.price_effect
        )
        states = self.group_state.mean.reshape(len(panel.skus), self.groups.size, -1)
        level: Floats = (shared + self.sku_state.mean)[:, None, :] + states
        return level

    def concentration(self, state: str) -> Floats:
        """Sums of squared shares (rows, 1) of the cells that make up a day's units of each category, SKU, SKU and group, or store.

        `state` is "category", "category and group", "sku", "group" (SKU and group), "store" or "channel".
        """
        by_store = state in ("store", "channel")
        squares, totals = (self.pair**2, self.pair) if by_store else (self._by_group(self.pair**power) for power in (2, 1))
        if state == "channel":
            channels = len(self.panel.channels)
            squares, totals = (by_row(self.panel.channel, table.sum(axis=1), channels) for table in (squares, totals))
        elif "group" not in state:
            squares, totals = squares.sum(axis=1), totals.sum(axis=1)
        if state.startswith("category"):
            bounds = np.searchsorted(self.panel.category, np.arange(len(self.panel.categories)))
            squares, totals = (np.add.reduceat(table, bounds, axis=0) for table in (squares, totals))
        share: Floats = (squares / np.maximum(totals**2, TINY)).reshape(-1, 1)
        return share

    def _by_group(self, pair: Floats) -> Floats:
        table = np.zeros((pair.shape[1], self.groups.size))
        np.add.at(table.T, self.groups.of_store, pair)
        return table

    def _sold(self, clean: Bools) -> _Sums:
        panel, sums = self.panel, _Sums.zeros(self)
        for store in range(len(panel.stores)):
            group = self.groups.of_store[store]
            units = panel.units[store] * (panel.available[store] & clean[:, group])
            sums.add(store, group, units)
        return sums

    def _pass(self, clean: Bools, offset: Floats) -> _Sums:
        sums = _Sums.zeros(self)
        factor = np.exp(self.level() + offset).astype(np.float32)
        for store in range(len(self.panel.stores)):
            group = self.groups.of_store[store]
            units = self._cells(store, factor)
            units *= self.exposure[store]
            units *= clean[:, group]
            sums.add(store, group, units)
        return sums

    def _cells(self, store: int, factor: NDArray[np.float32]) -> NDArray[np.float32]:
        day = (np.exp(self.store_day[store]) * self.channel_day[self.panel.channel[store]]).astype(np.float32)
        units: NDArray[np.float32] = factor[:, self.groups.of_store[store]] * self.pair[store].astype(np.float32)[:, None]
        units *= day
        return units

    def infer_shelves(self, offset: Floats, promoted: Bools) -> None:
        """Weigh cells by the chance that the SKU was on the shelf; `offset` includes the lifts of promotions."""
        panel = self.panel
        stores, skus, days = panel.shape
        factor = np.exp(self.level() + offset).astype(np.float32)
        expected = np.empty((days, stores * skus), np.float32)
        within = np.empty((days, stores * skus), dtype=bool)
        for store in range(stores):
            columns = slice(store * skus, (store + 1) * skus)
            expected[:, columns] = self._cells(store, factor).T
            within[:, columns] = promoted[:, self.groups.of_store[store]].T
        units = np.ascontiguousarray(panel.units.reshape(stores * skus, days).T)
        known = np.ascontiguousarray(panel.available.reshape(stores * skus, days).T)
        chance, self.shelf_rates = on_shelf(units, expected, within, known)
        self.exposure = np.where(known, chance, np.float32(0)).T.reshape(stores, skus, days)

    def _begin(self, sold: _Sums, clean: Bools) -> None:
        cells = np.zeros(self.pair.shape)
        for store in range(len(self.panel.stores)):
            cells[store] = (self.panel.available[store] & clean[:, self.groups.of_store[store]]).sum(axis=1)
        by_sku = sold.pair.sum(axis=0) / np.maximum(cells.sum(axis=0), 1)
        by_store = sold.pair.sum(axis=1) / np.maximum((cells * by_sku).sum(axis=1), TINY)
        self.pair = np.maximum(by_store[:, None] * by_sku, TINY)

    def _scale(self, sold: _Sums, expected: _Sums, *, choose: bool) -> None:
        # Ratios of sold to expected units: each is the Poisson maximum of its own effect, the others held.
        panel = self.panel
        by_channel = np.stack([sold.store_day[panel.channel == row].sum(axis=0) for row in range(len(panel.channels))])
        expected_channel = np.stack([expected.store_day[panel.channel == row].sum(axis=0) for row in range(len(panel.channels))])
        # Two units more on both sides hold days of next to no sale near what the other effects say.
        seen = np.log(self.channel_day * (by_channel + 2) / (expected_channel + 2))
        precision = self.luck.precision(expected_channel, self.concentration("channel"))
        if choose:
            self.course = Course.of(seen, precision)
        self.channel_day = np.exp(self.course.drawn(seen, precision) if self.course else seen)
        by_sku = np.maximum(sold.pair.sum(axis=0), 0.1) / np.maximum(expected.pair.sum(axis=0), 0.1)
        self.pair *= by_sku
        wanted = np.maximum(expected.pair * by_sku, TINY)
        strength = self._pair_strength(sold.pair, wanted)
        self.pair *= (sold.pair + strength) / (wanted + strength)
        by_store, expected_store = sold.store_day, np.maximum(expected.store_day, TINY)
        ratio = by_store.sum(axis=1, keepdims=True) / expected_store.sum(axis=1, keepdims=True)
        wander = self.wanders.get("store", Wander(0.08, 8.0))
        seen = self.store_day + (by_store - expected_store * ratio) / (expected_store * ratio)
        self.store_day = smooth(np.clip(seen, -2, 3), self.luck.precision(expected_store, self.concentration("store")), wander).mean

    def _pair_strength(self, sold: Floats, wanted: Floats) -> float:
        # Units' worth of belief that a SKU sells in a store what SKU and store sell on average (gamma-Poisson, by moments).
        if not hasattr(self, "_strength"):
            enough = wanted > 5
            spread = float((((sold - wanted) ** 2 - wanted)[enough] / wanted[enough] ** 2).mean()) if enough.sum() > 20 else 0.1
            self._strength = 1 / float(np.clip(spread, 0.02, 1.0))
        return self._strength

    def _states(self, sold: _Sums, expected: _Sums, *, choose: bool) -> None:
        panel, groups = self.panel, self.groups.size
        skus, days = len(panel.skus), len(panel.days)
        units, now = sold.group, expected.group
        if choose:
            total, mean = units.sum(axis=1), now.sum(axis=1)
            self.luck = Luck.of(total, mean, self.concentration("sku"))

        def step(name: str, value: Floats, rows: Floats, wanted: Floats, first: Wander) -> Smoothed:
            observed = np.clip(value + (rows - wanted) / np.maximum(wanted, TINY), -3, 6)
            precision = self.luck.precision(wanted, self.concentration(name))
            if choose or name not in self.wanders:
                self.wanders[name] = choose_wander(observed, precision, self.wanders.get(name, first)) if choose else first
            return smooth(observed, precision, self.wanders[name])

        before = self.category_day
        self.category_day = step("category", before, self._by_category(units), self._by_category(now), Wander(0.11, 16.0)).mean
        now = now * np.exp(self.category_day - before)[panel.category][:, None, :]
        now = self._weekdays(units, now)
        now = self._ages(units, now)
        now = self._prices(units, now)

        before = self.sku_state.mean
        self.sku_state = step("sku", before, units.sum(axis=1), now.sum(axis=1), Wander(0.15, 32.0))
        now = now * np.exp(self.sku_state.mean - before)[:, None, :]
        if groups > 1:
            before = self.group_state.mean
            shape = skus * groups, days
            self.group_state = step("group", before, units.reshape(shape), now.reshape(shape), Wander(0.08, 16.0))

    def _by_category(self, table: Floats) -> Floats:
        return np.stack([table[self.panel.category == row].sum(axis=(0, 1)) for row in range(len(self.panel.categories))])

    def _weekdays(self, units: Floats, now: Floats) -> Floats:
        change = np.ones_like(self.weekday)
        for row in range(len(self.panel.categories)):
            mine = self.panel.category == row
            by_day = [table[mine].sum(axis=(0, 1)) for table in (units, now)]
            total = [np.bincount(self._of_weekday, weights=table, minlength=7) for table in by_day]
            change[row] = (total[0] + 200) / (total[1] + 200)
            change[row] /= np.average(change[row], weights=total[1] + TINY)
        self.weekday *= change
        scaled: Floats = now * change[self.panel.category][:, self._of_weekday][:, None, :]
        return scaled

    def _ages(self, units: Floats, now: Floats) -> Floats:
        # All SKUs share how sales begin after a launch and end before a withdrawal.
        at = np.arange(units.shape[2])
        young = np.where(self.panel.launched[:, None] >= 0, (at - self.panel.launched[:, None]) // 7, LAUNCH_WEEKS)
        old = np.where(self.panel.withdrawn[:, None] < units.shape[2], (self.panel.withdrawn[:, None] - at) // 7, END_WEEKS)
        by_day, expected = units.sum(axis=1), now.sum(axis=1)
        for weeks, last in ((young, LAUNCH_WEEKS), (old, END_WEEKS)):
            for week in range(last):
                inside = weeks == week
                if inside.any():
                    change = np.log((by_day[inside].sum() + 5) / (expected[inside].sum() + 5))
                    self.age[inside] += change
                    expected = np.where(inside, expected * np.exp(change), expected)
                    now = now * np.where(inside, np.exp(change), 1.0)[:, None, :]
        return now

    def _prices(self, units: Floats, now: Floats) -> Floats:
        by_day, expected = units.sum(axis=1), now.sum(axis=1)
        observed = self.sku_state.mean + self.price_effect + (by_day - expected) / np.maximum(expected, TINY)
        observed = np.clip(observed, -4, 6)
        precision = self.luck.precision(expected, self.concentration("sku"))
        wander = self.wanders.get("sku", Wander(0.15, 32.0))
        one, price, y = whiten([np.ones_like(observed), -self._log_price, observed], precision, wander)
        norm = np.maximum((one * one).sum(axis=1, keepdims=True), TINY)
        price = price - one * (one * price).sum(axis=1, keepdims=True) / norm
        y = y - one * (one * y).sum(axis=1, keepdims=True) / norm
        self.price_elasticity, self.sku_elasticity = pool_elasticities(self.panel, price, y)
        effect = -self.sku_elasticity[:, None] * self._log_price
        change = np.exp(effect - self.price_effect)
        self.price_effect = effect
        scaled: Floats = now * change[:, None, :]
        return scaled


@dataclass
class _Sums:
    """Units summed by SKU and group and day, by store and SKU, by store and day."""

    group: Floats
    pair: Floats
    store_day: Floats

    @classmethod
    def zeros(cls, baseline: Baseline) -> _Sums:
        stores, skus, days = baseline.panel.shape
        return cls(np.zeros((skus, baseline.groups.size, days)), np.zeros((stores, skus)), np.zeros((stores, days)))

    def add(self, store: int, group: int, units: NDArray[np.float32]) -> None:
        """Add one store's units by SKU and day."""
        self.group[:, group] += units
        self.pair[store] = units.sum(axis=1, dtype=np.float64)
        self.store_day[store] = units.sum(axis=0, dtype=np.float64)


def pool_elasticities(panel: PromotionPanel, price: Floats, y: Floats) -> tuple[Pooled, Floats]:
    """Elasticities from whitened columns (SKU, day): pooled by category, and by SKU with brands shrunk to their category."""
    information, gain = (price * price).sum(axis=1), (price * y).sum(axis=1)
    of_category = pool(by_row(panel.category, information, len(panel.categories)), by_row(panel.category, gain, len(panel.categories)))
    cell = panel.category * len(panel.brands) + panel.brand
    rest = gain - information * of_category.mean[panel.category]
    size = len(panel.categories) * len(panel.brands)
    of_brand = pool(by_row(cell, information, size), by_row(cell, rest, size), centre=0.0)
    elasticity: Floats = of_category.mean[panel.category] + of_brand.mean[cell]
    return of_category, elasticity


def by_row(rows: Ints, values: Floats, size: int) -> Floats:
    """Sums of the values of each row."""
    return np.bincount(rows, weights=values, minlength=size).astype(np.float64)
