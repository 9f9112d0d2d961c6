"""The lake as analysts use it.

    from sales_tech import lake
    lake.sql("select sold_on, net_sales from gold.kpis_daily")

The parts that the pipeline uses stand in the modules of this package; importing the package alone
loads none of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def sql(text: str, *, lake: str | Path | None = None) -> pd.DataFrame:
    """The result of one select in Athena's SQL over silver and gold, as a data frame.

    `lake` is the lake's folder or s3:// address; without it the settings' one is read. Raises QueryError or LakeError.
    """
    from sales_tech.lake.query import Reader
    from sales_tech.settings import Settings

    return Reader(Settings.load(lake=lake)).sql(text)


__all__ = ["sql"]
