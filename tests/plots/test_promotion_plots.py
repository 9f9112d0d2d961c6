"""The pictures of promotions: what is drawn is what the tables say, and thin evidence shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.dates import num2date
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from tests.support.estimates import day, elasticity, result

from sales_tech import plots
from sales_tech.plots.numbers import ratio, signed, units
from sales_tech.plots.palette import BLUE, PALE, ROSE

Picture = Callable[..., Figure]


def results(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame([result(f"PR{number}", **row) for number, row in enumerate(rows)])


def net(amount: float, **columns: object) -> dict[str, object]:
    """A promotion that left so much, all of it made with its own products."""
    margins = {"net_margin_low": amount - 10, "net_margin_high": amount + 10, "incremental_margin": amount}
    zeros = dict.fromkeys(("cannibalised_margin", "halo_margin", "pulled_forward_margin", "investment"), 0.0)
    return {"name": f"of {amount:.0f}", "net_margin": amount, **margins, **zeros} | columns


def days_of(*phases: tuple[str, float, float], sku: str = "A") -> pd.DataFrame:
    """Days in a row, each with its phase, units sold and baseline."""
    first = date(2026, 1, 1)
    return pd.DataFrame(
        [
            day(str(first + timedelta(days=number)), sku=sku, phase=phase, actual_units=actual, baseline_units=base)
            | {"baseline_low": base - 1, "baseline_high": base + 2}
            for number, (phase, actual, base) in enumerate(phases)
        ]
    )


def texts(figure: Figure) -> str:
    figure.draw_without_rendering()
    found = [*figure.texts, *(text for axes in figure.axes for text in [*axes.texts, *axes.get_yticklabels(), *axes.get_xticklabels()])]
    found += [axes.title for axes in figure.axes] + [axes._left_title for axes in figure.axes]  # type: ignore[attr-defined]
    return "\n".join(text.get_text().strip() for text in found)


def rectangles(figure: Figure) -> dict[str, Rectangle]:
    """The one bar of each label."""
    return {str(group.get_label()): group[0] for axes in figure.axes for group in axes.containers}


def line(figure: Figure, label: str) -> pd.Series:
    drawn = next(line for line in figure.axes[0].lines if line.get_label() == label)
    return pd.Series(drawn.get_ydata(), index=[num2date(x).date() for x in drawn.get_xdata()])


# promotion_league


def test_the_league_runs_from_the_best_promotion_to_the_worst() -> None:
    figure = plots.promotion_league(results(net(-50), net(300), net(20)))
    bars = rectangles(figure)
    assert [(name.partition(" · ")[0], bar.get_width()) for name, bar in bars.items()] == [("of 300", 300), ("of 20", 20), ("of -50", -50)]
    assert sorted(bars.values(), key=lambda bar: bar.get_y()) == list(bars.values())
    assert "+300" in texts(figure)
    assert "290 … 310" in texts(figure)
    assert "−60 … −40" in texts(figure)


def test_a_promotion_without_a_proven_effect_is_grey_whatever_its_margin() -> None:
    frame = results(net(100, successful=True), net(90, successful=False), net(-80, successful=True))
    colours = [to_hex(bar.get_facecolor()) for bar in rectangles(plots.promotion_league(frame)).values()]
    assert colours == [BLUE, PALE, ROSE]


def test_key_and_foot_say_what_grey_bars_are_only_where_there_are_any() -> None:
    frame = results(net(100, successful=True), net(90, successful=False, evidence="thin"))
    english, portuguese = (texts(plots.promotion_league(frame, language=language)).splitlines() for language in ("en", "pt"))
    assert {"grey: no effect shown", "Grey: it added no units that chance would not explain · Hatched: thin evidence"} <= set(english)
    assert {
        "cinza: sem efeito comprovado",
        "Cinza: não acrescentou unidades que o acaso não explique · Hachurado: evidência fraca",
    } <= set(portuguese)
    assert "grey" not in texts(plots.promotion_league(frame.iloc[[0]])).lower()


def test_the_key_of_a_league_of_everything_fits_on_its_sheet() -> None:
    frame = results(net(1e6), net(-1e6), net(10, successful=False, evidence="thin"))
    for language in ("en", "pt"):
        figure = plots.promotion_league(frame, language=language)
        figure.draw_without_rendering()
        assert max(text.get_window_extent().x1 for text in figure.texts) <= figure.bbox.x1


def test_thin_evidence_is_hatched_and_said() -> None:
    frame = results(net(100, evidence="thin"), net(90, evidence="fair"))
    figure = plots.promotion_league(frame)
    assert [bool(bar.get_hatch()) for bar in rectangles(figure).values()] == [True, False]
    assert "Hatched: thin evidence" in texts(figure)
    assert "Hatched" not in texts(plots.promotion_league(frame.iloc[[1]]))


def test_of_many_promotions_the_best_and_the_worst_are_shown_and_the_others_counted() -> None:
    figure = plots.promotion_league(results(*map(net, range(0, 500, 10))), most=6)
    assert [bar.get_width() for bar in rectangles(figure).values()] == [490, 480, 470, 20, 10, 0]
    assert "44 promotions in between are left out" in texts(figure)


def test_where_no_cost_is_known_the_league_by_margin_says_so_and_that_by_units_is_drawn() -> None:
    frame = results({"net_margin": float("nan")})
    assert "no cost is known" in texts(plots.promotion_league(frame))
    bars = rectangles(plots.promotion_league(frame, by="incremental_units"))
    assert [bar.get_width() for bar in bars.values()] == [10]


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="measure 'profit' is unknown; expected one of incremental_units, net_units, net_margin"):
        plots.promotion_league(results(net(1)), by="profit")


# baseline_and_actual


def test_the_lines_are_the_units_of_all_skus_of_a_day() -> None:
    frame = pd.concat([days_of(("before", 2, 3), ("during", 9, 4)), days_of(("before", 5, 1), ("during", 1, 1), sku="B")])
    figure = plots.baseline_and_actual(frame)
    assert line(figure, "actual_units").tolist() == [7, 10]
    assert line(figure, "baseline_units").tolist() == [4, 5]
    (band,) = (area for area in figure.axes[0].collections if area.get_label() == "band")
    heights = {(round(x), y) for x, y in band.get_paths()[0].vertices}
    first = (date(2026, 1, 1) - date(1970, 1, 1)).days
    assert {(first, 2), (first, 8), (first + 1, 3), (first + 1, 9)} <= heights
    assert "single days scatter more" in texts(figure)


def test_the_days_of_the_promotion_are_shaded() -> None:
    figure = plots.baseline_and_actual(days_of(("before", 2, 2), ("during", 4, 2), ("during", 4, 2), ("after", 1, 2)))
    (shade,) = figure.axes[0].patches
    assert isinstance(shade, Rectangle)
    zero = (date(2026, 1, 1) - date(1970, 1, 1)).days
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == (zero + 0.5, zero + 2.5)


def test_the_band_of_a_promotion_on_thin_evidence_is_hatched_and_the_foot_says_so() -> None:
    frame = days_of(("before", 2, 2), ("during", 4, 2))
    weak, sound = (plots.baseline_and_actual(frame, evidence=evidence, language="pt") for evidence in ("thin", "strong"))
    hatches = [bool(area.get_hatch()) for figure in (weak, sound) for area in figure.axes[0].collections if area.get_label() == "band"]
    assert hatches == [True, False]
    assert "Evidência fraca" in texts(weak)
    assert "Evidência fraca" not in texts(sound)


def test_a_day_without_a_row_breaks_the_line() -> None:
    frame = days_of(("before", 2, 2), ("before", 3, 2), ("during", 4, 2)).drop(index=1)
    assert line(plots.baseline_and_actual(frame), "actual_units").isna().tolist() == [False, True, False]


# before_during_after


def test_the_bars_are_means_per_day_in_the_order_of_time() -> None:
    frame = days_of(("after", 1, 2), ("before", 2, 3), ("before", 4, 3), ("during", 9, 6))
    figure = plots.before_during_after(frame)
    heights = {str(group.get_label()): [bar.get_height() for bar in group] for group in figure.axes[0].containers}
    assert heights == {"actual_units": [3, 9, 1], "baseline_units": [3, 6, 2]}


def test_the_naive_lift_stands_beside_the_estimated_one() -> None:
    frame = days_of(("before", 4, 4), ("during", 10, 8), ("after", 3, 4))
    # 10 against 4 is 150 % more, 10 against the baseline of 8 only 25 %.
    assert "+150% against the days before, but +25% against what would have sold" in texts(plots.before_during_after(frame))


def test_without_days_before_there_is_no_naive_lift() -> None:
    assert "against" not in texts(plots.before_during_after(days_of(("during", 10, 8), ("after", 3, 4))))


# margin_waterfall


def test_the_steps_lead_from_the_base_margin_to_the_margin_with_the_promotion() -> None:
    # 80 + 20 - 12 + 4 - 8 - 5 = 79
    figure = plots.margin_waterfall(results({}))
    bars = {name: (bar.get_y(), bar.get_height()) for name, bar in rectangles(figure).items()}
    assert bars == {
        "base_margin": (0, 80),
        "own_margin": (80, 20),
        "cannibalised": (100, -12),
        "halo": (88, 4),
        "pulled_forward": (92, -8),
        "investment": (84, -5),
        "margin_left": (0, 79),
    }
    assert "Net: −R$ 1   (−R$ 2 … R$ 0, 80 % interval)" in texts(figure)


def test_the_margins_of_several_promotions_are_added_where_costs_are_known() -> None:
    unknown = {name: float("nan") for name in result() if "margin" in name}
    figure = plots.margin_waterfall(results({}, {"investment": float("nan"), "net_margin": 4.0}, unknown))
    bars = rectangles(figure)
    assert (bars["base_margin"].get_height(), bars["investment"].get_height(), bars["margin_left"].get_height()) == (160, -5, 163)
    assert "Net: +R$ 3" in texts(figure)
    assert "interval" not in texts(figure)


def test_without_costs_there_is_no_waterfall_but_a_reason() -> None:
    unknown = {name: float("nan") for name in result() if "margin" in name}
    figure = plots.margin_waterfall(results(unknown), language="pt")
    assert rectangles(figure) == {}
    assert "nenhum custo é conhecido" in texts(figure)


# uplift_by_depth


def test_a_line_ends_where_no_discount_was_tried() -> None:
    rows = [elasticity()] + [
        elasticity(discount_share=depth, uplift=3 * depth, uplift_low=depth, uplift_high=5 * depth) for depth in (0.1, 0.3)
    ]
    figure = plots.uplift_by_depth(pd.DataFrame(rows))
    (drawn,) = (line for line in figure.axes[0].lines if line.get_label() == "uplift")
    assert list(drawn.get_xdata()) == [0.1, 0.3]
    assert list(drawn.get_ydata()) == pytest.approx([0.3, 0.9])
    assert "elasticity −2.0 (−2.5 to −1.5)  ·  thin evidence" in texts(figure)
    assert "elasticidade −2,0 (−2,5 a −1,5)  ·  evidência fraca" in texts(plots.uplift_by_depth(pd.DataFrame(rows), language="pt"))


def test_only_whole_categories_have_a_panel_the_most_promoted_first() -> None:
    rows = [
        elasticity(category=category, brand=brand, discount_share=0.2, promotions=promotions, evidence="fair")
        for category, brand, promotions in (("Áudio", "all", 3), ("Mouses", "all", 9), ("Tablets", "Acme", 50))
    ]
    figure = plots.uplift_by_depth(pd.DataFrame(rows))
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert titles == ["Mouses", "Áudio"]
    assert "thin evidence" not in texts(figure)


@pytest.mark.parametrize("panels", [1, 2, 3, 9])
def test_long_names_of_categories_keep_to_their_panel(panels: int) -> None:
    names = [f"{number} " + "Acessórios para informática e telefonia " * 3 for number in range(panels)]
    figure = plots.uplift_by_depth(pd.DataFrame([elasticity(category=name, discount_share=0.2) for name in names]))
    figure.draw_without_rendering()
    shown = [axes._left_title for axes in figure.axes if axes.get_title(loc="left")]  # type: ignore[attr-defined]
    assert len(shown) == panels
    assert all(title.get_text().endswith("…") for title in shown)
    ends = [[title.get_window_extent().x0, title.get_window_extent().x1] for title in shown[:3]]
    assert all(one[1] < other[0] for one, other in pairwise(ends))
    assert max(end for _, end in ends) <= figure.bbox.x1


def test_elasticities_without_any_depth_are_no_picture_but_a_reason() -> None:
    assert "do not tell how units follow the price" in texts(plots.uplift_by_depth(pd.DataFrame([elasticity()])))


# all of them


PICTURES: dict[str, tuple[Picture, pd.DataFrame]] = {
    "promotion_league": (plots.promotion_league, results(net(1))),
    "baseline_and_actual": (plots.baseline_and_actual, days_of(("during", 1, 1))),
    "before_during_after": (plots.before_during_after, days_of(("during", 1, 1))),
    "margin_waterfall": (plots.margin_waterfall, results({})),
    "uplift_by_depth": (plots.uplift_by_depth, pd.DataFrame([elasticity(discount_share=0.2)])),
}


@pytest.mark.parametrize("name", PICTURES)
def test_decimals_and_dates_draw_the_same_picture_as_floats_and_timestamps(name: str) -> None:
    picture, frame = PICTURES[name]
    exact = frame.copy()
    for column in frame:
        if frame[column].dtype == float:
            exact[column] = pd.Series([Decimal(str(value)) for value in frame[column]], index=frame.index, dtype=object)
    assert texts(picture(exact)) == texts(picture(frame))


@pytest.mark.parametrize("name", ["promotion_league", "margin_waterfall"])
def test_amounts_in_another_currency_are_refused(name: str) -> None:
    picture, frame = PICTURES[name]
    with pytest.raises(ValueError, match="amounts are in USD; expected BRL only"):
        picture(frame.assign(currency="USD"))


def test_units_ratios_and_signs_as_text() -> None:
    assert [units(number, "pt") for number in (0, 3.25, 9.96, 1234.5, -2.0)] == ["0", "3,2", "10", "1.234", "−2,0"]
    assert (ratio(-2.14, "en"), ratio(0.5, "pt")) == ("−2.1", "0,5")
    assert (signed("1", 1.0), signed("0", 0.0), signed("−1", -1.0)) == ("+1", "0", "−1")
