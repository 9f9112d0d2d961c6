from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from IPython.core.pylabtools import print_figure
from matplotlib.dates import num2date
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from sales_tech import plots
from sales_tech.plots.categories import spread
from sales_tech.plots.numbers import count, in_unit, money, price, share, unit_name
from sales_tech.plots.palette import CATEGORIES
from sales_tech.plots.spans import promotion_spans

FIRST = date(2025, 3, 3)  # a Monday


def day(offset: int) -> date:
    return FIRST + timedelta(days=offset)


def daily(*amounts: int, first: date = FIRST) -> pd.DataFrame:
    days = [first + timedelta(days=offset) for offset in range(len(amounts))]
    return pd.DataFrame({"sold_on": days, "net_sales": [Decimal(amount) for amount in amounts]})


def promotions(*rows: tuple[str | None, int, int]) -> pd.DataFrame:
    return pd.DataFrame([(name, day(first), day(last)) for name, first, last in rows], columns=["name", "starts_on", "ends_on"])


def texts(figure: Figure) -> list[str]:
    figure.draw_without_rendering()
    everywhere = [
        *figure.texts,
        *(text for axes in figure.axes for text in [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]),
    ]
    return [text.get_text().strip() for text in everywhere]


def line(figure: Figure, label: str) -> pd.Series:
    drawn = next(line for line in figure.axes[0].lines if line.get_label() == label)
    return pd.Series(drawn.get_ydata(), index=[num2date(x).date() for x in drawn.get_xdata()])


def bars(figure: Figure, panel: int = 0) -> dict[str, list[tuple[float, float]]]:
    """Width and height of the bars, by the label they were drawn with."""
    return {str(group.get_label()): [(bar.get_width(), bar.get_height()) for bar in group] for group in figure.axes[panel].containers}


# sales_over_time


def test_the_bold_line_is_the_mean_of_seven_days_of_the_calendar() -> None:
    amounts = [700, 0, 140, 210, 90, 55, 12, 333, 1000]
    figure = plots.sales_over_time(daily(*amounts))
    expected = {day(last): sum(amounts[last - 6 : last + 1]) / 7 for last in range(6, 9)}
    assert line(figure, "mean_of_7_days").dropna().to_dict() == pytest.approx(expected)


def test_a_day_without_a_row_is_a_day_without_sales() -> None:
    with_gap = daily(*[70] * 9).drop(index=[3, 4])
    figure = plots.sales_over_time(with_gap)
    assert line(figure, "daily").tolist() == [70, 70, 70, 0, 0, 70, 70, 70, 70]
    assert line(figure, "mean_of_7_days").iloc[-1] == pytest.approx(50)


def test_the_order_of_rows_does_not_matter_and_rows_of_a_day_are_added() -> None:
    frame = pd.concat([daily(1, 2, 3), daily(10, 20, 30)]).sample(frac=1, random_state=1)
    assert line(plots.sales_over_time(frame), "daily").tolist() == [11, 22, 33]


def test_a_single_day_is_drawn_as_a_point() -> None:
    figure = plots.sales_over_time(daily(500))
    assert line(figure, "daily").to_dict() == {FIRST: 500}
    assert next(line for line in figure.axes[0].lines if line.get_label() == "daily").get_marker() == "o"


def test_the_best_day_is_named() -> None:
    assert "4 Mar 2025: R$ 1,5 mi" in texts(plots.sales_over_time(daily(20, 1_500_000, 30)))
    assert "4 mar 2025: $1.5M" in texts(plots.sales_over_time(daily(20, 1_500_000, 30), language="pt", currency="USD"))


def test_rows_of_a_promotion_become_one_span_and_its_return_another() -> None:
    frame = promotions(("Natal", 0, 2), ("Natal", 0, 2), ("Natal", 3, 4), ("Natal", 30, 31), (None, 1, 1))
    spans = [(span.name, span.first.date(), span.last.date(), span.rows) for span in promotion_spans(frame, "promotion")]
    assert spans == [("Natal", day(0), day(4), 3), ("promotion", day(1), day(1), 1), ("Natal", day(30), day(31), 1)]


