"""How far off an imputed baseline really is, learnt from promotions that never were.

Each promotion is moved to days without promotion, which are then left out of the fit and imputed: the errors
found there scale the variances that the model states (placebo tests, as by Abadie, Diamond and Hainmueller 2010).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from sales_tech.promotions.baseline import Baseline
from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.panel import Floats, Ints
from sales_tech.promotions.uncertainty import ErrorModel

PASSES = 3
REFITS = 3
NEAREST, FARTHEST = 28, 120
# Windows that expect less say next to nothing.
FEWEST_UNITS = 4.0
LEVEL, LEAST, MOST = 0.8, 0.5, 4.0


@dataclass(frozen=True)
class Calibration:
    """Factors on the stated variances of a member's own error and of what a promotion's members share; windows behind them."""

    own: float
    shared: float
    windows: int


def calibrate(baseline: Baseline, cells: PromotedCells, offset: Floats, seed: int) -> Calibration:
    """Scale factors of the error variances, from PASSES sets of moved promotions."""
    rng = np.random.default_rng(seed)
    found: list[tuple[Floats, Floats, Floats, Floats, Ints]] = []
    for number in range(PASSES):
        rows, starts = _moved(cells, rng)
        if not len(rows):
            continue
        clean = ~cells.promoted
        ends = starts + cells.ends[rows] - cells.starts[rows]
        for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
            clean[cells.skus[row], cells.of_member[row], start : end + 1] = False
        moved = copy.deepcopy(baseline)
        moved.fit(clean, offset, rounds=REFITS)
        expected, sold = moved.expect(offset)
        model = ErrorModel.of(moved, expected * clean)
        own, shared = model.variances(cells.skus[rows], [cells.of_member[row] for row in rows.tolist()], starts, ends)
        wanted, got, squares = (np.empty(len(rows)) for _ in range(3))
        shares = baseline.concentration("group").reshape(len(cells.panel.skus), -1, 1)
        for at, (row, start, end) in enumerate(zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True)):
            window = cells.skus[row], cells.of_member[row], slice(start, end + 1)
            wanted[at], got[at] = expected[window].sum(), sold[window].sum()
            squares[at] = (expected[window] ** 2 * shares[window[:2]]).sum()
        enough = wanted >= FEWEST_UNITS
        error = (got - wanted)[enough] / wanted[enough]
        noise = baseline.luck.dispersion / wanted[enough] + baseline.luck.scatter * squares[enough] / wanted[enough] ** 2
        promotions = cells.promotions[rows][enough] + number * 1_000_000
        found.append((error, noise, own[enough], shared[enough], promotions))
    if not found or sum(len(part[0]) for part in found) < 30:
        return Calibration(1.0, 1.0, 0)
    error, noise, own, shared, promotions = (np.concatenate(column) for column in zip(*found, strict=True))
    return _factors(error, noise, own, shared, promotions)


def _factors(error: Floats, noise: Floats, own: Floats, shared: Floats, promotions: Ints) -> Calibration:
    # Members of one window share an error, so products of two members tell it, and squares tell it and their own.
    weight = 1 / (noise + own + shared) ** 2
    limit = 16 * (noise + own + shared)
    square = np.minimum(error**2, limit) - noise
    rows = np.unique(promotions, return_inverse=True)[1]
    scaled = error / (noise + own + shared)
    steps = 1 / (noise + own + shared)
    pairs = np.bincount(rows, weights=scaled) ** 2 - np.bincount(rows, weights=scaled**2)
    stated = np.bincount(rows, weights=steps * np.sqrt(shared)) ** 2 - np.bincount(rows, weights=steps**2 * shared)
    of_shared = float((pairs.sum() + stated.sum() * 0.1) / max(stated.sum() * 1.1, 1e-9))
    of_own = float((weight * own * (square - of_shared * shared)).sum() / max((weight * own**2).sum(), 1e-12))
    own_factor, shared_factor = float(np.clip(of_own, 1.0, 4.0)), float(np.clip(of_shared, 1.0, 12.0))
    last = _until_covered(error, noise, own * own_factor, shared * shared_factor, rows)
    return Calibration(own_factor * last, shared_factor * last, len(error))


def _until_covered(error: Floats, noise: Floats, own: Floats, shared: Floats, promotions: Ints) -> float:
    # What is left to scale until LEVEL of the moved promotions lie within LEVEL of their stated distribution.
    size = np.bincount(promotions)
    of_promotion = np.bincount(promotions, weights=shared) / size
    limit = NormalDist().inv_cdf((1 + LEVEL) / 2)

    def covered(factor: float) -> float:
        weight = 1 / (noise + factor * own)
        total = np.bincount(promotions, weights=weight)
        mean = np.bincount(promotions, weights=weight * error) / total
        return float((np.abs(mean) <= limit * np.sqrt(1 / total + factor * of_promotion)).mean())

    low, high = LEAST, MOST
    for _ in range(20):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if covered(middle) < LEVEL else (low, middle)
    return float((low * high) ** 0.5)


def _moved(cells: PromotedCells, rng: np.random.Generator) -> tuple[Ints, Ints]:
    # Whole promotions move by one number of days; members that would land on a promotion are left out.
    panel = cells.panel
    days = len(panel.days)
    blocked = cells.promoted | cells.after(14)
    rows, starts = [], []
    for promotion in np.unique(cells.promotions).tolist():
        shift = int(rng.integers(NEAREST, FARTHEST)) * (1 if rng.random() < 0.5 else -1)
        for row in np.flatnonzero(cells.promotions == promotion).tolist():
            start, end = cells.starts[row] + shift, cells.ends[row] + shift
            sku, here = cells.skus[row], cells.of_member[row]
            on_sale = panel.launched[sku] + 14 <= start and end < panel.withdrawn[sku]
            if end >= days - 7 or not on_sale or blocked[sku, here, start : end + 1].any():
                continue
            blocked[sku, here, start : end + 1] = True
            rows.append(row)
            starts.append(start)
    return np.array(rows, dtype=np.int64), np.array(starts, dtype=np.int64)
