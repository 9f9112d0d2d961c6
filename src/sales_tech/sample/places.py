"""Where the retailer sells: nine shops in the five regions, and one web shop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from sales_tech.sample.history import Floats, History

CHANNELS = ("loja", "online")


@dataclass(frozen=True)
class Place:
    """A shop; `weight` is its share of what shops sell."""

    code: str
    name: str
    city: str
    state: str
    region: str
    channel: str
    opened: date
    weight: float


PLACES = (
    Place("SP01", "Paulista", "São Paulo", "SP", "Sudeste", "loja", date(2009, 3, 14), 2.2),
    Place("SP02", "Campinas Norte", "Campinas", "SP", "Sudeste", "loja", date(2013, 8, 2), 1.3),
    Place("RJ01", "Tijuca", "Rio de Janeiro", "RJ", "Sudeste", "loja", date(2011, 5, 20), 1.6),
    Place("MG01", "Savassi", "Belo Horizonte", "MG", "Sudeste", "loja", date(2014, 10, 11), 1.2),
    Place("PR01", "Batel", "Curitiba", "PR", "Sul", "loja", date(2015, 4, 25), 1.1),
    Place("RS01", "Moinhos", "Porto Alegre", "RS", "Sul", "loja", date(2016, 9, 3), 1.0),
    Place("BA01", "Barra", "Salvador", "BA", "Nordeste", "loja", date(2018, 11, 9), 0.9),
    Place("DF01", "Asa Sul", "Brasília", "DF", "Centro-Oeste", "loja", date(2019, 6, 15), 0.9),
    Place("AM01", "Adrianópolis", "Manaus", "AM", "Norte", "loja", date(2025, 9, 1), 0.7),
    Place("WEB01", "Loja Virtual", "São Paulo", "SP", "Sudeste", "online", date(2012, 1, 16), 1.0),
)
SHOPS = tuple(place for place in PLACES if place.channel == "loja")
WEB = PLACES.index(next(place for place in PLACES if place.channel == "online"))


def opened_by(day: date) -> list[Place]:
    """The places that have opened on or before a day."""
    return [place for place in PLACES if place.opened <= day]


def shop_shares(history: History) -> Floats:
    """By day and shop, the running total of the shops' shares, so that one uniform number picks a shop."""
    open_now = np.array([[history.position(shop.opened) for shop in SHOPS]]) <= np.arange(len(history.days))[:, None]
    shares = open_now * np.array([shop.weight for shop in SHOPS])
    totals: Floats = np.cumsum(shares, axis=1)
    return totals / totals[:, -1:]
