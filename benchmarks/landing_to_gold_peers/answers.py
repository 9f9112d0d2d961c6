"""What the tables of a run say, so that no time counts of a tool that worked out something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from sales_tech.lake.store import Lake
from sales_tech.settings import Settings

QUESTIONS = {
    "sales": "count(*), sum(net_sales), sum(freight), sum(quantity), count(customer_key), min(customer_key), count(promotion_id)",
    "rejects": "count(*)",
    "daily_sales": "count(*), sum(lines), sum(units), sum(gross_sales), sum(discount), sum(net_sales), sum(cost), sum(margin), "
    "sum(promoted_units), sum(promoted_net_sales), sum(returned_units), sum(returned_gross_sales), sum(returned_net_sales)",
    "kpis_daily": "count(*), sum(orders), sum(customers), sum(cancelled_lines), sum(net_sales), sum(margin), sum(average_ticket)",
    "orders_daily": "count(*), sum(orders), sum(lines), sum(net_sales), max(orders)",
    "product_performance": "count(*), count(*) filter (where abc_class = 'A'), sum(days_sold), sum(net_sales), sum(margin_share), "
    "sum(return_share), sum(cumulative_share)",
    "stores_gold": "count(*), sum(net_sales), max(net_sales)",
    "customer_value": "count(*), sum(monetary), sum(frequency), sum(recency_days), sum(recency_score * monetary_score), "
    + ", ".join(f"count(*) filter (where segment = '{name}')" for name in ("champion", "loyal", "promising", "at_risk")),
}
_MONEY = ("sales", "cost", "margin", "discount", "freight", "monetary", "price")
_OURS = {"sales": "silver.sales", "rejects": "silver.rejects", "stores_gold": "gold.stores"}


def of_lake(folder: Path) -> dict[str, list[Any]]:
    """What a lake of the pipeline says."""
    lake = Lake(Settings(folder, folder, ()))
    return _answers({name: [file.path for file in lake.files(_OURS.get(name, f"gold.{name}"))] for name in QUESTIONS}, cents=False)


def of_folder(folder: Path, *, cents: bool) -> dict[str, list[Any]]:
    """What a peer's Parquet files say; `cents` where it keeps money as whole cents."""
    files = {}
    for name in QUESTIONS:
        single = folder / f"{name}.parquet"
        files[name] = [str(single)] if single.is_file() else [str(path) for path in sorted((folder / name).rglob("*.parquet"))]
    return _answers(files, cents=cents)


def differences(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> list[str]:
    """Where two runs disagree: counts must be equal, sums of money to the cent in a hundred million, shares to 1e-9."""
    found = []
    for name, values in one.items():
        for question, mine, theirs in zip(_split(QUESTIONS[name]), values, other[name], strict=True):
            same = (
                mine == theirs
                if isinstance(mine, str | None)
                else abs(float(mine) - float(theirs or 0)) <= 1e-9 * max(1.0, abs(float(mine)))
            )
            found += [] if same else [f"{name}: {question} is {theirs}, expected {mine}"]
    return found


def _answers(files: dict[str, list[str]], *, cents: bool) -> dict[str, list[Any]]:
    answers = {}
    for name, paths in files.items():
        relation = duckdb.sql(f"select * from read_parquet({paths}, hive_partitioning = false)")
        if cents:
            money = [column for column in relation.columns if column.endswith(_MONEY)]
            relation = relation.select(f"* replace ({', '.join(f'{column} / 100 as {column}' for column in money)})" if money else "*")
        answers[name] = list(relation.aggregate(QUESTIONS[name]).fetchall()[0])
    return answers


def _split(questions: str) -> list[str]:
    return [part if part.endswith(")") else part + ")" for part in questions.split("), ")]
