"""What whoever asks must know to read an answer: days of a plan that are over, and places that sell nothing of it."""

from __future__ import annotations

import pandas as pd

from sales_tech.money import money
from sales_tech.planning.frames import OutlookFrames

# SKUs that a caution gives one by one.
MOST_NAMED = 5
_DAY = pd.Timedelta(days=1)


def cautions(outlook: OutlookFrames, plans: pd.DataFrame, forecast: pd.DataFrame) -> list[str]:
    """A sentence for each promotion that has begun before the first day told, and for each of which some SKUs sell nothing where it runs.

    `forecast` is what `Outlook.forecast` says of the plans.
    """
    told = []
    usual = forecast.groupby(["promotion_id", "sku"], sort=True)["baseline_units"].sum().to_dict()
    for promotion, part in plans.groupby("promotion_id", sort=True):
        told += _begun(outlook, str(promotion), part)
        unsold = [str(sku) for sku in part["sku"] if not usual.get((promotion, sku), 0.0) > 0]
        if unsold:
            more = f" and {len(unsold) - MOST_NAMED} more" if len(unsold) > MOST_NAMED else ""
            told.append(f"promotion {promotion} runs where nothing is sold of {', '.join(unsold[:MOST_NAMED])}{more}{_where(part)}")
    return told


def _begun(outlook: OutlookFrames, promotion: str, part: pd.DataFrame) -> list[str]:
    first, begins, ends = outlook.origin + _DAY, part["starts_on"].min(), part["ends_on"].max()
    if begins >= first:
        return []
    over, days = (first - begins).days, (ends - begins).days + 1
    said = f"promotion {promotion} begins on {begins:%Y-%m-%d}, {_days(over)} before {first:%Y-%m-%d}, the first day told: "
    said += f"what it sells and earns is that of the {_days(days - over)} left"
    invested = float(part["investment"].fillna(0.0).sum()) if "investment" in part else 0.0
    return [said + (f", its investment of {money(invested, outlook.currency)} that of all {days}" if invested else "")]


def _where(part: pd.DataFrame) -> str:
    values = {name: part[name].iloc[0] for name in ("channel", "region") if name in part and part[name].notna().all()}
    # No channels at all are all of them.
    places = [f"{name} {' and '.join(one) if isinstance(one, tuple) else one}" for name, one in values.items() if one != ()]
    return f": {', '.join(places)}" if places else ""


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
