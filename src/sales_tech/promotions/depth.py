"""How the depth of a discount enters the log of what a promotion multiplies demand by."""

from __future__ import annotations

import numpy as np
from scipy.special import boxcox

from sales_tech.promotions.panel import Floats

# Where all shapes agree, so that a slope is the elasticity of a cut of a fifth whatever the shape.
ANCHOR = 0.2
DEEPEST = 0.95
# Shapes as believed beforehand: half way between the two that demand is mostly written with, one elasticity for all prices (0) and a
# log that falls with the price (1). Further out than this none is needed.
SHAPE, SHAPE_DEVIATION = 0.5, 0.5
SHAPES: Floats = np.linspace(-1.5, 2.5, 41)


def depth_response(depth: Floats, shape: Floats | float = 0.0) -> Floats:
    """How depths (shares) enter by a shape, both broadcast: the Box-Cox transformation of what is left of the price, less than none.

    With 0 it is minus the log of what is left, so that its slope is an elasticity; with 1 it goes with the share taken off, with
    less than 0 it rises ever faster. A deeper cut always counts for more (Box and Cox 1964).
    """
    left, anchor = 1 - np.clip(depth, 0, DEEPEST), 1 - ANCHOR
    response: Floats = boxcox(left, shape) * (np.log(anchor) / -boxcox(anchor, shape))
    return response


def attention(depth: Floats) -> Floats:
    """How much of what a mechanic adds besides its price is there at a depth: none at no cut, all from about a tenth."""
    there: Floats = np.clip(depth / 0.1, 0, 1)
    return there


def log_beliefs() -> Floats:
    """The log density of SHAPES as believed beforehand, but for a constant."""
    beliefs: Floats = -0.5 * ((SHAPES - SHAPE) / SHAPE_DEVIATION) ** 2
    return beliefs