def test_promotions_are_shaded_from_their_first_to_their_last_day_and_only_where_sales_are() -> None:
    figure = plots.sales_over_time(daily(*[1] * 20), promotions(("Natal", 2, 4), ("Outlet", 15, 40), ("Next year", 300, 301)))
    shaded = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in figure.axes[0].patches]
    zero = (FIRST - date(1970, 1, 1)).days
    assert shaded == [(zero + 1.5, zero + 4.5), (zero + 14.5, zero + 19.5)]
    assert {"Natal", "Outlet"} <= set(texts(figure))
    assert "Next year" not in texts(figure)


def test_an_always_on_promotion_is_told_in_a_note_instead_of_shaded() -> None:
    figure = plots.sales_over_time(daily(*[1] * 20), promotions(("Frete grátis", -100, 100)))
    assert not figure.axes[0].patches
    assert "Not shaded, as longer than 60 days: Frete grátis" in texts(figure)


def test_names_of_promotions_never_cover_each_other() -> None:
    crowd = promotions(*[(f"Promotion number {number}", 6 * number, 6 * number + 4) for number in range(20)])
    figure = plots.sales_over_time(daily(*[5] * 120), crowd)
    figure.draw_without_rendering()
    drawn = [text for text in figure.axes[0].texts if text.get_text().startswith("Promotion") and not isinstance(text, Annotation)]
    boxes = [text.get_window_extent() for text in drawn]
    assert 3 <= len(boxes) < 20
    assert not [1 for number, box in enumerate(boxes) for other in boxes[:number] if box.overlaps(other)]
    assert min(box.y0 for box in boxes) > figure.axes[0].get_window_extent().y1


# category_mix


def mix(*rows: tuple[date, str | None, int]) -> pd.DataFrame:
    return pd.DataFrame(
        [(month, category, Decimal(amount)) for month, category, amount in rows], columns=["month", "category", "net_sales"]
    )


def test_the_bars_of_a_month_are_shares_of_its_sales() -> None:
    january, february = date(2025, 1, 1), date(2025, 2, 1)
    figure = plots.category_mix(mix((january, "Mouses", 75), (january, None, 25), (february, "Mouses", 10), (february, None, 30)))
    heights = {name: [height for _, height in drawn] for name, drawn in bars(figure).items()}
    assert heights == {"Mouses": pytest.approx([0.75, 0.25]), "no category": pytest.approx([0.25, 0.75])}


def test_a_ninth_category_and_what_follows_are_shown_as_others() -> None:
    rows = [(date(2025, 1, 1), f"c{number}", 100 - number) for number in range(11)]
    figure = plots.category_mix(mix(*rows), language="pt")
    drawn = bars(figure)
    assert list(drawn) == [*[f"c{number}" for number in range(len(CATEGORIES))], "outras (3)"]
    assert drawn["outras (3)"][0][1] == pytest.approx((92 + 91 + 90) / sum(range(90, 101)))


def test_a_month_without_sales_stays_blank_between_its_neighbours() -> None:
    figure = plots.category_mix(mix((date(2025, 1, 1), "A", 5), (date(2025, 3, 31), "A", 5)))
    assert [height for _, height in bars(figure)["A"]] == [1, 0, 1]


def test_a_month_with_next_to_no_sales_is_left_out_and_a_note_says_so() -> None:
    figure = plots.category_mix(mix((date(2025, 1, 1), "A", 500), (date(2025, 2, 1), "A", 4)))
    assert len(bars(figure)["A"]) == 1
    assert "Months with next to no sales are left out" in texts(figure)


def test_a_category_with_more_returns_than_sales_has_no_negative_share() -> None:
    figure = plots.category_mix(mix((date(2025, 1, 1), "A", 5), (date(2025, 1, 1), "B", -5)))
    assert bars(figure) == {"A": [(0.86, 1.0)]}


def test_no_category_at_all_is_said_in_words() -> None:
    assert "No product sold here has a category" in texts(plots.category_mix(mix((FIRST, None, 5))))


