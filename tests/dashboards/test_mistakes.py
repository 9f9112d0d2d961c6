"""Each mistake in a dashboard is an error that names file and line, what was found and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from sales_tech.dashboards.reading import load_dashboard, load_dashboards
from sales_tech.errors import ContractError

SOUND = """\
title: {en: Sales, pt: Vendas}
about: {en: Of a shop, pt: De uma loja}
period: {label: {en: Months, pt: Meses}}
filters:
  - {column: source, label: {en: Source, pt: Fonte}, choose: one}
words:
  channel: {loja: {en: Store, pt: Loja}}
data:
  sales:
    table: views.sales_by_month
    period: month
    dimensions:
      source: {en: Source, pt: Fonte}
      channel: {en: Channel, pt: Canal}
    measures:
      net_sales: {label: {en: Net sales, pt: Receita}, sum: net_sales}
      margin: {label: {en: Margin, pt: Margem}, ratio: {of: margin, to: costed_net_sales}}
  ahead:
    table: views.demand_fan
    measures:
      actual: {label: {en: Sold, pt: Vendidas}, sum: actual_units}
      units: {label: {en: Expected, pt: Esperadas}, sum: units, low: units_low, high: units_high}
      share: {label: {en: Share, pt: Parte}, ratio: {of: units, to: actual_units}}
sheets:
  - name: first
    title: {en: First, pt: Primeira}
    visuals:
      - name: total
        kind: kpi
        title: {en: Total, pt: Total}
        data: sales
        value: net_sales
        at: {column: 0, row: 0, width: 4, height: 2}
      - name: lines
        kind: line
        title: {en: Lines, pt: Linhas}
        data: sales
        x: month
        values: [net_sales]
        color: channel
        at: {column: 0, row: 2, width: 4, height: 2}
      - name: rows
        kind: table
        title: {en: Rows, pt: Linhas}
        data: sales
        rows: [channel]
        values: [net_sales]
        rules: [{value: net_sales, below: 1, tone: bad}]
        at: {column: 4, row: 0, width: 4, height: 2}
      - name: fan
        kind: fan
        title: {en: Ahead, pt: Adiante}
        data: ahead
        x: sold_on
        actual: actual
        mid: units
        low: units
        high: units
        at: {column: 8, row: 0, width: 4, height: 2}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sound_dashboard_is_read(tmp_path: Path) -> None:
    dashboard = load_dashboard(write(tmp_path, SOUND))
    assert dashboard.name == "shop"
    assert [visual.name for visual in dashboard.visuals] == ["total", "lines", "rows", "fan"]


