"""What a plan can name: SKUs, channels, regions, and the mechanics and depths that each category has tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

if TYPE_CHECKING:
    from sales_tech.planning import Outlook

MOST_SKUS = 100


@dataclass(frozen=True)
class Choices:
    """The choices of one outlook, worked out once."""

    about: dict[str, Any]
    skus: list[dict[str, Any]]

    @classmethod
    def of(cls, outlook: Outlook) -> Self:
        """The choices that an outlook can answer: SKUs that sell, those that sell most first, none where no promotion was judged."""
        response = outlook.response.sort_values(["promotions", "mechanic", "display"], ascending=[False, True, True], kind="stable")
        keys = ["category", "mechanic", "display"]
        tried: dict[str, list[dict[str, Any]]] = {}
        for (category, mechanic, display), part in response.groupby(keys, observed=True, sort=False):
            one = {"mechanic": str(mechanic), "display": bool(display)}
            bounds = {"depth_from": float(part["depth_from"].min()), "depth_to": float(part["depth_to"].max())}
            tried.setdefault(str(category), []).append(one | bounds)
        about = {
            "origin": f"{outlook.origin:%Y-%m-%d}",
            "first_day": f"{outlook.origin + pd.Timedelta(days=1):%Y-%m-%d}",
            "last_day": f"{outlook.origin + pd.Timedelta(days=outlook.horizon):%Y-%m-%d}",
            "currency": outlook.currency,
            "channels": sorted(map(str, outlook.members["channel"].unique())),
            "all_regions": sorted(map(str, outlook.regions["region"].unique())),
            "regions": {
                str(channel): sorted(map(str, part["region"].unique()))
                for channel, part in outlook.regions[outlook.regions["share"] > 0].groupby("channel", observed=True, sort=True)
            },
            "categories": tried,
        }
        return cls(about, _skus(outlook) if tried else [])

    @property
    def sample(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The SKU that sells most of a category with a past promotion, and what its category tried most; None where there is none."""
        tried = self.about["categories"]
        return next(((sku, tried[sku["category"]][0]) for sku in self.skus if sku["category"] in tried), None)

    def matching(self, text: str) -> dict[str, Any]:
        """The choices with the first SKUs whose name, category or brand holds a text."""
        wanted = text.strip().lower()[:100]
        found = [sku for sku in self.skus if wanted in sku["searched"]] if wanted else self.skus
        # A whole name may be a part of many others.
        found = sorted(found, key=lambda sku: sku["sku"].lower() != wanted)
        shown = [{name: value for name, value in sku.items() if name != "searched"} for sku in found[:MOST_SKUS]]
        return {**self.about, "skus": shown, "found": len(found), "all": len(self.skus)}


def _skus(outlook: Outlook) -> list[dict[str, Any]]:
    expected = outlook.baseline.groupby(["sku", "channel"], sort=True)["baseline_units"].sum()
    members = outlook.members
    of_series = expected.reindex(pd.MultiIndex.from_frame(members[["series", "channel"]])).fillna(0.0).to_numpy()
    units = (members["share"] * of_series).groupby(members["sku"].astype(object)).sum()
    prices = outlook.prices.drop_duplicates("sku").astype({"sku": object})
    prices = prices[prices["sku"].isin(units.index)]
    prices = prices.assign(units=prices["sku"].map(units)).sort_values(["units", "sku"], ascending=[False, True], kind="stable")
    columns = [prices[name] for name in ("sku", "category", "brand", "list_price")]
    return [
        {
            "sku": str(sku),
            "category": str(category),
            "brand": str(brand),
            "list_price": None if pd.isna(price) else float(price),
            "searched": f"{sku} {category} {brand}".lower(),
        }
        for sku, category, brand, price in zip(*columns, strict=True)
    ]
