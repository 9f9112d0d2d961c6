"""How right the analysis of promotions is: estimates beside the truth of synthetic retailers, drawn anew at each run."""

from __future__ import annotations