def test_labels_are_moved_apart_but_stay_inside() -> None:
    assert spread([0.1, 0.5, 0.9], 0.1) == pytest.approx([0.1, 0.5, 0.9])
    assert spread([0.97, 0.98, 0.99], 0.1) == pytest.approx([0.75, 0.85, 0.95])


# weekday_by_month


def test_a_cell_is_the_mean_of_that_weekday_in_that_month() -> None:
    frame = daily(*range(0, 40 * 1000, 1000))  # 3 March to 11 April
    figure = plots.weekday_by_month(frame)
    cells = figure.axes[0].collections[0].get_array()
    grouped = {
        (weekday, month): [
            float(amount) for when, amount in frame.itertuples(index=False) if (when.weekday(), when.month) == (weekday, month)
        ]
        for weekday in range(7)
        for month in (3, 4)
    }
    assert cells.shape == (7, 2)
    for (weekday, month), amounts in grouped.items():
        assert cells[weekday, month - 3] == pytest.approx(sum(amounts) / len(amounts))


def test_cells_without_a_day_stay_empty_and_the_others_are_annotated_in_one_unit() -> None:
    figure = plots.weekday_by_month(daily(12_000, 250_000), language="pt")
    assert figure.axes[0].collections[0].get_array().mask.sum() == 5
    assert {"12", "250", "Valores em R$ mil", "seg", "dom"} <= set(texts(figure))


def test_figures_that_would_not_fit_are_left_out() -> None:
    assert len(plots.weekday_by_month(daily(*[5] * 365 * 6)).axes[0].texts) == 0


# rejects_by_reason, fates_by_kind


def test_a_row_with_two_reasons_counts_for_each() -> None:
    figure = plots.rejects_by_reason(pd.DataFrame({"reasons": ["price: negative; sku: missing", "sku: missing", "sku: missing"]}))
    assert [width for width, _ in next(iter(bars(figure).values()))] == [3, 1]
    assert [text for text in texts(figure) if text][2:] == ["sku: missing", "3", "price: negative", "1"]
    assert "3 rejected rows, each under all its reasons" in texts(figure)


def test_rare_reasons_are_added_up() -> None:
    figure = plots.rejects_by_reason(pd.DataFrame({"reasons": [f"reason {number}" for number in range(20)]}))
    assert next(iter(bars(figure).values()))[-1][0] == 8
    assert "other reasons (8)" in texts(figure)


def test_text_with_dollar_signs_is_shown_as_it_is() -> None:
    figure = plots.rejects_by_reason(pd.DataFrame({"reasons": ["price: $1 is not $2"]}))
    drawn = next(text for text in figure.axes[0].texts if "price" in text.get_text())
    assert not drawn.get_parse_math()


def test_shares_of_fates_add_up_and_the_numbers_stand_beside_them() -> None:
    rows = [("vendas", "accepted", 1500), ("vendas", "accepted", 1500), ("vendas", "rejected", 1000), ("lojas", "ignored", 2)]
    figure = plots.fates_by_kind(pd.DataFrame(rows, columns=["file_kind", "fate", "rows"]))
    widths = {fate: [width for width, _ in drawn] for fate, drawn in bars(figure).items()}
    assert widths == {"accepted": [0.75, 0], "superseded": [0, 0], "ignored": [0, 1], "rejected": [0.25, 0]}
    assert {"3,000", "1,000", "75%", "25%", "100%"} <= set(texts(figure))


def test_an_unknown_fate_is_refused() -> None:
    with pytest.raises(ValueError, match="fate lost is unknown; expected accepted, superseded, ignored, rejected"):
        plots.fates_by_kind(pd.DataFrame({"file_kind": ["a"], "fate": ["lost"], "rows": [1]}))


# abc_curve, customer_segments, price_history


def products() -> pd.DataFrame:
    rows = [(3, 0.96, "B"), (1, 0.5, "A"), (2, 0.8, "A"), (4, 1.0, "C")]
    return pd.DataFrame(rows, columns=["sales_rank", "cumulative_share", "abc_class"])


