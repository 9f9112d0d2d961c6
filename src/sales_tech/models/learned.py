"""A fitted forecaster in a file of skops: no pickle, and no class but those that are named here."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sales_tech.errors import ModelError
from sales_tech.models.state import restored, stored

OWN = {
    f"sales_tech.{name}"
    for name in (
        "forecasting.chained.Chained",
        "forecasting.correction.Correction",
        "forecasting.ensemble.Ensemble",
        "forecasting.factors.Factors",
        "forecasting.forecaster.PromotionForecaster",
        "forecasting.intervals.ConformalIntervals",
        "forecasting.members.Boosted",
        "forecasting.members.LogLinear",
        "forecasting.members.SeasonalLevel",
        "forecasting.occasions.Answers",
        "forecasting.past.Names",
        "forecasting.past.Past",
        "forecasting.poisson.PoissonRidge",
        "forecasting.rows.Rows",
        "forecasting.statics.StaticLevels",
        "models.state.StoredFrame",
        "models.state.StoredMapping",
        "models.state.StoredTime",
        "planning.demand.KnownUplift",
        "planning.planner.PromotionPlanner",
    )
}
# What the fitted attributes of our estimators hold; skops would by itself take all estimators of scikit-learn.
LIBRARY = {
    *(f"builtins.{name}" for name in ("bool", "dict", "float", "int", "list", "slice", "str", "tuple")),
    *(f"numpy.{name}" for name in ("bool", "dtype", "float32", "float64", "int8", "int16", "int32", "int64", "ndarray", "uint8", "uint64")),
    "numpy.dtypes.Float64DType",
    "numpy.random._generator.Generator",
    "numpy.random.mtrand.RandomState",
    "sklearn._loss._loss.CyHalfPoissonLoss",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogLink",
    "sklearn._loss.loss.HalfPoissonLoss",
    "sklearn.compose._column_transformer.ColumnTransformer",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.linear_model._ridge.Ridge",
    "sklearn.preprocessing._encoders.OrdinalEncoder",
    "sklearn.preprocessing._function_transformer.FunctionTransformer",
    "sklearn.preprocessing._target_encoder.TargetEncoder",
    # The boosting passes its rows through check_array with two arguments bound.
    "functools.partial",
    "sklearn.utils.validation.check_array",
}


def write_learned(learned: object, path: Path) -> None:
    """Write a fitted estimator; TypeError names an attribute that is of a type that would not be read again."""
    import skops.io

    skops.io.dump(stored(learned), path, compression=zipfile.ZIP_DEFLATED)
    if strange := sorted(_types_in(path) - OWN - LIBRARY):
        path.unlink()
        raise TypeError(f"the model holds {', '.join(strange)}, which is not among the types that are read; add it there, or keep it out")


def read_learned(path: Path) -> Any:
    """The estimator in a file; ModelError where it holds a type that is not known, before any is made."""
    if strange := sorted(_types_in(path) - OWN - LIBRARY):
        raise ModelError(
            f"{path} holds {', '.join(strange[:3])}{f' and {len(strange) - 3} more' if len(strange) > 3 else ''}, which no model of this "
            "program does; nothing of it was loaded. Take the model from where it was registered, or train it anew"
        )
    import skops.io

    try:
        return restored(skops.io.load(path, trusted=sorted(OWN | LIBRARY)))
    except (skops.io.exceptions.UntrustedTypesFoundException, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        raise ModelError(
            f"{path} cannot be read as a model: {type(error).__name__} {error}; it was written by other versions of this program or of "
            "its libraries. Train it anew"
        ) from error


def _types_in(path: Path) -> set[str]:
    try:
        with zipfile.ZipFile(path) as file:
            schema = json.loads(file.read("schema.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ModelError(f"{path} is no file of skops ({error}); expected one that this program wrote. Train the model anew") from error
    return set(_types(schema))


def _types(node: Any) -> Iterator[str]:
    todo = [node]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            if "__class__" in one:
                yield f"{one.get('__module__')}.{one['__class__']}"
            todo += one.values()
        elif isinstance(one, list):
            todo += one
