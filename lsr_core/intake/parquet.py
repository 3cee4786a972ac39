"""Parquet by pyarrow: columns of numbers. Runs in the child."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from lsr_core.errors import InputError
from lsr_core.intake.arrays import MAX_ARRAYS, ArrayInfo, checked, passed_over

MAX_COLUMNS = MAX_ARRAYS


def listing(path: Path) -> list[ArrayInfo]:
    """One array for each numeric column; others are named as passed over."""
    file = _open(path)
    rows, schema = int(file.metadata.num_rows), file.schema_arrow
    if len(schema) > MAX_COLUMNS:
        raise InputError(f"has {len(schema):,} columns; at most {MAX_COLUMNS:,} are read", file=path.name)
    if len(set(schema.names)) < len(schema.names):
        raise InputError("two columns have the same name; rename one", file=path.name)
    found = []
    for field in schema:
        kind = np.dtype(field.type.to_pandas_dtype()) if _real(field.type) else None
        if kind is None:
            found.append(passed_over(field.name, (rows,), str(field.type)))
        else:
            found.append(ArrayInfo(field.name, (rows,), kind.name, kind.itemsize))
    return checked(found, path.name, path.stat().st_size)


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The columns asked for; missing values are NaN."""
    table = _open(path).read(columns=list(names), use_threads=False)
    found = {}
    for name in names:
        column = table.column(name)
        if column.null_count:
            column = column.cast("float64")
        found[name] = np.asarray(column.to_numpy())
    return found


def _open(path: Path) -> Any:
    from pyarrow import parquet

    return parquet.ParquetFile(
        path, memory_map=False, thrift_string_size_limit=2**24, thrift_container_size_limit=2**20
    )


def _real(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind))
