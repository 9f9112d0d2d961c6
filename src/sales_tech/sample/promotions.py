"""The promotion calendar: the campaigns of the Brazilian retail year, and flash sales of single categories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from sales_tech.sample.assortment import CATEGORIES
from sales_tech.sample.catalogue import Catalogue
from sales_tech.sample.history import History, Ints, stream
from sales_tech.sample.places import CHANNELS

# Promotions are entered in the ERP a quarter ahead, so the calendar also holds some without sales yet.
PLANNED_AHEAD = timedelta(days=92)
NO_PROMOTION = -1


@dataclass(frozen=True)
class Campaign:
    """One promotion: `share` of the SKUs of its categories take part (all categories if none is named), at `depths` percent off."""

    code: str
    name: str
    mechanic: str
    start: date
    end: date
    depths: tuple[int, ...]
    share: float
    categories: tuple[str, ...] = ()
    channel: str = ""


def second_sunday(year: int, month: int) -> date:
    """Mothers' day and fathers' day fall on one."""
    return date(year, month, 8 + (6 - date(year, month, 1).weekday()) % 7)


def black_friday(year: int) -> date:
    """The last Friday of November."""
    return date(year, 11, 30) - timedelta(days=(date(year, 11, 30).weekday() - 4) % 7)


def campaigns_of(year: int) -> list[Campaign]:
    """The campaigns that come every year."""
    mothers, fathers = second_sunday(year, 5), second_sunday(year, 8)
    monday = black_friday(year) - timedelta(days=4)
    consumer = date(year, 3, 15) - timedelta(days=date(year, 3, 15).weekday())
    school = ("Notebooks", "Tablets", "Impressoras", "Mouses", "Teclados")
    gifts = ("Smartphones", "Tablets", "Wearables", "Áudio")
    home = ("Notebooks", "Monitores", "Cadeiras", "Áudio", "Armazenamento")
    return [
        Campaign(f"AULAS{year}", "Volta às Aulas", "percentual", date(year, 1, 15), date(year, 2, 8), (10, 15, 20), 0.45, school),
        Campaign(f"CONS{year}", "Semana do Consumidor", "percentual", consumer, consumer + timedelta(days=6), (10, 15, 20, 25), 0.3),
        Campaign(f"MAES{year}", "Dia das Mães", "cupom", mothers - timedelta(days=10), mothers, (10, 15, 20), 0.5, gifts),
        Campaign(f"NAMOR{year}", "Dia dos Namorados", "combo", date(year, 6, 5), date(year, 6, 12), (10, 15), 0.4, gifts),
        Campaign(f"PAIS{year}", "Dia dos Pais", "combo", fathers - timedelta(days=9), fathers, (10, 15, 20), 0.4, home),
        Campaign(f"BF{year}", "Black Friday", "percentual", monday, monday + timedelta(days=7), (20, 25, 30, 35, 40), 0.4),
        Campaign(f"NATAL{year}", "Natal", "percentual", date(year, 12, 10), date(year, 12, 24), (10, 15, 20), 0.25),
    ]


def flash_sales_of(year: int, rng: np.random.Generator) -> list[Campaign]:
    """Two one- to three-day sales of one category in every month, half of them on the web only."""
    sales = []
    for month in range(1, 13):
        for number, category in enumerate(rng.choice(len(CATEGORIES), size=2, replace=False).tolist(), start=1):
            start = date(year, month, int(rng.integers(1, 26)))
            name = f"Relâmpago {CATEGORIES[category].name}"
            end = start + timedelta(days=int(rng.integers(0, 3)))
            channel = "online" if rng.random() < 0.5 else ""
            code = f"RELAMP{year}{month:02d}{number}"
            sales.append(Campaign(code, name, "relampago", start, end, (15, 20, 25, 30, 35), 0.6, (CATEGORIES[category].name,), channel))
    return sales


def make_promotions(history: History, catalogue: Catalogue, lines_per_day: float, seed: int) -> pd.DataFrame:
    """One row per promotion and SKU, by start.

    Columns: code, name, mechanic, product (row of the catalogue), percent, start, end, channel (blank: all),
    investment (centavos, about what a shop spends on the shelf and on advertising for the sales it expects).
    """
    products = catalogue.products
    prices = catalogue.prices(len(history.days))
    parts = []
    for year in range(history.first.year, (history.last + PLANNED_AHEAD).year + 1):
        for campaign in campaigns_of(year) + flash_sales_of(year, stream(seed, f"flash sales {year}")):
            if not history.first <= campaign.start <= history.last + PLANNED_AHEAD:
                continue
            rng = stream(seed, campaign.code)
            listed = products["launch"].to_numpy() <= history.position(campaign.start)
            eligible = np.flatnonzero(listed & (products["category"].isin(campaign.categories or products["category"])).to_numpy())
            chosen = np.sort(rng.choice(eligible, size=round(campaign.share * len(eligible)), replace=False))
            days = (campaign.end - campaign.start).days + 1
            price = prices[min(history.position(campaign.start), len(prices) - 1), chosen]
            expected = products["popularity"].to_numpy()[chosen] * lines_per_day * days * price
            rows = pd.DataFrame({"product": chosen, "percent": rng.choice(campaign.depths, size=len(chosen))})
            rows["investment"] = np.rint(expected * rng.uniform(0.02, 0.08, len(chosen))).astype(np.int64)
            for column in ("code", "name", "mechanic", "start", "end", "channel"):
                rows[column] = getattr(campaign, column)
            parts.append(rows)
    calendar = pd.concat(parts, ignore_index=True)
    return calendar.sort_values(["start", "code", "product"], kind="stable", ignore_index=True)


def active_promotions(history: History, catalogue: Catalogue, promotions: pd.DataFrame) -> Ints:
    """The row of the promotion in force by channel, day and product; where two overlap, the deeper discount wins."""
    active = np.full((len(CHANNELS), len(history.days), len(catalogue.products)), NO_PROMOTION, dtype=np.int64)
    deeper_last = promotions.sort_values("percent", kind="stable")
    columns = (deeper_last[name] for name in ("channel", "start", "end", "product"))
    for row, channel, start, end, product in zip(deeper_last.index, *columns, strict=True):
        where = slice(None) if channel == "" else CHANNELS.index(channel)
        active[where, history.position(start) : history.position(end) + 1, product] = row
    return active
