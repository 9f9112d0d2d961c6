"""The page over a handful of made-up rows: nulls, weeks, ties of names, texts that spreadsheets would run, missing tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from playwright.sync_api import Browser
from tests.support.browser import Opened, opened

from sales_tech.dashboards.page import page_of, write_page
from sales_tech.dashboards.page.data import Extract, extracts
from sales_tech.dashboards.page.encoding import Packed
from sales_tech.dashboards.questions import Chosen, question
from sales_tech.dashboards.reading import load_dashboard
from sales_tech.errors import QueryError

SPECIFICATION = """
title: {en: Tiny, pt: Mini}
about: {en: Made up., pt: Inventado.}
period: {label: {en: Months, pt: Meses}, months: 1}
filters:
  - {column: channel, label: {en: Channel, pt: Canal}}
data:
  sold:
    table: gold.daily_sales
    period: sold_on
    dimensions: {channel: {en: Channel, pt: Canal}, sku: {en: SKU, pt: SKU}}
    measures:
      sales: {label: {en: Sales, pt: Vendas}, sum: net_sales, format: money, good: up}
      margin: {label: {en: Margin, pt: Margem}, sum: margin, format: money}
      share: {label: {en: Share, pt: Parte}, ratio: {of: margin, to: cost}, format: percent, good: up}
  promotions:
    table: gold.promotion_results
    dimensions: {mechanic: {en: Mechanic, pt: Mecânica}}
    measures:
      units: {label: {en: Units, pt: Unidades}, sum: incremental_units, low: incremental_units_low, high: incremental_units_high}
sheets:
  - name: one
    title: {en: One, pt: Um}
    visuals:
      - {name: total, kind: kpi, title: &t {en: T, pt: T}, data: sold, value: sales, at: {column: 0, row: 0, width: 3, height: 2}}
      - {name: rate, kind: kpi, title: *t, data: sold, value: share, at: {column: 3, row: 0, width: 3, height: 2}}
      - {name: weeks, kind: line, title: *t, data: sold, x: sold_on, grain: week, values: [sales, share],
         at: {column: 0, row: 2, width: 6, height: 4}}
      - {name: best, kind: bar, title: *t, data: sold, category: sku, value: sales, top: 2, at: {column: 6, row: 2, width: 6, height: 4}}
      - {name: grid, kind: table, title: *t, data: sold, rows: [sku, channel], values: [sales, share],
         at: {column: 0, row: 6, width: 6, height: 4}}
      - {name: promoted, kind: bar, title: *t, data: promotions, category: mechanic, value: units,
         at: {column: 6, row: 6, width: 6, height: 4}}
