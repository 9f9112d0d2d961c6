"""Extracts as bytes: dictionaries with codes, and numbers as scaled integers where that is exact; js/data.js reads them."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sales_tech.dashboards.page.data import COUNTED, SUM, Extract

_EPOCH = date(1970, 1, 1).toordinal()
_DECIMALS = 5  # more than money and counts have
_EXACT = 2.0**53  # whole numbers below it are exact in JavaScript
_Part = dict[str, Any]


class Packed:
    """Arrays one after the other, each at its offset."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._end = 0

    def extract(self, extract: Extract) -> _Part:
        """Put an extract in; the answer says where its columns are and how they are read."""
        return {
            "rows": extract.rows.num_rows,
            "dimensions": {name: self._codes(extract.rows.column(name)) for name in extract.by},
            "sums": {name: self._numbers(extract.rows.column(SUM + name)) for name in extract.sums},
            "counted": self._numbers(extract.rows.column(COUNTED)),
            "missing": list(extract.missing),
        }

    def text(self, header: dict[str, Any]) -> str:
        """The header's length in four bytes, the header as JSON, the arrays; compressed, in base64."""
        told = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
        return compressed(len(told).to_bytes(4, "little") + told + b"".join(self._parts))

    def _codes(self, column: pa.ChunkedArray) -> _Part:
        kind = column.type
        values = sorted(value for value in pc.unique(column).to_pylist() if value is not None)
        encoded = pc.index_in(column, value_set=pa.array(values, kind)).fill_null(len(values))
        told = [value.toordinal() - _EPOCH for value in values] if pa.types.is_date(kind) else values
        return {"values": told, **self._put(encoded.to_numpy().astype(_whole(len(values))))}

    def _numbers(self, column: pa.ChunkedArray) -> _Part:
        numbers = column.cast(pa.float64()).to_numpy()
        known = numbers[~np.isnan(numbers)]
        for decimals in range(_DECIMALS):
            scale = 10**decimals
            scaled = np.rint(known * scale)
            greatest = np.abs(scaled).max(initial=0)
            if greatest < _EXACT and np.array_equal(scaled / scale, known):
                whole = np.rint(numbers * scale)
                kind = _whole(greatest)
                if kind.kind == "i":
                    whole = np.where(np.isnan(whole), np.iinfo(kind).min, whole)  # stands for null
                return {"scale": scale, **self._put(whole.astype(kind))}
        return {"scale": 1, **self._put(numbers.astype("<f8"))}

    def _put(self, array: np.ndarray[Any, Any]) -> _Part:
        # All first bytes, then all second ones: high bytes are alike, so they compress well.
        planes = array.view(np.uint8).reshape(len(array), array.itemsize).T.tobytes()
        place = {"type": f"{array.dtype.kind}{array.itemsize}", "at": self._end}
        self._parts.append(planes)
        self._end += len(planes)
        return place


def compressed(data: bytes) -> str:
    """Bytes as gzip in base64, the same text for the same bytes."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def _whole(greatest: float) -> np.dtype[Any]:
    # Of either sign: the one number more that each has below zero stays free.
    for name in ("<i1", "<i2", "<i4"):
        if greatest <= np.iinfo(np.dtype(name)).max:
            return np.dtype(name)
    return np.dtype("<f8")
