"""A small lake in which every view of the dashboards has rows, and the dashboards of the repository."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from tests.support.nights import REPOSITORY, night, read, settings_in

from sales_tech.contracts.table import table_contract
from sales_tech.dashboards.reading import load_dashboards
from sales_tech.dashboards.specification import Dashboard
from sales_tech.engines.duck import open_engine
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake
from sales_tech.lake.write import stage
from sales_tech.orchestration.ledger import PipelineRun, StepRun, enter
from sales_tech.runs import Run
from sales_tech.settings import Settings
from sales_tech.transform import promotions
from sales_tech.twin import Size, write_twin

STEPS = (("ingest/batch_csv", 12.5), ("gold/sales", 30.0), ("ml/forecast", 45.5))


def dashboards() -> list[Dashboard]:
    """The dashboards of the repository."""
    return load_dashboards(REPOSITORY / "dashboards")


def lake_of_dashboards(folder: Path) -> Settings:
    """A lake of the synthetic retailer with dirt in its files and estimates, with forecasts and runs that are made up."""
    settings = settings_in(folder, "erp_br")
    write_twin(settings.landing, size=Size(stores=5, skus=24, months=3, promotions=10))
    night(settings)
    run = Run.begin(settings)
    promotions.run(run)
    last = max(row["sold_on"] for row in read(settings, "gold.daily_sales"))
    categories = sorted({row["category"] for row in read(settings, "silver.products") if row["valid_to"] is None})
    put(run, "gold.demand_forecast", [*_demand(categories, last - timedelta(days=7), 1), *_demand(categories, last, 2)])
    put(run, "gold.promotion_forecast", _planned(categories[0], last))
    put(run, "gold.forecast_accuracy", _accuracy(categories, last))
    for number, outcome in enumerate(("succeeded", "failed", "succeeded")):
        _enter(run, number, last, outcome)
    return settings


def put(run: Run, name: str, rows: list[dict[str, Any]]) -> None:
    """Commit rows to one of the package's tables, as a step would."""
    lake, contract = Lake(run.settings), table_contract(name)
    with open_engine(run.settings) as engine:
        with engine.arrow_view("rows_to_put", pa.Table.from_pylist(rows)):
            staged = stage(lake, engine, contract, "select * from rows_to_put", run.run_id)
        lake.commit(name, staged.paths, [], Provenance(run.run_id, "test", "code", contract.fingerprint))


def _demand(categories: list[str], made_on: date, factor: int) -> list[dict[str, Any]]:
    rows = []
    for number, category in enumerate(categories):
        for sku, units, below, above in ((f"S{number}", 10, 3, 6), (f"others of {category}", 20, 4, 8)):
            for horizon in range(1, 15):
                told = {"low": factor * (units - below), "median": factor * units, "high": factor * (units + above)}
                rows.append(
                    {
                        "source": "erp_br",
                        "made_on": made_on,
                        "sku": sku,
                        "channel": "loja",
                        "sold_on": made_on + timedelta(days=horizon),
                        "horizon_days": horizon,
                        "category": category,
                        "uplift_units": Decimal(0),
                        "cannibalised_units": Decimal(0),
                        "pulled_forward_units": Decimal(0),
                        "promotions": 0,
                        "units": Decimal(factor * units),
                        "baseline_units": Decimal(factor * units),
                    }
                    | {f"{name}_{end}": Decimal(value) for name in ("units", "baseline") for end, value in told.items()}
                )
    return rows


def _planned(category: str, made_on: date) -> list[dict[str, Any]]:
    return [
        {
            "source": "erp_br",
            "promotion_id": "NEXT",
            "sku": sku,
            "channel": channel,
            "sold_on": made_on + timedelta(days=day),
            "made_on": made_on,
            "name": "Ofertas",
            "starts_on": made_on + timedelta(days=1),
            "ends_on": made_on + timedelta(days=3),
            "category": category,
            "mechanic": "percentual",
            "region": None,
            "display": False,
            "discount_share": Decimal("0.2"),
            "baseline_units": Decimal(2),
            "uplift_units": Decimal(1),
            "units": Decimal(3),
            "units_low": Decimal(1),
            "units_median": Decimal(3),
            "units_high": Decimal(5),
            "cannibalised_units": Decimal("0.25"),
            "halo_units": Decimal("0.125"),
            "pulled_forward_units": Decimal("0.5"),
            "net_units": Decimal("0.375"),
            "list_price": Decimal(10),
            "price": Decimal(8),
            "revenue": Decimal(24),
            "baseline_revenue": Decimal(20),
            "margin": Decimal(9),
            "baseline_margin": Decimal(10),
            "cannibalised_margin": Decimal("0.5"),
            "halo_margin": Decimal("0.25"),
            "pulled_forward_margin": Decimal("1.5"),
            "net_margin_before_investment": Decimal("-2.75"),
            "currency": "BRL",
        }
        for sku in ("A", "B")
        for channel in ("loja", "online")
        for day in (1, 2, 3)
    ]


def _accuracy(categories: list[str], last: date) -> list[dict[str, Any]]:
    return [
        {
            "source": "erp_br",
            "category": category,
            "made_on": last - timedelta(days=21),
            "age_weeks": age,
            "series": 2,
            "days": 7,
            "units": Decimal(100 * number),
            "forecast_units": Decimal(100 * number + 10 * age),
            "error_units": Decimal(20 * age * number),
            "wape": 0.2 * age if number else None,
            "bias": 0.1 * age / number if number else None,
            "coverage": 0.5,
        }
        for number, category in enumerate(categories)
        for age in (1, 2, 3)
    ]


def _enter(run: Run, number: int, last: date, outcome: str) -> None:
    day = last + timedelta(days=number)
    began = datetime(day.year, day.month, day.day, 5, tzinfo=UTC)
    run_id = f"{day:%Y%m%d}T050000-{number:06d}"
    seconds = sum(seconds for _, seconds in STEPS)
    steps = [
        StepRun(run_id, step, f"{step}.ipynb", "new files", began, seconds, outcome if step == "ml/forecast" else "succeeded", 10, 5)
        for step, seconds in STEPS
    ]
    enter(run, PipelineRun(run_id, day, began, began + timedelta(seconds=seconds), seconds, outcome, "{}", len(steps), 4, number), steps)