"""
ROWS = [
    ("2026-01-31", "loja", "=1+1", "0.10", "0.05", "0.05"),
    ("2026-02-01", "loja", "=1+1", "0.20", None, None),
    ("2026-02-02", "online", "B", "-5.00", "0.00", "0.00"),
    ("2026-02-08", "online", "a", "1000000000.01", "1.00", "4.00"),
    ("2026-02-09", 'O\'Neil; "x"', "é", "7.00", "1.00", "0.00"),
]


class Made:
    """Answers from DuckDB alone, with the tables that a test made."""

    def __init__(self, rows: list[tuple[Any, ...]] | None = None) -> None:
        self._database = duckdb.connect()
        self._database.execute("create schema gold")
        self._database.execute(
            "create table gold.daily_sales (sold_on date, channel text, sku text, net_sales decimal(38,2), margin decimal(38,2), "
            "cost decimal(38,2), source text default 'made', currency text default 'USD')"
        )
        for row in ROWS if rows is None else rows:
            self._database.execute(
                "insert into gold.daily_sales (sold_on, channel, sku, net_sales, margin, cost) values (?, ?, ?, ?, ?, ?)", row
            )

    def add(self, rows: str, source: str = "made", currency: str | None = "USD") -> None:
        columns = "sold_on, channel, sku, net_sales, source, currency"
        self._database.execute(f"insert into gold.daily_sales ({columns}) select *, ?, ? from ({rows})", [source, currency])

    def rename(self, column: str, name: str) -> None:
        self._database.execute(f"alter table gold.daily_sales rename column {column} to {name}")

    def copied(self, table: str) -> None:
        self._database.execute(f"create table {table} as from gold.daily_sales")

    def tables(self) -> list[str]:
        return ["gold.daily_sales"]

    def arrow(self, text: str) -> pa.Table:
        table: pa.Table = self._database.sql(text).to_arrow_table()
        return table


@contextmanager
def page_over(browser: Browser, folder: Path, reader: Any, text: str = SPECIFICATION) -> Iterator[tuple[Opened, Any]]:
    (folder / "tiny.yaml").write_text(text, encoding="utf-8")
    dashboard = load_dashboard(folder / "tiny.yaml")
    with opened(browser, write_page([dashboard], reader, folder / "page.html"), locale="en-US") as one:
        yield one, dashboard


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()} for row in rows]


def test_nulls_weeks_orders_and_cents_are_those_of_sql(browser: Browser, tmp_path: Path) -> None:
    made = Made()
    with page_over(browser, tmp_path, made) as (one, dashboard):
        one.choose(values={}, months=None)
        for visual in dashboard.visuals[:5]:
            assert one.rows(visual.name) == plain(made.arrow(question(dashboard, visual, Chosen())).to_pylist())
        assert one.rows("weeks") == [
            {"sold_on": "2026-01-26", "sales": 0.3, "share": 1.0},
            {"sold_on": "2026-02-02", "sales": 999999995.01, "share": 0.25},
            {"sold_on": "2026-02-09", "sales": 7.0, "share": None},
        ]
        assert [row["sku"] for row in one.rows("best")] == ["a", "é"]
        one.choose(values={"channel": ['O\'Neil; "x"']}, months=["2026-02", "2026-02"])
        assert [(row["period"], row["sales"]) for row in one.rows("total")] == [("current", 7.0), ("before", None)]
        assert one.said == []


def test_charts_wait_for_the_library_where_the_data_are_there_before_it(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(SPECIFICATION, encoding="utf-8")
    file = write_page([load_dashboard(tmp_path / "tiny.yaml")], Made(), tmp_path / "page.html")
    late = """(() => { const decode = TextDecoder.prototype.decode, then = Promise.prototype.then; let first = true;
        Promise.prototype.then = function (told, failed) { return then.call(this, told && ((value) =>
            first && value instanceof ArrayBuffer && value.byteLength > 1e5
                ? ((first = false), new Promise((go) => setTimeout(go, 1500)).then(() => told(value))) : told(value)), failed); }; })()"""
    context = browser.new_context(offline=True)
    page, said = context.new_page(), []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.add_init_script(late)
    page.goto(file.as_uri())
    page.wait_for_function("() => window.salesTech")
    page.evaluate("() => window.salesTech.ready")
    assert page.locator("#visual-best svg").count() == 1
    assert said == []
    context.close()


def test_the_last_month_is_chosen_first_and_compared_with_that_before_it(browser: Browser, tmp_path: Path) -> None:
    with page_over(browser, tmp_path, Made([*ROWS[:2], ("2026-02-12", *ROWS[2][1:])])) as (one, _):
        assert one.chosen()["months"] == ["2026-02", "2026-02"]
        shown = one.page.inner_text("#visual-total .body")
        assert "▼" in shown
        assert "worse" in shown
        assert "−4,900%" in shown
        one.choose(months=["2026-01", "2026-02"])
        assert "data only since Jan 2026" in one.page.inner_text("#visual-total .body")


def test_a_month_that_has_only_begun_is_not_chosen_first_but_can_be(browser: Browser, tmp_path: Path) -> None:
    with page_over(browser, tmp_path, Made([*ROWS[:3]])) as (one, _):
        assert one.chosen()["months"] == ["2026-01", "2026-01"]
        one.choose(months=["2026-02", "2026-02"])
        assert [row["sales"] for row in one.rows("total")] == [-4.8, 0.1]


def test_a_mistyped_year_is_not_chosen_first_but_can_be(browser: Browser, tmp_path: Path) -> None:
    with page_over(browser, tmp_path, Made([*ROWS, ("2099-12-31", "loja", "B", "3.00", None, None)])) as (one, _):
        assert one.chosen()["months"] == ["2026-02", "2026-02"]
        one.choose(months=["2099-12", "2099-12"])
        assert next(row["sales"] for row in one.rows("total")) == 3.0


def test_bars_that_are_stacked_stand_on_each_other(browser: Browser, tmp_path: Path) -> None:
    bars = "{name: both, kind: combo, title: *t, data: sold, x: sku, grain: null, bars: [sales, margin], stacked: STACKED, line: share,"
    text = SPECIFICATION + f"      - {bars}\n         at: {{column: 0, row: 10, width: 6, height: 4}}}}\n"
    rows = [("2026-02-20", "loja", "a", "30.00", "10.00", "5.00"), ("2026-02-20", "loja", "b", "20.00", "20.00", "5.00")]
    edges = """() => [...document.querySelectorAll("#visual-both .mark-rect path")].map((bar) => {
        const { left, right, top, bottom } = bar.getBoundingClientRect(); return [left, right, top, bottom].map(Math.round); })"""
    seen = {}
    for name, stacked in (("stacked", "true"), ("beside", "false")):
        (tmp_path / name).mkdir()
        with page_over(browser, tmp_path / name, Made(rows), text.replace("STACKED", stacked)) as (one, _):
            seen[name] = sorted(one.page.evaluate(edges))
    of_a = {name: sorted(found[:2], key=lambda bar: bar[3] - bar[2]) for name, found in seen.items()}
    small, large = of_a["stacked"]
    assert abs(small[0] - large[0]) <= 1
    assert abs(small[3] - large[2]) <= 1
    small, large = of_a["beside"]
    assert small[0] >= large[1] - 1
    assert abs(small[3] - large[3]) <= 1


def test_a_heat_map_lists_its_names_by_the_alphabet_whatever_comes_first_across(browser: Browser, tmp_path: Path) -> None:
    heat = "{name: heat, kind: heatmap, title: *t, data: sold, x: channel, y: sku, value: sales,"
    text = SPECIFICATION + f"      - {heat}\n         at: {{column: 0, row: 10, width: 12, height: 5}}}}\n"
    rows = [("2026-02-20", channel, sku, "1.00", None, None) for channel, sku in [("a", "Webcams"), ("b", "\u00c1udio"), ("b", "Cabos")]]
    with page_over(browser, tmp_path, Made(rows), text) as (one, _):
        names = one.page.evaluate("""() => [...document.querySelectorAll("#visual-heat .mark-text.role-axis-label text")]
            .map((name) => [name.getBoundingClientRect().top, name.textContent])""")
        down = [name for _, name in sorted(names) if name not in ("a", "b")]
    assert down == ["\u00c1udio", "Cabos", "Webcams"]


def test_what_was_a_loss_is_compared_by_the_difference(browser: Browser, tmp_path: Path) -> None:
    rows = [("2026-01-20", "loja", "a", "-5.00", None, None), ("2026-02-20", "loja", "a", "-65.50", None, None)]
    with page_over(browser, tmp_path, Made(rows)) as (one, _):
        one.choose(months=["2026-02", "2026-02"])
        said = one.page.inner_text("#visual-total .change")
    assert "\u2212$60.50, worse" in said
    assert "%" not in said


def test_the_value_of_a_bar_has_room_beside_it_where_others_lie_below_zero(browser: Browser, tmp_path: Path) -> None:
    made = Made([])
    for sku, sales in [("Flash", "128000.00"), ("Percent", "-77700.00")]:
        made.add(f"select date '2026-02-20', 'loja', '{sku}', {sales}", currency="BRL")
    narrow = SPECIFICATION.replace("at: {column: 6, row: 2, width: 6, height: 4}", "at: {column: 6, row: 2, width: 3, height: 4}")
    ends = """() => [...document.querySelectorAll("#visual-best .mark-text.role-mark text")]
        .map((value) => [value.textContent, value.getBoundingClientRect().right])"""
    with page_over(browser, tmp_path, made, narrow) as (one, _):
        one.choose(language="pt")
        values = dict(one.page.evaluate(ends))
        edge = one.page.evaluate("""() => document.querySelector("#visual-best svg").getBoundingClientRect().right""")
    assert len(values) == 2
    assert max(values.values()) <= edge + 1, values


def test_one_or_two_things_are_counted_without_halves(browser: Browser, tmp_path: Path) -> None:
    combo = "{name: both, kind: combo, title: *t, data: sold, x: sold_on, grain: day, bars: [things], line: share,"
    stacked = "{name: heap, kind: bar, title: *t, data: sold, category: sku, value: things, color: channel, order: category,"
    text = SPECIFICATION.replace(
        "      share: {label", "      things: {label: {en: Things, pt: Coisas}, sum: net_sales, format: number}\n      share: {label", 1
    )
    text += f"      - {combo}\n         at: {{column: 0, row: 10, width: 6, height: 5}}}}\n"
    text += f"      - {stacked}\n         at: {{column: 6, row: 10, width: 6, height: 5}}}}\n"
    rows = [("2026-02-20", "loja", "a", "1.00", None, None), ("2026-02-21", "loja", "b", "1.00", None, None)]
    with page_over(browser, tmp_path, Made([*rows, ("2026-02-21", "online", "b", "1.00", None, None)]), text) as (one, _):
        for name in ("both", "heap"):
            told = one.page.eval_on_selector_all(f"#visual-{name} .role-axis-label text", "all => all.map((each) => each.textContent)")
            assert {"0", "1", "2"} <= set(told), name
            assert not [label for label in told if "." in label], name


def test_money_is_in_the_currency_of_the_source(browser: Browser, tmp_path: Path) -> None:
    with page_over(browser, tmp_path, Made()) as (one, _):
        one.choose(values={"channel": ["loja"]}, months=None)
        assert "$0.30" in one.page.inner_text("#visual-total .value")
        assert "R$" not in one.page.inner_text("#visual-total .value")


@pytest.mark.parametrize("currencies", [[None], ["USD", "BRL"], ["USD", None], ["R$"], ["Reais"]])
def test_money_of_an_unknown_currency_or_of_several_is_a_plain_number(
    browser: Browser, tmp_path: Path, currencies: list[str | None]
) -> None:
    made = Made([])
    for place, currency in enumerate(currencies):
        made.add(f"select date '2026-02-20', 'loja', 'A{place}', 1234.5", source=f"source {place}", currency=currency)
    with page_over(browser, tmp_path, made) as (one, _):
        one.choose(values={"sku": ["A0"]}, months=None)
        assert one.page.inner_text("#visual-total .value") == "1,234.50"
        assert one.page.inner_text("#visual-grid tbody td.number >> nth=0") == "1,235"
        assert "1.2K" in one.page.inner_text("#visual-best")
        one.choose(language="pt")
        assert one.page.inner_text("#visual-total .value") == "1.234,50"
        shown = one.page.inner_text("#sheet")
        assert [sign for sign in ("R$", "US$", "$") if sign in shown] == []


def test_money_of_a_source_that_has_two_currencies_is_a_plain_number(browser: Browser, tmp_path: Path) -> None:
    made = Made()
    made.add("select date '2026-02-20', 'loja', 'A', 1234.5", currency="BRL")
    with page_over(browser, tmp_path, made) as (one, _):
        one.choose(values={"sku": ["A"]}, months=None)
        assert one.page.inner_text("#visual-total .value") == "1,234.50"


def with_visual(rest: str, text: str = SPECIFICATION) -> str:
    """The specification with one visual more, `more`."""
    return text + f"      - {{name: more, title: *t, {rest},\n         at: {{column: 0, row: 10, width: 12, height: 5}}}}\n"


def labels_in(one: Opened, place: str) -> list[str]:
    found: list[str] = one.page.eval_on_selector_all(f"{place} text", "all => all.map((each) => each.textContent)")
    return found


def sales(*rows: tuple[str, str, str, str]) -> list[tuple[Any, ...]]:
    """Rows of day, channel, SKU and net sales, without a cost."""
    return [(*row, None, None) for row in rows]


def test_a_code_that_looks_like_a_date_is_shown_as_it_is(browser: Browser, tmp_path: Path) -> None:
    codes = ["2024-13", "2024-99-99", "2026-01", "2026-01-15"]
    rows = sales(*(("2026-02-20", code, code, "1.00") for code in codes))
    text = SPECIFICATION.replace("category: sku, value: sales, top: 2", "category: sku, value: sales, top: 9")
    with page_over(browser, tmp_path, Made(rows), text) as (one, _):
        assert set(codes) <= set(labels_in(one, "#visual-best"))
        assert one.page.locator("#visual-grid tbody th").all_inner_texts() == codes
        assert one.page.locator("[data-column=channel] .choice span").all_text_contents() == codes
        assert one.said == []


def test_bars_and_line_keep_their_height_where_one_lies_below_zero_and_the_other_above(browser: Browser, tmp_path: Path) -> None:
    # More came back than was sold, at a loss on both sides: both sums are negative, and their ratio is not.
    rows = [("2026-02-20", "loja", sku, "-50.00", "-20.00", "-40.00") for sku in "ab"]
    text = with_visual("kind: combo, data: sold, x: sku, grain: null, bars: [sales], line: share")
    with page_over(browser, tmp_path, Made(rows), text) as (one, _):
        height, bar, point = (
            one.page.locator(f"#visual-more {place}").first.bounding_box() or {}
            for place in ("svg", ".mark-rect path", ".mark-symbol path")
        )
        told = labels_in(one, "#visual-more")
    assert bar["height"] > 0.3 * height["height"]
    assert point["y"] < bar["y"] - 0.2 * height["height"]
    assert {"0%", "40%"} <= set(told)
    assert not [label for label in told if len(label) > 8], told


def test_months_without_a_sale_keep_their_place_between_bars(browser: Browser, tmp_path: Path) -> None:
    rows = [(day, "loja", "a", "10.00", "5.00", "5.00") for day in ("2026-01-20", "2026-02-20", "2026-06-20", "2026-07-20")]
    text = with_visual("kind: combo, data: sold, x: sold_on, grain: month, bars: [sales], line: share")
    with page_over(browser, tmp_path, Made(rows), text) as (one, _):
        one.choose(months=None)
        assert len(one.rows("more")) == 4
        bars = [box["x"] for bar in one.page.locator("#visual-more .mark-rect path").all() if (box := bar.bounding_box())]
        line = one.page.locator("#visual-more .mark-line path").get_attribute("d")
        months = [label for label in labels_in(one, "#visual-more") if label.endswith("26")]
    first, second, sixth, seventh = sorted(bars)
    assert (sixth - second) / (second - first) == pytest.approx(4, abs=0.1)
    assert seventh - sixth == pytest.approx(second - first, abs=1)
    assert len(months) == 7
    assert line is not None
    assert line.count("M") == 2


def test_no_label_of_many_bars_stands_on_another(browser: Browser, tmp_path: Path) -> None:
    rows = [(f"{2019 + month // 12}-{month % 12 + 1:02}-20", "loja", "a", "1234.00", "500.00", "600.00") for month in range(80)]
    text = with_visual("kind: combo, data: sold, x: sold_on, grain: month, bars: [sales], line: share").replace("width: 12", "width: 6")
    with page_over(browser, tmp_path, Made(rows), text) as (one, _):
        one.choose(months=None)
        boxes = [box for label in one.page.locator("#visual-more .role-axis-label text").all() if (box := label.bounding_box())]
    assert len(boxes) > 12
    apart = [
        one["x"] + one["width"] <= other["x"] or one["y"] + 12 <= other["y"]
        for number, one in enumerate(sorted(boxes, key=lambda box: (box["x"], box["y"])))
        for other in sorted(boxes, key=lambda box: (box["x"], box["y"]))[number + 1 :]
        if abs(one["y"] - other["y"]) < 12
    ]
    assert all(apart)


@pytest.mark.parametrize(("kind", "values"), [("line", "values: [sales]"), ("stacked_area", "value: sales")])
def test_no_line_and_no_area_leads_across_months_without_a_sale(browser: Browser, tmp_path: Path, kind: str, values: str) -> None:
    days = ("2026-01-20", "2026-02-20", "2026-06-20", "2026-07-20")
    rows = sales(*((day, channel, "a", "10.00") for day in days for channel in ("loja", "online")))
    text = with_visual(f"kind: {kind}, data: sold, x: sold_on, grain: month, {values}, color: channel")
    with page_over(browser, tmp_path, Made(rows), text) as (one, _):
        one.choose(months=None)
        paths = one.page.eval_on_selector_all(
            f"#visual-more .mark-{kind.removeprefix('stacked_')} path", "all => all.map((path) => path.getAttribute('d'))"
        )
        assert one.said == []
    assert len(paths) == 2
    if kind == "line":
        assert [path.count("M") for path in paths] == [2, 2]
    else:
        # In March and May the upper area is as low as the lower one: both stand at nothing.
        heights = [[float(point.split(",")[1]) for point in re.findall(r"[-.\d]+,[-.\d]+", path)] for path in paths]
        assert sorted({round(height) for part in heights for height in part[:6]}, reverse=True)[0] == round(max(map(max, heights)))
        assert all(round(part[2]) == round(part[3]) == round(max(map(max, heights))) for part in heights)


def test_days_on_which_shops_are_closed_do_not_break_a_line_and_a_day_alone_is_a_dot(browser: Browser, tmp_path: Path) -> None:
    first = date(2026, 1, 5)
    days = [first + timedelta(days=number) for number in range(90) if number % 7 < 5]
    rows = sales(*((day.isoformat(), "loja", "a", "10.00") for day in [*days, date(2026, 5, 20)]))
    text = with_visual("kind: line, data: sold, x: sold_on, grain: day, values: [sales]")
    with page_over(browser, tmp_path, Made(rows), text) as (one, _):
        one.choose(months=None)
        paths = one.page.eval_on_selector_all("#visual-more .mark-line path", "all => all.map((path) => path.getAttribute('d'))")
        assert [re.sub(r"[^ML]", "", path).count("L") for path in paths] == [len(days) - 1]
        assert one.page.locator("#visual-more .mark-symbol path").count() == 1


def test_what_was_sold_before_a_forecast_is_not_drawn_through_weeks_without_a_sale(browser: Browser, tmp_path: Path) -> None:
    rows = [(f"2026-02-{day:02}", "loja", "a", "10.00", None, None) for day in (1, 2, 3, 20, 21, 22)]
    rows += [(f"2026-02-{day:02}", "loja", "a", None, "8.00", "9.00") for day in (23, 24)]
    measure = "{label: {en: Expected, pt: Esperado}, sum: COLUMN, format: money}"
    text = SPECIFICATION.replace("    measures:\n", f"    measures:\n      top: {measure.replace('COLUMN', 'cost')}\n", 1)
    text = with_visual("kind: fan, data: sold, x: sold_on, grain: day, actual: sales, mid: margin, low: margin, high: top", text)
    with page_over(browser, tmp_path, Made(rows), text) as (one, _):
        one.choose(months=None)
        paths = one.page.eval_on_selector_all("#visual-more .mark-line path", "all => all.map((path) => path.getAttribute('d'))")
        assert one.said == []
    assert sorted(path.count("M") for path in paths) == [1, 2]


def test_equal_ratios_of_unequal_sums_are_one_place_of_a_scatter_plot(browser: Browser, tmp_path: Path) -> None:
    # 0.3 / 3 and 0.7 / 7 are no equal doubles.
    rows = [
        ("2026-02-20", "loja", sku, sales, margin, cost) for sku, sales, margin, cost in (("a", "1", "0.30", "3"), ("b", "2", "0.70", "7"))
    ]
    text = with_visual("kind: scatter, data: sold, point: sku, x: share, y: sales")
    with page_over(browser, tmp_path, Made(rows), text) as (one, _):
        places = [box["x"] for point in one.page.locator("#visual-more .mark-symbol path").all() if (box := point.bounding_box())]
    assert len(places) == 2
    assert places[0] == pytest.approx(places[1], abs=1)


def test_a_step_of_nothing_has_no_sign(browser: Browser, tmp_path: Path) -> None:
    rows = [("2026-02-20", "loja", "a", "10.00", "0.00", "0.00")]
    steps = "steps: [{value: sales}, {value: margin, subtract: true}], total: *t"
    with page_over(browser, tmp_path, Made(rows), with_visual(f"kind: waterfall, data: sold, {steps}")) as (one, _):
        told = labels_in(one, "#visual-more")
    assert "$0" in told
    assert not [label for label in told if "\u2212" in label]


def test_stores_of_a_region_that_only_the_source_knows_are_named_in_both_languages(browser: Browser, tmp_path: Path) -> None:
    text = SPECIFICATION.replace("channel: {en", "store_id: {en").replace("column: channel", "column: store_id")
    text = text.replace("sku, channel]", "sku, store_id]")
    made = Made(sales(("2026-02-20", "others (Interior)", "a", "1.00")))
    made.rename("channel", "store_id")
    with page_over(browser, tmp_path, made, text) as (one, _):
        assert "Others, Interior" in one.page.inner_text("#visual-grid tbody")
        one.choose(language="pt")
        assert "Outras, Interior" in one.page.inner_text("#visual-grid tbody")


def test_long_names_leave_room_for_figures_and_short_ones_take_none(browser: Browser, tmp_path: Path) -> None:
    text = SPECIFICATION.replace("at: {column: 0, row: 6, width: 6, height: 4}", "at: {column: 0, row: 6, width: 4, height: 4}")
    wide = "() => { const place = document.querySelector('#visual-grid .scroll'); return place.scrollWidth - place.clientWidth; }"
    for name in ("A", "N" * 120, " ".join(["palavra"] * 15)):
        (tmp_path / name[:9]).mkdir()
        with page_over(browser, tmp_path / name[:9], Made(sales(("2026-02-20", "loja", name, "1234567.00"))), text) as (one, _):
            assert one.page.evaluate(wide) == 0, name
            head = one.page.locator("#visual-grid tbody th").bounding_box()
            assert head is not None
            assert (head["width"] < 100) == (name == "A"), name


def test_lists_of_filters_stay_in_the_window_and_are_found_without_accents(browser: Browser, tmp_path: Path) -> None:
    names = ["\u00c1udio", "N" * 120, *(f"canal {number}" for number in range(20))]
    text = SPECIFICATION.replace("filters:\n", "filters:\n  - {column: sku, label: {en: SKU, pt: SKU}}\n")
    with page_over(browser, tmp_path, Made(sales(*(("2026-02-20", name, name, "1.00") for name in names))), text) as (one, _):
        one.page.set_viewport_size({"width": 640, "height": 900})
        for column in ("sku", "channel"):
            one.page.click(f"[data-column={column}] summary")
            drop = one.page.locator(f"[data-column={column}] .drop")
            one.page.wait_for_timeout(100)
            box = drop.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 640
        drop.locator("input[type=search]").fill("audio")
        assert drop.locator(".choice:visible").all_inner_texts() == ["\u00c1udio"]


def test_filters_offer_what_the_chosen_source_has(browser: Browser, tmp_path: Path) -> None:
    made = Made(sales(("2026-02-20", "loja", "a", "1.00"), ("2026-02-20", "online", "a", "1.00")))
    made.add("select date '2026-02-21', 'mercado', 'b', 1", source="other")
    text = SPECIFICATION.replace("filters:\n", "filters:\n  - {column: source, label: {en: Source, pt: Fonte}, choose: one}\n")
    text = text.replace("    dimensions: {channel:", "    dimensions: {source: {en: Source, pt: Fonte}, channel:")
    with page_over(browser, tmp_path, made, text) as (one, _):
        offered = one.page.locator("[data-column=channel] .choice span")
        assert offered.all_text_contents() == ["loja", "online"]
        one.page.select_option("#filter-source", label="other")
        one.settle()
        assert offered.all_text_contents() == ["mercado"]


def test_a_category_named_as_a_part_of_the_library_s_tooltip_is_told_as_any_other(browser: Browser, tmp_path: Path) -> None:
    rows = sales(*((f"2026-02-{day}", channel, "a", "1.00") for day in (20, 21, 22) for channel in ("image", "title", "loja")))
    text = with_visual("kind: line, data: sold, x: sold_on, grain: day, values: [sales], color: channel")
    with page_over(browser, tmp_path, Made(rows), text) as (one, _):
        one.page.locator("#visual-more .mark-rule line").nth(1).hover(force=True)
        told = one.page.locator("#vg-tooltip-element.visible td.key").all_inner_texts()
        assert [name.strip("\u200b") for name in told] == ["image", "loja", "title"]
        assert "Feb 21" in one.page.inner_text("#vg-tooltip-element h2")
        assert one.said == []


def test_the_only_source_of_a_dashboard_is_named_where_another_dashboard_has_more(browser: Browser, tmp_path: Path) -> None:
    class Both(Made):
        def tables(self) -> list[str]:
            return ["gold.daily_sales", "gold.kpis_daily"]

    made = Both(sales(("2026-02-20", "loja", "a", "1.00")))
    made.copied("gold.kpis_daily")
    made.add("select date '2026-02-21', 'loja', 'b', 1", source="other")
    text = SPECIFICATION.replace("filters:\n", "filters:\n  - {column: source, label: {en: Source, pt: Fonte}, choose: one}\n")
    text = text.replace("    dimensions: {channel:", "    dimensions: {source: {en: Source, pt: Fonte}, channel:")
    second = """
