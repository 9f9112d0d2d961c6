"""Where the retailer sells: shops in the five regions, and storefronts on the web."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from sales_tech.twin.history import History

CHANNELS = ("loja", "online")
REGIONS = ("Sudeste", "Sul", "Nordeste", "Centro-Oeste", "Norte")
# City, state, row of its region, neighbourhoods that name the shops.
CITIES = (
    ("São Paulo", "SP", 0, ("Paulista", "Pinheiros", "Tatuapé", "Santana", "Moema", "Lapa")),
    ("Rio de Janeiro", "RJ", 0, ("Tijuca", "Barra da Tijuca", "Méier", "Copacabana")),
    ("Curitiba", "PR", 1, ("Batel", "Portão", "Cabral")),
    ("Salvador", "BA", 2, ("Barra", "Pituba", "Brotas")),
    ("Belo Horizonte", "MG", 0, ("Savassi", "Pampulha", "Buritis")),
    ("Brasília", "DF", 3, ("Asa Sul", "Asa Norte", "Taguatinga")),
    ("Porto Alegre", "RS", 1, ("Moinhos", "Cidade Baixa", "Menino Deus")),
    ("Recife", "PE", 2, ("Boa Viagem", "Casa Forte")),
    ("Campinas", "SP", 0, ("Cambuí", "Taquaral")),
    ("Manaus", "AM", 4, ("Adrianópolis", "Ponta Negra")),
    ("Fortaleza", "CE", 2, ("Aldeota", "Meireles")),
    ("Goiânia", "GO", 3, ("Setor Bueno", "Setor Oeste")),
    ("Florianópolis", "SC", 1, ("Trindade", "Centro")),
    ("Belém", "PA", 4, ("Umarizal", "Nazaré")),
    ("Vitória", "ES", 0, ("Praia do Canto", "Jardim da Penha")),
)
STOREFRONTS = ("Loja Virtual", "Aplicativo", "Atacado Online", "Parceiros", "Televendas Digital")
ONLINE_SHARE = 0.1
ONLINE_WEIGHT = 3.0


def make_stores(history: History, size: int, rng: np.random.Generator) -> pd.DataFrame:
    """One row per store: store_id, name, city, state, region, region_row, channel, channel_row, opened_on, opened (position), weight.

    `weight` is what a store sells beside the others. A tenth sell online, at least one; a few open during the history.
    """
    online = max(1, round(ONLINE_SHARE * size))
    rows = []
    numbers: dict[str, int] = {}
    for row in range(size - online):
        city, state, region, quarters = CITIES[row % len(CITIES)]
        numbers[state] = numbers.get(state, 0) + 1
        lap = row // len(CITIES)
        quarter = quarters[lap % len(quarters)] + (f" {lap // len(quarters) + 1}" if lap >= len(quarters) else "")
        rows.append((f"{state}{numbers[state]:02d}", quarter, city, state, region, 0))
    for row in range(online):
        lap = row // len(STOREFRONTS)
        name = STOREFRONTS[row % len(STOREFRONTS)] + (f" {lap + 1}" if lap else "")
        rows.append((f"WEB{row + 1:02d}", name, "São Paulo", "SP", 0, 1))
    stores = pd.DataFrame(rows, columns=["store_id", "name", "city", "state", "region_row", "channel_row"])
    stores["region"] = [REGIONS[row] for row in stores["region_row"]]
    stores["channel"] = [CHANNELS[row] for row in stores["channel_row"]]
    weight = np.exp(rng.normal(0, 0.35, size)) * np.where(stores["channel_row"] == 1, ONLINE_WEIGHT, 1.0)
    stores["weight"] = weight / weight.mean()
    days = len(history.days)
    young = (stores["channel_row"] == 0).to_numpy() & (rng.random(size) < 0.08) & (days > 240)
    before = rng.integers(200, 6000, size)
    position = np.where(young, rng.integers(60, max(61, days - 120), size), -before)
    stores["opened"] = position
    stores["opened_on"] = [history.first + timedelta(days=value) for value in position.tolist()]
    return stores


def opened_by(stores: pd.DataFrame, day: date) -> pd.DataFrame:
    """The stores that have opened on or before a day."""
    return stores[stores["opened_on"] <= day]
