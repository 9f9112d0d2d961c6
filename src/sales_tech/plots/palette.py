"""The colours of all pictures: the schemes "high contrast" and "muted" of Paul Tol, safe for colour-blind readers.

Source: P. Tol, Colour Schemes, SRON/EPS/TN/09-002, https://personal.sron.nl/~pault/
"""

from __future__ import annotations

INK = "#1f2933"
QUIET = "#616e7c"
GRID = "#e4e7eb"
PALE = "#cbd2d9"

BLUE = "#004488"
LIGHT_BLUE = "#7f9fc1"
YELLOW = "#ddaa33"
ROSE = "#bb5566"

# Neighbours in this order differ in lightness, so stacked parts stay apart in grey print as well.
CATEGORIES = ("#332288", "#88ccee", "#117733", "#ddcc77", "#882255", "#44aa99", "#cc6677", "#999933")

# The same hues dark enough for words on white.
READABLE = {LIGHT_BLUE: "#4d73a0", YELLOW: "#86640f", PALE: QUIET}

FATES = {"accepted": BLUE, "superseded": LIGHT_BLUE, "ignored": PALE, "rejected": ROSE}
CLASSES = {"A": BLUE, "B": LIGHT_BLUE, "C": PALE}