title: {en: Second, pt: Segundo}
about: {en: Made up., pt: Inventado.}
filters:
  - {column: source, label: {en: Source, pt: Fonte}, choose: one}
data:
  days:
    table: gold.kpis_daily
    dimensions: {source: {en: Source, pt: Fonte}}
    measures: {sales: {label: {en: Sales, pt: Vendas}, sum: net_sales, format: money}}
sheets:
  - name: one
    title: {en: One, pt: Um}
    visuals:
      - {name: all, kind: kpi, title: {en: T, pt: T}, data: days, value: sales, compare: false,
         at: {column: 0, row: 0, width: 3, height: 2}}
"""
    for name, content in (("first", text), ("second", second)):
        (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
    both = [load_dashboard(tmp_path / f"{name}.yaml") for name in ("first", "second")]
    with opened(browser, write_page(both, made, tmp_path / "page.html"), locale="en-US") as one:
        one.page.select_option("#filter-source", label="other")
        one.settle()
        one.choose(dashboard="second")
        assert one.page.locator("#filter-source option:checked").inner_text() == "made"


@pytest.mark.parametrize(("kind", "values"), [("line", "values: [sales]"), ("stacked_area", "value: sales")])
def test_the_pointer_is_told_twelve_series_and_how_many_more_there_are(browser: Browser, tmp_path: Path, kind: str, values: str) -> None:
    visual = f"{{name: many, kind: {kind}, title: *t, data: sold, x: sold_on, grain: day, {values}, color: sku,"
    text = SPECIFICATION + f"      - {visual}\n         at: {{column: 0, row: 10, width: 12, height: 6}}}}\n"
    for series, ending in ((12, "S11"), (15, "and 3 more")):
        (tmp_path / str(series)).mkdir()
        days = [(f"2026-02-{day}", "loja", f"S{place:02}", "1.00", "1.00", "1.00") for day in range(10, 15) for place in range(series)]
        with page_over(browser, tmp_path / str(series), Made(days), text) as (one, _):
            one.page.locator("#visual-many .mark-rule line").nth(2).hover(force=True)
            told = one.page.locator("#vg-tooltip-element.visible tr").all_inner_texts()
            assert len(told) == min(series, 12) + (series > 12)
            assert ending in told[-1]


def test_each_source_has_its_own_months_and_its_own_currency(browser: Browser, tmp_path: Path) -> None:
    made = Made()
    made.add("select date '2019-05-01', 'loja', 'C', 3", source="older", currency="BRL")
    text = SPECIFICATION.replace("filters:\n", "filters:\n  - {column: source, label: {en: Source, pt: Fonte}, choose: one}\n")
    text = text.replace("    dimensions: {channel:", "    dimensions: {source: {en: Source, pt: Fonte}, channel:")
    with page_over(browser, tmp_path, made, text) as (one, _):
        assert one.chosen()["values"] == {"source": ["made"]}
        one.page.click("#visual-best path[role=button]")
        one.settle()
        one.page.select_option("#filter-source", label="older")
        one.settle()
        assert one.chosen()["values"] == {"source": ["older"]}
        assert one.chosen()["months"] == ["2019-05", "2019-05"]
        shown = one.page.inner_text("#visual-total .body")
        assert "R$3.00" in shown
        assert "data only since May 2019" in shown


def test_what_the_data_do_not_tell_is_not_called_nothing(browser: Browser, tmp_path: Path) -> None:
    with page_over(browser, tmp_path, Made()) as (one, _):
        one.choose(values={"sku": ["é"]}, months=None)
        assert "The chosen data do not tell this value" in one.page.inner_text("#visual-rate")
        one.choose(values={"sku": ["é"]}, months=["2026-01", "2026-01"])
        assert "Nothing fits the chosen filters" in one.page.inner_text("#visual-rate")


def test_a_table_that_the_lake_lacks_is_named_where_it_would_be_shown(browser: Browser, tmp_path: Path) -> None:
    with page_over(browser, tmp_path, Made()) as (one, _):
        assert one.rows("promoted") == []
        assert "This lake has no gold.promotion_results" in one.page.inner_text("#visual-promoted")


def test_texts_that_a_spreadsheet_would_run_are_guarded_and_numbers_are_not(browser: Browser, tmp_path: Path) -> None:
    with page_over(browser, tmp_path, Made()) as (one, _):
        one.choose(values={}, months=None)
        one.page.click("#visual-grid .menu summary")
        with one.page.expect_download() as waiting:
            one.page.click("#visual-grid .menu button >> nth=1")
        lines = Path(waiting.value.path()).read_text(encoding="utf-8-sig").splitlines()
        assert lines[0] == "SKU,Channel,Sales,Share"
        assert "'=1+1,loja,0.3,1" in lines
        assert "B,online,-5," in lines
        assert 'é,"O\'Neil; ""x""",7,' in lines


