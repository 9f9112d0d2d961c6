"""Promotions of the same SKU at the same time and place: what they do together, and each one's part in it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.planning.transfer import EFFECTS, LEAST

# Of the weaker ones' log lifts this part comes through, as the analysis of promotions assumes where it knows no better.
SHARE = 1 / 3
_KEYS = ["sku", "channel", "sold_on"]
# Where a promotion of all regions runs beside those that others are limited to.
_REST = ""


def put_together(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of `Lookup.rows` with their effects, of which those that overlap have each a part of baseline and uplift; and `charged`.

    Where several promotions move a SKU in a channel and place on a day, the strongest counts in full and SHARE of the log lift of
    each other. Baseline and uplift are divided by one share each, in proportion to what each would have added alone, so that rows add
    up to what is sold. `charged` is the discount that buyers are given: the deepest of those that meet. A promotion of all regions
    meets one of a region there only; elsewhere it is alone, and its `charged` is the mean by its units. Other rows stay as they are.
    """
    told = rows.assign(charged=rows["discount_share"])
    several = rows.duplicated(_KEYS, keep=False).to_numpy()
    if not several.any():
        return told
    pieces = _pieces(rows[several].assign(row=np.flatnonzero(several)))
    meeting = pieces.groupby("row", sort=True)["promotions"].max() > 1
    pieces = pieces[pieces["row"].map(meeting)]
    pieces = pieces.assign(**_divided(pieces))
    own = _by_row(pieces)
    at, part = told.index[own.index], own["part"].to_numpy()
    usual = told.loc[at, ["baseline_units", "baseline_low", "baseline_median", "baseline_high"]]
    middle = usual["baseline_median"] * part
    # Chance does more to a part than to the whole.
    for name, least in (("baseline_low", 0.0), ("baseline_high", -np.inf)):
        told.loc[at, name] = np.maximum(middle + (usual[name] - usual["baseline_median"]) * np.sqrt(part), least)
    told.loc[at, "baseline_units"], told.loc[at, "baseline_median"] = usual["baseline_units"] * part, middle
    for name in (*EFFECTS, "charged"):
        told.loc[at, name] = own[name].to_numpy()
    return told


def _pieces(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows by place: those of all regions are cut where others of the SKU, channel and day are limited to a region.

    `portion` is the part of the row's units that are sold in the place, `promotions` how many meet there.
    """
    limited = rows["region"].notna()
    named = rows[limited]
    named = named.assign(place=named["region"], portion=1.0)
    places = named.drop_duplicates([*_KEYS, "place"])[[*_KEYS, "place", "scope"]].rename(columns={"scope": "reach"})
    inside = rows[~limited].merge(places, on=_KEYS)
    inside["portion"] = (inside["reach"] / inside["scope"].where(inside["scope"] > 0)).fillna(0.0)
    taken = inside.groupby("row", sort=True)["portion"].sum()
    rest = rows[~limited].assign(place=_REST)
    rest["portion"] = (1.0 - rest["row"].map(taken).fillna(0.0)).clip(lower=0.0)
    told = pd.concat([named, inside.drop(columns="reach"), rest], ignore_index=True)
    return told.assign(promotions=told.groupby([*_KEYS, "place"], sort=True)["row"].transform("size"))


def _divided(pieces: pd.DataFrame) -> dict[str, pd.Series]:
    """Of each piece its share of what its place sells, the effects of all that meet there, and the discount that is charged."""
    by = [pieces[key] for key in (*_KEYS, "place")]
    alone = pieces["uplift"].clip(lower=0.0)
    lift = np.log1p(alone)
    highest, total = lift.groupby(by).transform("max"), lift.groupby(by).transform("sum")
    sums = alone.groupby(by).transform("sum")
    together = np.expm1(highest + SHARE * (total - highest))
    factor = (together / sums.where(sums > 0)).fillna(1.0).clip(upper=1.0)
    # However many take from it, nobody sells fewer than no units of a SKU.
    told = {name: (pieces[name] * factor).groupby(by).transform("sum").clip(lower=LEAST) for name in EFFECTS}
    told["share"] = (alone / sums.where(sums > 0)).fillna(1.0 / pieces["promotions"])
    return told | {"charged": pieces["discount_share"].groupby(by).transform("max")}


def _by_row(pieces: pd.DataFrame) -> pd.DataFrame:
    """The pieces of each row put together again: `part` of its units, the effects on them, and the discount charged."""
    part = pieces["portion"] * pieces["share"]
    whole = part.groupby(pieces["row"]).transform("sum")
    weight = part.where(whole > 0, pieces["portion"])
    bought = weight * (1.0 + pieces["uplift"])
    sums = pd.DataFrame({name: pieces[name] * weight for name in EFFECTS}).assign(
        part=part, weight=weight, bought=bought, charged=bought * pieces["charged"]
    )
    told = sums.groupby(pieces["row"], sort=True).sum()
    for name in EFFECTS:
        told[name] /= told["weight"]
    return told.assign(charged=told["charged"] / told["bought"])
