"""Frames as Parquet files that come back with the types they had."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame, without its index; the same frame gives the same bytes."""
    pq.write_table(pa.Table.from_pandas(frame.reset_index(drop=True), preserve_index=False), path, compression="zstd")


def read_frame(path: Path) -> pd.DataFrame:
    """The frame in a file; pandas would change texts to another type, and days to another unit."""
    table = pq.read_table(path)
    frame: pd.DataFrame = table.to_pandas()
    described = {column["name"]: column for column in (table.schema.pandas_metadata or {"columns": []})["columns"]}
    kinds = {name: "category" if one["pandas_type"] == "categorical" else one["numpy_type"] for name, one in described.items()}
    for name, kind in kinds.items():
        if name not in frame or str(frame[name].dtype) == kind:
            continue
        if kind == "object":
            texts = [None if pd.isna(text) else text for text in frame[name].tolist()]
            frame[name] = pd.Series(texts, dtype=object)
        elif kind == "category" or kind.startswith("datetime64"):
            frame[name] = frame[name].astype(kind)
    return frame