def test_a_data_set_too_large_for_a_page_is_refused_and_the_old_page_stays(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(SPECIFICATION, encoding="utf-8")
    dashboard = load_dashboard(tmp_path / "tiny.yaml")
    file = tmp_path / "page.html"
    file.write_text("yesterday's", encoding="utf-8")
    many: Any = Made()
    many.add("select date '2020-01-01' + cast(i as int), 'loja', 'S' || j, 1 from range(1001) as a(i), range(50) as b(j)")
    expected = r"data set sold of dashboard tiny has 50,055 rows by channel, sku, sold_on; expected at most 50,000"
    with pytest.raises(QueryError, match=expected):
        write_page([dashboard], many, file)
    assert file.read_text(encoding="utf-8") == "yesterday's"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "tiny.yaml"]


def test_the_same_data_make_the_same_page(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(SPECIFICATION, encoding="utf-8")
    dashboard, moment = load_dashboard(tmp_path / "tiny.yaml"), datetime(2026, 3, 1, tzinfo=UTC)
    made: Any = Made()
    assert page_of([dashboard], made, moment) == page_of([dashboard], made, moment)


@pytest.mark.parametrize(("drawn_by", "days_kept"), [("none", False), ("month", False), ("week", True), ("day", True)])
def test_a_page_holds_days_only_where_a_visual_draws_days_or_weeks(tmp_path: Path, drawn_by: str, days_kept: bool) -> None:
    weeks = SPECIFICATION[SPECIFICATION.index("      - {name: weeks") : SPECIFICATION.index("      - {name: best")]
    text = SPECIFICATION.replace(weeks, "" if drawn_by == "none" else weeks.replace("grain: week", f"grain: {drawn_by}"))
    (tmp_path / "tiny.yaml").write_text(text, encoding="utf-8")
    made: Any = Made([*ROWS, ("2026-02-03", *ROWS[2][1:])])
    found = extracts(load_dashboard(tmp_path / "tiny.yaml"), made)["sold"]
    sums: dict[tuple[str, str, date], list[Decimal]] = defaultdict(list)
    for day, channel, sku, sales, _, _ in [*ROWS, ("2026-02-03", *ROWS[2][1:])]:
        on = date.fromisoformat(str(day))
        sums[str(channel), str(sku), on if days_kept else on.replace(day=1)].append(Decimal(str(sales)))
    assert (found.by, found.period) == (("channel", "sku", "sold_on"), "sold_on")
    told = [tuple(row[name] for name in (*found.by, "sum_net_sales", "counted")) for row in found.rows.to_pylist()]
    assert told == [(*key, sum(sales), len(sales)) for key, sales in sorted(sums.items())]


def test_numbers_keep_every_digit_in_as_few_bytes_as_they_need() -> None:
    columns = {
        "cents": [0.01, None, -1.27],
        "wide": [32768.0, 0.0, None],
        "thirds": [1 / 3, None, 2e12],
        "fortunes": [1000000000.01, None, 0.0],
        "least": [-1.27, 1.27, None],
        "below": [-1.28, 1.27, None],
    }
    rows = pa.table({"counted": pa.array([1, 1, 1])} | {f"sum_{name}": pa.array(values, pa.float64()) for name, values in columns.items()})
    told = Packed().extract(Extract((), None, tuple(columns), rows))["sums"]
    kept = {name: (part["type"], part["scale"]) for name, part in told.items()}
    # The least number of a byte stands for null.
    ends = {"least": ("i1", 100), "below": ("i2", 100)}
    assert kept == {"cents": ("i1", 100), "wide": ("i4", 1), "thirds": ("f8", 1), "fortunes": ("f8", 100)} | ends
