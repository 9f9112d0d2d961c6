"""An outlook small enough to work out by hand: two mice and a keyboard in two channels, ten days ahead."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sales_tech.planning import Outlook

ORIGIN = pd.Timestamp("2026-03-31").as_unit("s")
DAYS = 10
# Mouse A sells 10 a day in the shop and 6 online, mouse B 4 in the shop; the keyboard is one fifth of a pool that sells 5.
USUAL = {("A", "loja"): 10.0, ("A", "online"): 6.0, ("B", "loja"): 4.0, ("others of Keyboards", "loja"): 5.0}
UPLIFT = {0.1: 0.5, 0.2: 1.0, 0.3: 1.5}


def response(**changed: Any) -> pd.DataFrame:
    about = {"category": "Mice", "brand": "all", "mechanic": "leaflet", "display": False, "works_share": 0.8, "promotions": 5}
    about |= {"depth_from": 0.1, "depth_to": 0.3}
    rows = [
        about | {"discount_share": depth, "uplift": uplift, "uplift_low": 0.0, "uplift_high": 2 * uplift}
        for depth, uplift in UPLIFT.items()
    ]
    return pd.DataFrame(rows).assign(**changed)


def outlook(**changed: Any) -> Outlook:
    days = pd.date_range(ORIGIN + pd.Timedelta(days=1), periods=DAYS).as_unit("s")
    baseline = pd.DataFrame(
        [
            {"sku": sku, "channel": channel, "sold_on": day, "baseline_units": units, "baseline_median": units}
            | {"baseline_low": units - 2, "baseline_high": units + 3}
            for (sku, channel), units in USUAL.items()
            for day in days
        ]
    )
    members = pd.DataFrame(
        [("A", "loja", "A", 1.0), ("A", "online", "A", 1.0), ("B", "loja", "B", 1.0), ("K", "loja", "others of Keyboards", 0.2)],
        columns=["sku", "channel", "series", "share"],
    )
    regions = pd.DataFrame(
        [(series, channel, region, share) for series, channel in USUAL for region, share in (("Sul", 0.25), ("Norte", 0.75))],
        columns=["series", "channel", "region", "share"],
    )
    prices = pd.DataFrame(
        [("A", "Mice", 20.0, 8.0), ("B", "Mice", 10.0, 5.0), ("K", "Keyboards", 50.0, 20.0)],
        columns=["sku", "category", "list_price", "cost"],
    ).assign(valid_from=ORIGIN + pd.Timedelta(days=1), brand="Acme")
    keyboards = response(category="Keyboards")
    rates = pd.DataFrame({"category": ["Keyboards", "Mice"], "cannibalised": [0.0, 0.2], "pulled_forward": [0.0, 0.1], "halo": 0.0})
    given: dict[str, Any] = {
        "baseline": baseline,
        "members": members,
        "regions": regions,
        "prices": prices,
        "response": pd.concat([response(), keyboards], ignore_index=True),
        "rates": rates.assign(halo_margin=0.0),
        "currency": "BRL",
        "origin": ORIGIN,
        "horizon": DAYS,
    }
    return Outlook(**(given | changed))


def plan(*skus: str, promotion: str = "P", days: int = 5, **changed: Any) -> pd.DataFrame:
    first = ORIGIN + pd.Timedelta(days=1)
    about = {"mechanic": "leaflet", "discount_share": 0.2, "starts_on": first, "ends_on": first + pd.Timedelta(days=days - 1)}
    about |= {"channel": None, "region": None, "display": False, "investment": 0.0}
    return pd.DataFrame([{"promotion_id": promotion, "sku": sku} | about | changed for sku in skus])
