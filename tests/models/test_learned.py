"""A forecaster on its way into a file and out of it: the same numbers, and nothing that is not known."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.dummy import DummyRegressor
from tests.forecasting.retail import forecaster, shop, split

from sales_tech.errors import ModelError
from sales_tech.forecasting import PromotionForecaster
from sales_tech.models.learned import read_learned, write_learned
from sales_tech.models.state import restored, stored


@pytest.fixture(scope="module")
def fitted() -> tuple[PromotionForecaster, pd.DataFrame]:
    past, future = split(shop(skus=6, days=120))
    return forecaster(most_rows=1_500, trees=8).fit(past.astype({"family": "category"})), future


def test_a_forecaster_that_was_stored_tells_the_same_numbers_to_the_last_digit(fitted: tuple, tmp_path: Path) -> None:
    model, future = fitted
    before = model.predict(future)
    write_learned(model, tmp_path / "forecaster.skops")
    after = read_learned(tmp_path / "forecaster.skops").predict(future)
    pd.testing.assert_frame_equal(after, before, check_exact=True)
    pd.testing.assert_frame_equal(model.predict(future), before, check_exact=True)  # storing changes nothing


def test_the_file_holds_no_pickle(fitted: tuple, tmp_path: Path) -> None:
    write_learned(fitted[0], tmp_path / "forecaster.skops")
    with zipfile.ZipFile(tmp_path / "forecaster.skops") as file:
        names = file.namelist()
        assert {name.rpartition(".")[2] for name in names} <= {"json", "npy", "bin"}
        for name in names:
            if name.endswith(".npy"):
                with file.open(name) as array:
                    np.load(array, allow_pickle=False)


def test_frames_moments_and_odd_keys_come_back_as_they_were() -> None:
    frame = pd.DataFrame(
        {
            "text": pd.Series(["a", None, "ç"], dtype="str"),
            "thing": pd.Series(["x", None, "y"], dtype=object),
            "kind": pd.Categorical(["b", "a", None], categories=["b", "a"]),
            "count": [1, 2, 3],
            "share": [0.1, float("nan"), 3.0],
            "yes": [True, False, True],
            "day": pd.Series(pd.to_datetime(["2026-01-01", None, "2026-01-03"])).astype("datetime64[s]"),
        },
        index=[4, 2, 7],
    )
    pd.testing.assert_frame_equal(restored(stored(frame)), frame, check_exact=True)
    moment, span = pd.Timestamp("2026-03-01").as_unit("s"), pd.Timedelta(days=7)
    value = {"when": moment, "long": [span, (1, "two")], "by number": {1: "one", (2, 3): None}}
    back = restored(stored(value))
    assert back == value
    assert back["when"].unit == "s"
    assert restored(stored(pd.DataFrame({"text": pd.Series([], dtype="str")}))).empty


@pytest.mark.parametrize(
    "value", [object(), {"deep": [pd.Series([1])]}, pd.DataFrame({"a": [object()]}), pd.DataFrame({"a": ["x", 0, False]}), Path("x")]
)
def test_what_no_model_holds_is_not_stored(value: object) -> None:
    with pytest.raises(TypeError, match=r"model.* is a|model\.a has a (object|int)"):
        stored(value)


def test_an_attribute_of_an_unknown_kind_is_found_when_the_model_is_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"sklearn\.dummy\.DummyRegressor"):
        write_learned(DummyRegressor(), tmp_path / "forecaster.skops")
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_an_unknown_class_is_refused_before_anything_of_it_is_made(tmp_path: Path) -> None:
    path = tmp_path / "forecaster.skops"
    skops.io.dump({"model": DummyRegressor()}, path)
    with pytest.raises(
        ModelError, match=r"holds sklearn\.dummy\.DummyRegressor, which no model of this program does; nothing of it was loaded"
    ):
        read_learned(path)


def test_a_file_that_names_a_function_of_the_system_is_refused(fitted: tuple, tmp_path: Path) -> None:
    path, evil = tmp_path / "forecaster.skops", tmp_path / "evil.skops"
    write_learned(fitted[0], path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(evil, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "schema.json":
                text = text.replace(b'"sklearn.utils.validation"', b'"posix"').replace(b'"check_array"', b'"system"')
                assert json.loads(text)
            new.writestr(name, text)
    with pytest.raises(ModelError, match=r"posix\.system"):
        read_learned(evil)


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"PK\x03\x04 and no more"])
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "forecaster.skops").write_bytes(content)
    with pytest.raises(ModelError, match="is no file of skops"):
        read_learned(tmp_path / "forecaster.skops")
