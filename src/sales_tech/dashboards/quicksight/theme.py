"""The look of the dashboards in QuickSight: the colours of all pictures of the project."""

from __future__ import annotations

from typing import Any

from sales_tech.plots import palette

# The template's schema takes colours in capitals only.
INK, QUIET, GRID, PALE = (color.upper() for color in (palette.INK, palette.QUIET, palette.GRID, palette.PALE))
BLUE, YELLOW, BAD = (color.upper() for color in (palette.BLUE, palette.YELLOW, palette.ROSE))
CATEGORIES = tuple(color.upper() for color in palette.CATEGORIES)
GOOD = CATEGORIES[2]
WHITE = "#FFFFFF"
PAPER = "#F7F8FA"


def configuration() -> dict[str, Any]:
    """The configuration of the theme."""
    return {
        "DataColorPalette": {
            "Colors": [BLUE, YELLOW, BAD, *CATEGORIES],
            "EmptyFillColor": PALE,
            "MinMaxGradient": [GRID, BLUE],
        },
        "UIColorPalette": {
            "PrimaryForeground": INK, "PrimaryBackground": WHITE, "SecondaryForeground": QUIET,
            "SecondaryBackground": PAPER, "Accent": BLUE, "AccentForeground": WHITE, "Danger": BAD,
            "DangerForeground": WHITE, "Warning": YELLOW, "WarningForeground": INK, "Success": GOOD,
            "SuccessForeground": WHITE, "Dimension": BLUE, "DimensionForeground": WHITE, "Measure": GOOD,
            "MeasureForeground": WHITE,
        },
        "Sheet": {"Tile": {"Border": {"Show": False}}, "TileLayout": {"Gutter": {"Show": True}, "Margin": {"Show": True}}},
    }  # fmt: skip
