"""How big the synthetic retailer is, and how hard its promotions are to judge."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sales_tech.errors import SettingsError

UNITS_PER_LINE = 1.12
# What is sold of the units per cell: SKUs come and go, stores open late, shelves are empty.
SOLD_SHARE = 0.93
SMALLEST, LARGEST = 10_000, 100_000_000


@dataclass(frozen=True)
class Scenario:
    """What surrounds the promotions.

    `units_per_cell` is the mean units of a SKU in a store on a day without promotions. `lift_scale`
    multiplies every response to price, mechanic and display. `selection` is how strongly promotions are
    planned for high season and for slow sellers. Standard deviations are of log demand, half-lives in days. `hidden_shock`
    is the log demand that rises with a third of the promotions and has another cause.
    """

    name: str
    units_per_cell: float
    lift_scale: float
    selection: float
    national_share: float
    sku_state_sd: float
    sku_state_half_life: float = 45.0
    sku_event_rate: float = 0.0
    region_state_sd: float = 0.0
    store_lift_sd: float = 0.0
    stockouts_flagged: bool = True
    hidden_shock: float = 0.0


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("default", units_per_cell=0.27, lift_scale=1.0, selection=1.0, national_share=0.35, sku_state_sd=0.15),
        Scenario(
            "hard",
            units_per_cell=0.12,
            lift_scale=0.6,
            selection=2.5,
            national_share=0.8,
            sku_state_sd=0.22,
            sku_state_half_life=25.0,
            sku_event_rate=2.0,
            region_state_sd=0.12,
            store_lift_sd=0.3,
            stockouts_flagged=False,
        ),
        Scenario("shock", units_per_cell=0.27, lift_scale=1.0, selection=1.0, national_share=0.35, sku_state_sd=0.15, hidden_shock=0.4),
    )
}


def scenario_named(name: str) -> Scenario:
    """The scenario of a name; SettingsError for any other."""
    if name not in SCENARIOS:
        raise SettingsError(f"no difficulty {name}; expected {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


@dataclass(frozen=True)
class Size:
    """Stores, SKUs, days and promotions of the retailer."""

    stores: int
    skus: int
    months: int
    promotions: int

    @classmethod
    def of_lines(cls, lines: int, scenario: Scenario) -> Size:
        """A retailer of about so many order lines; SettingsError outside SMALLEST to LARGEST."""
        if not SMALLEST <= lines <= LARGEST:
            raise SettingsError(f"lines is {lines}; expected {SMALLEST} to {LARGEST}")
        cells = lines * UNITS_PER_LINE / (scenario.units_per_cell * SOLD_SHARE)
        growth = math.log10(lines / SMALLEST) / math.log10(LARGEST / SMALLEST)
        months = round(6 + 30 * growth)
        pairs = cells / (months * 30.4)
        # Stores and SKUs grow together, from 5 x 41 to 400 x 950.
        stores = max(5, round(pairs**0.5 * (0.35 + 0.3 * growth)))
        skus = max(18, round(pairs / stores))
        return cls(stores, skus, months, max(8, round(months * 30.4 * skus / 690)))
