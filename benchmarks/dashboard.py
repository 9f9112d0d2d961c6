"""How long the page of dashboards takes to be seen: python benchmarks/dashboard.py [ROWS] [--chromium PATH].

Makes up a data set of so many rows (50,000 by default, the most that a page may hold), writes a page with ten visuals over it, and
opens it in Chromium without a network; tells the file's size, the time from the first script to the last chart, and that of a click.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
from playwright.sync_api import sync_playwright

from sales_tech.dashboards.page import write_page
from sales_tech.dashboards.reading import load_dashboard
from sales_tech.lake.query import Reader

SPECIFICATION = """
title: {{en: Benchmark, pt: Medição}}
about: {{en: Made up., pt: Inventado.}}
period: {{label: {{en: Months, pt: Meses}}, months: 12}}
filters: [{{column: channel, label: {{en: Channel, pt: Canal}}}}]
data:
  sold:
    table: gold.daily_sales
    period: sold_on
    dimensions: {{channel: {{en: Channel, pt: Canal}}, store_id: {{en: Store, pt: Loja}}, sku: {{en: SKU, pt: SKU}}}}
    measures:
      sales: {{label: {{en: Sales, pt: Vendas}}, sum: net_sales, format: money}}
      units: {{label: {{en: Units, pt: Unidades}}, sum: units}}
      margin: {{label: {{en: Margin, pt: Margem}}, ratio: {{of: margin, to: net_sales}}, format: percent}}
sheets:
  - name: one
    title: {{en: One, pt: Um}}
    visuals:
{visuals}
"""
VISUALS = (
    "kind: kpi, value: sales",
    "kind: kpi, value: units",
    "kind: line, x: sold_on, grain: day, values: [sales]",
    "kind: stacked_area, x: sold_on, grain: month, value: sales, color: channel",
    "kind: combo, x: sold_on, grain: month, bars: [sales], line: margin",
    "kind: bar, category: store_id, value: sales",
    "kind: bar, category: sku, value: units",
    "kind: heatmap, x: channel, y: store_id, value: sales",
    "kind: scatter, point: store_id, x: sales, y: margin",
    "kind: table, rows: [sku, channel], values: [sales, units, margin]",
)
CLICK = """async () => {
  const at = performance.now();
  await window.salesTech.choose({ values: { channel: ["loja"] } });
  return performance.now() - at;
}"""


class MadeUp:
    """So many rows of days, stores, channels and products."""

    def __init__(self, rows: int) -> None:
        """Make them in DuckDB's memory."""
        self._database = duckdb.connect()
        self._database.execute("create schema gold; select setseed(0.5)")
        self._database.execute(
            f"""create table gold.daily_sales as select
                date '2025-01-01' + cast(i % 500 as int) as sold_on,
                'Store ' || (i // 500 % 20) as store_id,
                'SKU ' || (i // 10000 % 40) as sku,
                ['loja', 'online', 'app'][1 + i // 500 % 3] as channel,
                cast(random() * 5000 as decimal(38,2)) as net_sales,
                cast(random() * 1000 as decimal(38,2)) as margin,
                cast(random() * 30 as bigint) as units,
                'made' as source, 'BRL' as currency
            from range({rows}) as t(i)"""
        )

    def tables(self) -> list[str]:
        """The one table."""
        return ["gold.daily_sales"]

    def arrow(self, text: str) -> pa.Table:
        """The answer of DuckDB."""
        return self._database.sql(text).to_arrow_table()


def main() -> None:
    """Measure five times and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="?", type=int, default=50_000)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    given = parser.parse_args()
    visuals = "\n".join(
        f"      - {{name: v{place}, title: {{en: V, pt: V}}, data: sold, {text}, "
        f"at: {{column: {place % 3 * 4}, row: {place // 3 * 5}, width: 4, height: 5}}}}"
        for place, text in enumerate(VISUALS)
    )
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "benchmark.yaml").write_text(SPECIFICATION.format(visuals=visuals), encoding="utf-8")
        made: Reader = MadeUp(given.rows)  # type: ignore[assignment]
        file = write_page([load_dashboard(folder / "benchmark.yaml")], made, folder / "page.html")
        browser = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox", "--disable-gpu"])
        first, click = [], []
        for _ in range(5):
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(file.as_uri())
            page.wait_for_function("() => window.salesTech")
            page.evaluate("() => window.salesTech.ready")
            first.append(page.evaluate("performance.getEntriesByName('first view')[0].duration"))
            click.append(page.evaluate(CLICK))
            page.close()
        browser.close()
        print(f"{given.rows:,} rows, {len(VISUALS)} visuals: {file.stat().st_size / 1e6:.2f} MB")
        print(f"first view {statistics.median(first):.0f} ms (worst {max(first):.0f}), after a click {statistics.median(click):.0f} ms")


if __name__ == "__main__":
    main()