@pytest.mark.parametrize(
    ("old", "new", "found", "expected"),
    [
        ("table: views.demand_fan", "table: gold.sales", "no table gold.sales", "one of gold.calendar,"),
        ("table: views.demand_fan", "table: silver.sales", "no table silver.sales", "one of gold.calendar,"),
        ("channel: {en: Channel", "way: {en: Channel", "no column way in views.sales_by_month", "one of source, month,"),
        ("sum: net_sales}", "sum: money}", "no column money in views.sales_by_month", "one of source, month,"),
        ("to: costed_net_sales", "to: costs", "no column costs in views.sales_by_month", "one of source, month,"),
        ("low: units_low", "low: least", "no column least in views.demand_fan", "one of source, category,"),
        ("sum: net_sales}", "sum: channel}", "channel of views.sales_by_month is string", "a column of numbers"),
        ("low: units_low", "low: category", "category of views.demand_fan is string", "a column of numbers"),
        ("sum: actual_units", "sum: sold_on", "sold_on of views.demand_fan is date", "a column of numbers"),
        ("sum: actual_units}", "sum: actual_units, ratio: {of: units, to: units}}", "a measure with both", "either sum or ratio"),
        (", sum: actual_units}", "}", "a measure with both sum and ratio, or neither", "either sum or ratio"),
        (", high: units_high", "", "an interval with one end", "low and high, or neither"),
        ("    period: month", "    period: channel", "channel is string", "a column of dates"),
        ("    period: month", "    period: day", "no column day", "one of source, month,"),
        ("      net_sales: {label", "      channel: {label", "channel is a dimension too", "another name"),
        ("  - {column: source", "  - {column: store", "a filter of store, which no data set has", "a dimension of a data set"),
        ("  channel: {loja", "  mechanic: {loja", "words for mechanic, which no data set has", "one of source, channel"),
        ("        value: net_sales", "        value: sales", "no measure sales in sales", "one of net_sales, margin"),
        ("        color: channel", "        color: store", "no dimension store in sales", "one of source, channel"),
        ("        rows: [channel]", "        rows: [net_sales]", "no dimension net_sales in sales", "one of source, channel"),
        ("        rows: [channel]", "        rows: [channel, source, channel]", "a second channel among the rows", "each name once"),
        (
            "values: [net_sales]\n        rules",
            "values: [net_sales, net_sales]\n        rules",
            "a second net_sales among the values",
            "each",
        ),
        ("        x: month", "        x: channel", "channel as the time of sales", "its period month"),
        ("        x: sold_on", "        x: category", "category of views.demand_fan is string", "a column of dates"),
        ("        x: sold_on", "        x: day", "no column day in views.demand_fan", "one of source, category,"),
        (
            "        values: [net_sales]\n        color",
            "        values: [net_sales, margin]\n        color",
            "2 measures by channel",
            "one measure",
        ),
        ("        mid: units", "        mid: share", "share, a ratio, in a fan", "a measure that is a sum"),
        (
            "        kind: kpi\n        title: {en: Total, pt: Total}\n        data: sales\n        value: net_sales",
            "        title: {en: Total, pt: Total}\n        data: sales\n        kind: waterfall\n        total: {en: All, pt: Tudo}\n"
            "        steps: [{value: net_sales}, {value: margin}]",
            "margin, a ratio, in a waterfall",
            "a measure that is a sum",
        ),
        ("rules: [{value: net_sales", "rules: [{value: margin", "a rule for margin", "one of net_sales"),
        ("below: 1, tone", "below: 1, above: 2, tone", "a rule with both bounds or none", "either below or above"),
        ("at: {column: 4, row: 0", "at: {column: 3, row: 0", "rows stands on total at row 0, column 3", "a free place"),
        ("at: {column: 8, row: 0", "at: {column: 9, row: 0", "a visual that ends at column 13", "12 columns or fewer"),
        ("      - name: rows", "      - name: lines", "a second visual lines", "each name once in a dashboard"),
        ("        data: ahead", "        data: behind", "no data set behind", "one of sales, ahead"),
        ("        kind: kpi", "        kind: pie", "pie", "'kpi', 'line'"),
        (
            "        kind: kpi",
            "        kind: kpi\n        colour: red",
            "unknown setting sheets.0.visuals.0.colour",
            "a setting named in docs/dashboards.md",
        ),
        ("title: {en: Sales, pt: Vendas}", "title: {en: Sales}", "no title.pt", "a value for pt"),
        ("title: {en: Sales", "name: shop\ntitle: {en: Sales", "unknown setting name", "no such setting, since the file's name"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, found: str, expected: str) -> None:
    assert SOUND.count(old) == 1, old
    path = write(tmp_path, SOUND.replace(old, new))
    with pytest.raises(ContractError) as caught:
        load_dashboard(path)
    error = caught.value
    assert error.path == path
    assert found in error.found
    assert expected in error.expected
    first = SOUND[: SOUND.index(old)].count("\n") + 1
    assert error.line is not None
    # The line that was changed, or that of the setting around it where something is missing.
    assert first - 2 <= error.line <= first + new.count("\n")


def test_a_date_is_no_category(tmp_path: Path) -> None:
    text = SOUND.replace("      channel: {en: Channel", "      month: {en: Month, pt: Mês}\n      channel: {en: Channel")
    path = write(tmp_path, text.replace("        rows: [channel]", "        rows: [month]"))
    with pytest.raises(ContractError, match=r"month of views.sales_by_month is date; expected a column of texts, numbers or yes and no"):
        load_dashboard(path)
    path = write(tmp_path, text.replace("  - {column: source", "  - {column: month"))
    with pytest.raises(ContractError, match=r"shop.yaml:5: month of views.sales_by_month is date"):
        load_dashboard(path)


def test_a_filter_stands_once(tmp_path: Path) -> None:
    line = "  - {column: source, label: {en: Source, pt: Fonte}, choose: one}\n"
    with pytest.raises(ContractError, match=r"shop.yaml:6: a second filter of source; expected one filter for each column"):
        load_dashboard(write(tmp_path, SOUND.replace(line, line + line)))


def test_a_period_needs_a_data_set_that_has_one(tmp_path: Path) -> None:
    text = SOUND.replace("    period: month\n", "")
    with pytest.raises(ContractError, match=r"shop.yaml:3: a period, though no data set has one"):
        load_dashboard(write(tmp_path, text))


def test_a_sheet_stands_once(tmp_path: Path) -> None:
    sheet = SOUND[SOUND.index("  - name: first") :]
    with pytest.raises(ContractError, match="a second sheet first; expected each name once"):
        load_dashboard(write(tmp_path, SOUND + sheet))


def test_all_dashboards_of_a_folder_are_read_in_the_order_of_their_names_and_what_a_foreign_disk_adds_is_none(tmp_path: Path) -> None:
    text = write(tmp_path, SOUND).read_text(encoding="utf-8")
    for name in ("b.yaml", "a.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / f"._{name}").write_bytes(b"\x00\x05\x16\x07")
    assert [dashboard.name for dashboard in load_dashboards(tmp_path)] == ["a", "b", "shop"]
