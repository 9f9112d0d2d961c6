"""A fitted estimator in a form that skops keeps: what pandas and dictionaries hold becomes arrays and text, and back.

Nothing is pickled. Objects of this package are taken apart by their attributes, those of scikit-learn by skops, and any
other object is refused when it is stored, so that no model can be written that could not be read.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

_PLAIN = (str, bool, int, float, type(None), np.ndarray, np.generic)
_OURS, _LEARN = "sales_tech.", "sklearn."


class StoredFrame:
    """A DataFrame: names of columns, their kinds, numbers as arrays and texts as JSON; `index` numbers the rows."""

    def __init__(self, frame: pd.DataFrame, where: str) -> None:
        self.columns = [str(column) for column in frame.columns]
        self.index = frame.index.to_numpy(dtype=np.int64)
        self.kinds, self.values = [], []
        for column in frame.columns:
            kind, value = _stored_column(frame[column], f"{where}.{column}")
            self.kinds.append(kind)
            self.values.append(value)

    def restored(self) -> pd.DataFrame:
        """The frame, with the types that its columns had."""
        parts = [_restored_column(kind, value) for kind, value in zip(self.kinds, self.values, strict=True)]
        frame = pd.DataFrame(dict(enumerate(parts)))
        frame.columns = pd.Index(self.columns)
        return frame.set_axis(self.index, axis=0)


class StoredTime:
    """A pandas Timestamp or Timedelta as a whole number of its unit."""

    def __init__(self, time: pd.Timestamp | pd.Timedelta) -> None:
        self.is_moment, self.unit = isinstance(time, pd.Timestamp), time.unit
        self.value = int(time.asm8.view("int64"))

    def restored(self) -> pd.Timestamp | pd.Timedelta:
        """The moment or the span."""
        return pd.Timestamp(np.datetime64(self.value, self.unit)) if self.is_moment else pd.Timedelta(np.timedelta64(self.value, self.unit))


class StoredMapping:
    """A dictionary whose keys are not all texts."""

    def __init__(self, keys: list[Any], values: list[Any]) -> None:
        self.keys, self.values = keys, values

    def restored(self) -> dict[Any, Any]:
        """The dictionary, in its order."""
        return dict(zip(self.keys, self.values, strict=True))


Stored = StoredFrame | StoredTime | StoredMapping


def stored(value: Any, where: str = "model") -> Any:
    """The value in the form that is kept; TypeError names what cannot be, and where it is. The value itself stays as it is."""
    if isinstance(value, pd.DataFrame):
        return StoredFrame(value, where)
    if isinstance(value, pd.Timestamp | pd.Timedelta):
        return StoredTime(value)
    if isinstance(value, _PLAIN):
        return value
    if type(value) in (list, tuple):
        return type(value)(stored(one, f"{where}[{at}]") for at, one in enumerate(value))
    if type(value) is dict:
        kept = {key: stored(one, f"{where}[{key!r}]") for key, one in value.items()}
        return kept if all(isinstance(key, str) for key in kept) else StoredMapping([*kept], [*kept.values()])
    module = type(value).__module__
    if module.startswith(_LEARN):
        return value
    if module.startswith(_OURS):
        twin = copy.copy(value)
        twin.__dict__.clear()
        twin.__dict__.update({name: stored(one, f"{where}.{name}") for name, one in _learnt(value)})
        return twin
    raise TypeError(
        f"{where} is a {module}.{type(value).__qualname__}, which is never written into a model; expected numbers, texts, frames"
    )


def restored(value: Any) -> Any:
    """The value that `stored` was given; objects of this package are completed in place."""
    if isinstance(value, StoredMapping):
        value.values = [restored(one) for one in value.values]
        return value.restored()
    if isinstance(value, Stored):
        return value.restored()
    if type(value) in (list, tuple):
        return type(value)(restored(one) for one in value)
    if type(value) is dict:
        return {key: restored(one) for key, one in value.items()}
    if type(value).__module__.startswith(_OURS):
        # Also those that are frozen: nobody has seen them yet.
        value.__dict__.update({name: restored(one) for name, one in value.__dict__.items()})
    return value


def _learnt(value: Any) -> Iterator[tuple[str, Any]]:
    # What is worked out on demand is worked out again.
    for name, one in vars(value).items():
        if not isinstance(getattr(type(value), name, None), cached_property):
            yield name, one


def _stored_column(column: pd.Series, where: str) -> tuple[str, Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        _, names = _stored_column(pd.Series(column.cat.categories), where)
        return "category", [column.cat.codes.to_numpy(), names, column.cat.ordered]
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return "number", column.to_numpy()
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "mM":
        return column.dtype.str[1:], column.to_numpy().view(np.int64)
    texts = [None if missing else text for text, missing in zip(column, column.isna(), strict=True)]
    if wrong := [type(text).__qualname__ for text in texts if text is not None and not isinstance(text, str)]:
        raise TypeError(f"{where} has a {wrong[0]}, which no model holds; expected numbers or texts")
    return ("str" if isinstance(column.dtype, pd.StringDtype) else "object"), json.dumps(texts, ensure_ascii=False)


def _restored_column(kind: str, value: Any) -> Any:
    makers: dict[str, Callable[[Any], Any]] = {
        "number": lambda value: value,
        "str": lambda value: pd.array(json.loads(value), dtype="str"),
        "object": lambda value: pd.Series(json.loads(value), dtype=object),
        "category": lambda value: pd.Categorical.from_codes(value[0], json.loads(value[1]), ordered=value[2]),
    }
    maker = makers.get(kind)
    return value.view(kind) if maker is None else maker(value)