def test_the_curve_rises_from_nothing_by_rank_and_bands_end_with_their_class() -> None:
    figure = plots.abc_curve(products())
    curve = next(line for line in figure.axes[0].lines if line.get_label() == "cumulative_share")
    assert curve.get_xdata().tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.get_ydata().tolist() == [0, 0.5, 0.8, 0.96, 1]
    bands = {str(band.get_label()): (band.get_x(), band.get_x() + band.get_width()) for band in figure.axes[0].patches}
    assert bands == {"A": (0, 0.5), "B": (0.5, 0.75), "C": (0.75, 1)}
    assert "A: 2 SKUs (50%) make 80%" in texts(figure)


def test_segments_stand_in_the_order_of_their_worth() -> None:
    rows = [("dormant", 30, Decimal("100.00")), ("champion", 10, Decimal("300.00"))]
    figure = plots.customer_segments(pd.DataFrame(rows, columns=["segment", "customers", "monetary"]), language="pt")
    assert [width for width, _ in next(iter(bars(figure, 0).values()))] == [10, 30]
    assert [width for width, _ in next(iter(bars(figure, 1).values()))] == [300, 100]
    assert {"campeões", "adormecidos", "30  (75%)", "R$ 300  (75%)"} <= set(texts(figure))


def test_amounts_of_segments_that_took_more_back_than_they_bought_stand_on_the_sheet() -> None:
    rows = [("champion", 10, Decimal("-900.00")), ("dormant", 30, Decimal("-100.00"))]
    figure = plots.customer_segments(pd.DataFrame(rows, columns=["segment", "customers", "monetary"]))
    figure.draw_without_rendering()
    told = {text.get_text().strip(): text.get_window_extent().x1 for text in figure.axes[1].texts}
    assert set(told) == {"−R$ 900", "−R$ 100"}
    assert max(told.values()) <= figure.bbox.x1


