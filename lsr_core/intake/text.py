"""`.csv`: one header line or none, one number in every field."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Collection
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from lsr_core.errors import InputError
from lsr_core.intake.arrays import MAX_ARRAYS, ArrayInfo, checked

MAX_COLUMNS = MAX_ARRAYS
MAX_LINE = 2**16
MAX_CSV_BYTES = 50 * 2**20
_DELIMITERS = ",;\t"


def listing(path: Path) -> list[ArrayInfo]:
    """One array for each column. Raises InputError as `tables.listing`."""
    names, _, _ = _layout(path)
    with path.open("rb") as stream:
        lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(2**20), b""))
    return checked([ArrayInfo(name, (lines,), "float64", 8) for name in names], path.name, path.stat().st_size)


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The columns asked for; an empty field is NaN. Raises InputError as `tables.read`."""
    columns, delimiter, header = _layout(path)
    try:
        try:
            table = _table(path, delimiter, header)
        except ValueError:  # once more with empty fields, which take a function for each field
            table = _table(path, delimiter, header, converters=_number)
    except (ValueError, UnicodeError, MemoryError, OverflowError) as error:
        what = str(error).removesuffix(".").replace("; see", ", see")[:200]
        raise InputError(
            f"every field below the header must be a number, with a point and not a comma: {what}", file=path.name
        ) from error
    if table.shape[1] != len(columns):
        raise InputError(f"its rows have {table.shape[1]} fields, the header names {len(columns)}", file=path.name)
    return {name: table[:, columns.index(name)].copy() for name in names}


def _table(path: Path, delimiter: str, header: int, **more: Any) -> np.ndarray:
    return np.loadtxt(
        path, delimiter=delimiter, skiprows=header, ndmin=2, comments=None, encoding="utf-8-sig", quotechar='"',
        dtype=np.float64, **more,
    )  # fmt: skip


def _number(field: str) -> float:
    return float(field) if field.strip() else float("nan")


def _layout(path: Path) -> tuple[list[str], str, int]:
    """Names of the columns, the delimiter, and the number of header lines."""
    file = path.name
    first, more = _first_line(path)
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        fields = next(csv.reader(io.StringIO(first), delimiter=delimiter))
    except csv.Error as error:
        raise InputError("its first line cannot be split into columns", file=file) from error
    if len(fields) > MAX_COLUMNS:
        raise InputError(f"has {len(fields):,} columns; at most {MAX_COLUMNS:,} are read", file=file)
    if all(_is_number(field) for field in fields) and not _counts(fields):
        return [f"column {place + 1}" for place in range(len(fields))], delimiter, 0
    if _counts(fields):
        if len(fields) > 2 and more:
            return [f"column {place}" for place in range(len(fields))], delimiter, 1
        raise InputError(
            f"its first line, {first.strip()[:40]}, may number the columns, as pandas does, or be a row of data; give the columns names, "
            "or write the first row as 0.0, 1.0",
            file=file,
        )
    names = [field.strip() or f"column {place + 1}" for place, field in enumerate(fields)]
    if len(set(names)) < len(names):
        doubled = next(name for name in names if names.count(name) > 1)
        raise InputError("two columns have this name; rename one", file=file, key=doubled[:80])
    if not more:
        raise InputError("has a header but no rows", file=file)
    return names, delimiter, 1


def _first_line(path: Path) -> tuple[str, bool]:
    """The first line of a text within bounds, and whether anything follows it."""
    file = path.name
    if path.stat().st_size > MAX_CSV_BYTES:
        raise InputError(f"is larger than {MAX_CSV_BYTES:,} bytes; save it as .npz or .parquet", file=file)
    with path.open("rb") as stream:
        raw = stream.read(8 * MAX_LINE)
    if b"\0" in raw:
        raise InputError("is not text; save it as UTF-8 text with a line for each row", file=file)
    lines = raw.splitlines()
    if not lines or not lines[0].removeprefix(BOM_UTF8).strip():
        raise InputError("begins with an empty line, or is empty; the first line should name the columns", file=file)
    if len(lines[0]) >= MAX_LINE:
        raise InputError(f"its first line has more than {MAX_LINE:,} characters; is it a table?", file=file)
    try:
        first, *_ = [line.decode("utf-8-sig") for line in islice(lines, 2)]
    except UnicodeError as error:
        raise InputError("is not UTF-8 text; save it again as UTF-8", file=file) from error
    return first, any(line.strip() for line in lines[1:])


def _counts(fields: list[str]) -> bool:
    """Whether the fields are 0, 1, 2, …, two or more, which is a header that pandas writes rather than a row."""
    return len(fields) > 1 and [field.strip() for field in fields] == [str(place) for place in range(len(fields))]


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
