"""What a retailer's calendar has of its own: whose holidays count, and the days in which it sells more each time."""

from __future__ import annotations

import hashlib
from datetime import date

from pydantic import BaseModel, ConfigDict, field_validator

from sales_tech.contracts.document import Misfit

CALENDAR = "retail-calendar"
"""The name of its file in a pack, which no kind of file can have."""

Times = list[tuple[date, date]]


class RetailCalendar(BaseModel):
    """Whose holidays a source's demand follows, and its own occasions; only forecasts read it.

    `country` is an ISO code of the `holidays` package; None stands for the country of the source's currency. `occasions`
    gives first and last days by name, those to come included.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str | None = None
    occasions: dict[str, Times] = {}

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str | None) -> str | None:
        if value is None:
            return None
        from holidays import list_supported_countries  # takes long to import, and few packs name a country

        if value not in list_supported_countries(include_aliases=False):
            raise ValueError(f"country {value!r}, of which no holidays are known; expected an ISO code such as BR or PT")
        return value

    @field_validator("occasions")
    @classmethod
    def _in_order(cls, value: dict[str, Times]) -> dict[str, Times]:
        for name, times in value.items():
            if not times:
                raise Misfit(
                    (name,),
                    f"occasion {name!r} without any days",
                    "its first and last days, such as [[2026-08-17, 2026-08-23]]",
                )
            for first, last in times:
                if last < first:
                    found = f"occasion {name!r} that ends on {last}, before it begins on {first}"
                    raise Misfit((name,), found, "the first day before the last")
        return {name: sorted(times) for name, times in sorted(value.items())}

    @property
    def days(self) -> dict[str, list[tuple[str, str]]] | None:
        """The occasions as `PromotionForecaster` takes them; None where there are none."""
        return {name: [(f"{first}", f"{last}") for first, last in times] for name, times in self.occasions.items()} or None

    @property
    def fingerprint(self) -> str:
        """A short hash of all it says; empty where it says nothing."""
        if self == RetailCalendar():
            return ""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]
