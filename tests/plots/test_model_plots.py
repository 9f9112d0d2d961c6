"""The pictures of a model: what is drawn is what its card says."""

from __future__ import annotations

import pandas as pd
import pytest

from sales_tech import plots


def test_calibration_draws_each_tenth_and_the_line_on_which_both_are_the_same() -> None:
    figure = plots.calibration(pd.DataFrame({"forecast": [0.2, 1.0, 9.0], "actual": [0.1, 1.2, 8.0]}))
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines["tenths"].get_xdata()) == [0.2, 1.0, 9.0]
    assert list(lines["tenths"].get_ydata()) == [0.1, 1.2, 8.0]
    assert list(lines["as forecast"].get_xdata()) == list(lines["as forecast"].get_ydata())
    figure.draw_without_rendering()


def test_the_feature_that_matters_most_is_on_top_and_those_that_do_not_matter_are_shown_as_such() -> None:
    frame = pd.DataFrame({"feature": ["level", "weekday", "gap"], "wape_lost": [0.3, 0.02, -0.001]})
    figure = plots.feature_importance(frame)
    (bars,) = figure.axes[0].containers
    assert [bar.get_width() for bar in bars] == pytest.approx([-0.1, 2.0, 30.0])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["gap", "weekday", "level"]
    assert [text.get_text().strip() for text in figure.axes[0].texts] == ["−0.1", "+2.0", "+30.0"]


@pytest.mark.parametrize("language", ["en", "pt"])
def test_without_a_trial_a_note_says_so(language: str) -> None:
    for draw, columns in ((plots.calibration, ["forecast", "actual"]), (plots.feature_importance, ["feature", "wape_lost"])):
        figure = draw(pd.DataFrame(columns=columns), language=language)
        assert not figure.axes
        assert any("model" in text.get_text() or "modelo" in text.get_text() for text in figure.texts)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="actual"):
        plots.calibration(pd.DataFrame({"forecast": [1.0]}))