def periods(*rows: tuple[str, date, date | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["sku", "valid_from", "valid_to", "price"])
    return frame.assign(name="Mouse", price=[None if text is None else Decimal(text) for text in frame["price"]])


def test_prices_are_steps_that_change_where_a_period_begins() -> None:
    frame = periods(("s", day(0), day(9), "10.00"), ("s", day(9), day(20), "10.00"), ("s", day(20), None, "1250.50"))
    figure = plots.price_history(frame, until=day(50))
    steps = next(line for line in figure.axes[0].lines if line.get_label() == "price")
    assert steps.get_drawstyle() == "steps-post"
    assert line(figure, "price").to_dict() == {day(0): 10, day(20): 1250.5, day(50): 1250.5}
    assert {"R$ 10,00", "R$ 1.250,50", "s"} <= set(texts(figure))


def test_the_six_skus_with_most_changes_are_shown() -> None:
    rows = [(f"s{sku}", day(step), None, str(10 + step)) for sku in range(8) for step in range(sku + 1)]
    figure = plots.price_history(periods(*rows))
    shown = [text for text in texts(figure) if text.startswith("s")]
    assert shown == ["s7", "s6", "s5", "s4", "s3", "s2"]


def test_a_price_without_a_first_day_begins_where_the_picture_does() -> None:
    figure = plots.price_history(periods(("s", date(1900, 1, 1), day(0), "10"), ("s", day(0), None, "12")))
    assert line(figure, "price").index[0] == day(-7)


def test_the_steps_of_a_product_no_longer_listed_end_with_its_last_period() -> None:
    figure = plots.price_history(periods(("s", day(0), day(5), "10"), ("s", day(5), day(9), "12")), until=day(30))
    assert line(figure, "price").index[-1] == day(9)


# all of them

NO_TRIAL = "No model was tried in this run"
PICTURES = {
    "sales_over_time": (plots.sales_over_time, ["sold_on", "net_sales"], "No sales in this period"),
    "category_mix": (plots.category_mix, ["month", "category", "net_sales"], "No sales in this period"),
    "weekday_by_month": (plots.weekday_by_month, ["sold_on", "net_sales"], "No sales in this period"),
    "rejects_by_reason": (plots.rejects_by_reason, ["reasons"], "No rejected rows"),
    "fates_by_kind": (plots.fates_by_kind, ["file_kind", "fate", "rows"], "No rows have come in yet"),
    "abc_curve": (plots.abc_curve, ["sales_rank", "cumulative_share", "abc_class"], "No sales in this period"),
    "customer_segments": (plots.customer_segments, ["segment", "customers", "monetary"], "This source names no customers"),
    "price_history": (plots.price_history, ["sku", "name", "valid_from", "valid_to", "price"], "This source gives no list prices"),
    "events_by_day": (plots.events_by_day, ["occurred_on", "event_type", "events"], "No order events have come in yet"),
    "promotion_league": (
        plots.promotion_league,
        ["promotion_id", "name", "starts_on", "successful", "evidence", "net_margin", "net_margin_low", "net_margin_high"],
        "No promotion of this source can be judged",
    ),
    "baseline_and_actual": (
        plots.baseline_and_actual,
        ["sku", "sold_on", "phase", "actual_units", "baseline_units", "baseline_low", "baseline_high"],
        "No promotion of this source can be judged",
    ),
    "before_during_after": (
        plots.before_during_after,
        ["sold_on", "phase", "actual_units", "baseline_units"],
        "No promotion of this source can be judged",
    ),
    "margin_waterfall": (
        plots.margin_waterfall,
        [
            "base_margin",
            "incremental_margin",
            "cannibalised_margin",
            "halo_margin",
            "pulled_forward_margin",
            "investment",
            "net_margin",
            "net_margin_low",
            "net_margin_high",
            "evidence",
        ],
        "No promotion of this source can be judged",
    ),
    "uplift_by_depth": (
        plots.uplift_by_depth,
        [
            "category",
            "brand",
            "evidence",
            "discount_share",
            "uplift",
            "uplift_low",
            "uplift_high",
            "elasticity",
            "elasticity_low",
            "elasticity_high",
            "promotions",
        ],
        "The sales do not tell how units follow the price",
    ),
    "demand_fan": (
        partial(plots.demand_fan, pd.DataFrame(columns=["sold_on", "units"])),
        ["sold_on", "units", "units_low", "units_high"],
        "This source has no forecast",
    ),
    "expected_uplift": (
        plots.expected_uplift,
        ["sold_on", "units", "uplift_units", "cannibalised_units", "pulled_forward_units"],
        "This source has no forecast",
    ),
    "margin_by_depth": (
        plots.margin_by_depth,
        [
            "promotion_id",
            "name",
            "discount_share",
            "planned",
            "rank",
            "units",
            "net_margin",
            "net_margin_low",
            "net_margin_high",
        ],
        "No promotion that is planned can be told",
    ),
    "calibration": (plots.calibration, ["forecast", "actual"], NO_TRIAL),
    "feature_importance": (plots.feature_importance, ["feature", "wape_lost"], NO_TRIAL),
    "accuracy_by_age": (
        plots.accuracy_by_age,
        ["age_weeks", "units", "forecast_units", "wape"],
        "No earlier forecast is a week old yet",
    ),
}


def test_every_picture_is_tried_here() -> None:
    assert set(PICTURES) == set(plots.__all__)


@pytest.mark.parametrize("name", PICTURES)
def test_an_empty_frame_gives_a_picture_that_says_so(name: str) -> None:
    draw, columns, message = PICTURES[name]
    assert message in texts(draw(pd.DataFrame(columns=columns)))


@pytest.mark.parametrize("name", PICTURES)
def test_what_says_that_there_is_nothing_to_see_is_seen_in_a_notebook(name: str) -> None:
    draw, columns, _ = PICTURES[name]
    assert print_figure(draw(pd.DataFrame(columns=columns))) is not None


@pytest.mark.parametrize("name", PICTURES)
def test_a_missing_column_is_named_with_what_was_expected_and_found(name: str) -> None:
    draw, columns, _ = PICTURES[name]
    found = ", ".join(columns[:-1]) or "none"
    with pytest.raises(ValueError, match=f"^{name}: column {columns[-1]} is missing; expected {', '.join(columns)}, found {found}$"):
        draw(pd.DataFrame(columns=columns[:-1]))


@pytest.mark.parametrize("name", PICTURES)
def test_titles_are_in_the_language_asked_for_unless_given(name: str) -> None:
    draw, columns, _ = PICTURES[name]
    empty = pd.DataFrame(columns=columns)
    english, portuguese = (texts(draw(empty, language=language)) for language in ("en", "pt"))
    assert not set(english) & set(portuguese)
    assert texts(draw(empty, title="Mine"))[0] == "Mine"
    with pytest.raises(ValueError, match="language 'fr' is unknown; expected one of en, pt"):
        draw(empty, language="fr")


def test_amounts_in_another_currency_are_refused() -> None:
    with pytest.raises(ValueError, match="sales_over_time: amounts are in USD; expected BRL only"):
        plots.sales_over_time(daily(1).assign(currency="USD"))


def test_title_and_note_survive_the_tight_crop_of_jupyter() -> None:
    figure = plots.sales_over_time(daily(*[1] * 20), promotions(("Frete grátis", -100, 100)))
    figure.draw_without_rendering()
    kept = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert all(kept.containsx(box.x0) and kept.containsy(box.y0) for box in (text.get_window_extent() for text in figure.texts))


def test_pictures_leave_nothing_behind_in_pyplot() -> None:
    settings = dict(plt.rcParams)
    plots.sales_over_time(daily(1, 2), promotions(("Natal", 0, 1)))
    assert plt.get_fignums() == []
    assert dict(plt.rcParams) == settings


@pytest.mark.parametrize(
    ("amount", "brl", "usd"),
    [
        (0, "R$ 0", "$0"),
        (950, "R$ 950", "$950"),
        (350_000, "R$ 350 mil", "$350K"),
        (999_950, "R$ 1 mi", "$1M"),
        (1_250_000, "R$ 1,25 mi", "$1.25M"),
        (-2_000_000_000, "−R$ 2 bi", "−$2B"),
    ],
)
def test_amounts_follow_the_habit_of_their_currency(amount: float, brl: str, usd: str) -> None:
    assert (money(amount, "BRL"), money(amount, "USD")) == (brl, usd)


def test_numbers_follow_the_habit_of_their_readers() -> None:
    assert (price(1299.9, "BRL"), price(1299.9, "USD"), price(5, "EUR")) == ("R$ 1.299,90", "$1,299.90", "EUR 5.00")
    assert (count(16060, "pt"), count(16060, "en")) == ("16.060", "16,060")
    assert [share(part, "pt") for part in (0, 0.0004, 0.034, 0.5, 0.993, 0.9999, 1)] == [
        "0%",
        "<0,1%",
        "3,4%",
        "50%",
        "99,3%",
        ">99,9%",
        "100%",
    ]
    assert [in_unit(amount, "BRL", 1) for amount in (0, 1234, 98_765)] == ["0", "1,2", "99"]
    assert [unit_name(currency, 1) for currency in ("BRL", "USD", "JPY")] == ["R$ mil", "$K", "JPY K"]
    assert [unit_name(currency, 0) for currency in ("BRL", "USD", "JPY")] == ["R$", "$", "JPY"]


# events_by_day


def events(*rows: tuple[int, str, int]) -> pd.DataFrame:
    return pd.DataFrame([(day(offset), kind, number) for offset, kind, number in rows], columns=["occurred_on", "event_type", "events"])


def test_events_stand_upon_each_other_by_kind_and_days_without_any_stay_empty() -> None:
    figure = plots.events_by_day(events((0, "order_placed", 5), (2, "order_placed", 3), (2, "order_cancelled", 1), (0, "order_placed", 2)))
    heights = {kind: [height for _, height in drawn] for kind, drawn in bars(figure).items()}
    assert heights == {"order_placed": [7, 0, 3], "order_cancelled": [0, 0, 1]}
    bottoms = {str(group.get_label()): [bar.get_y() for bar in group] for group in figure.axes[0].containers}
    assert bottoms["order_cancelled"] == [7, 0, 3]


def test_no_events_make_a_note() -> None:
    assert "Nenhum evento de pedido chegou ainda" in texts(plots.events_by_day(events(), language="pt"))
