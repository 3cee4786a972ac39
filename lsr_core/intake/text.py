"""Tables as text: `.csv`, `.tsv`, `.txt`, `.dat`, with what `textlayout` finds in their first lines. Runs in the child."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lsr_core.errors import InputError
from lsr_core.intake.arrays import ArrayInfo, checked
from lsr_core.intake.textfile import contents
from lsr_core.intake.textlayout import COMMENTS, SPACES, Layout, layout, split


def listing(path: Path) -> list[ArrayInfo]:
    """One array for each column. Raises InputError as `tables.listing`."""
    text = contents(path)
    found = layout(text, path.name)
    below = (line.strip() for number, line in enumerate(io.StringIO(text), 1) if number > found.skip)
    rows = sum(bool(line) and not line.startswith(COMMENTS) for line in below)
    infos = [ArrayInfo(column.name, (rows,), "float64", 8, column.unusable) for column in found.columns]
    return checked(infos, path.name, path.stat().st_size)


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The columns asked for; a missing field is NaN. Raises InputError as `tables.read`."""
    text = contents(path)
    found = layout(text, path.name)
    places = {column.name: place for place, column in enumerate(found.columns)}
    wanted = [places[name] for name in names]
    try:
        plain = all(found.columns[place].plain for place in wanted) and not (found.comma and found.delimiter == ",")
        try:
            table = _quickly(text, found, wanted) if plain else _slowly(text, found, wanted)
        except ValueError:  # a field that is missing further down
            table = _slowly(text, found, wanted)
    except (ValueError, MemoryError, OverflowError) as error:
        what = str(error).removesuffix(".").replace("; see", ", see")[:200]
        raise InputError(f"every field below the header must be a number: {what}", file=path.name) from error
    return {name: table[:, place].copy() for place, name in enumerate(names)}


def _quickly(text: str, found: Layout, wanted: list[int]) -> np.ndarray:
    """By numpy, for plain numbers throughout."""
    more: dict[str, Any] = {} if found.delimiter == SPACES else {"delimiter": found.delimiter}
    width = None if len(wanted) == len(found.columns) else wanted
    if found.comma:
        if "." in text.split("\n", found.skip)[-1]:
            raise ValueError("a point in one of its fields may divide thousands")
        text = text.replace(",", ".")  # commas divide nothing there
    table = np.loadtxt(
        io.StringIO(text), skiprows=found.skip, ndmin=2, comments=list(COMMENTS), quotechar='"', dtype=np.float64, usecols=width, **more
    )  # fmt: skip
    if width is None and table.shape[1] != len(found.columns):
        raise ValueError(f"rows have {table.shape[1]} fields, the header names {len(found.columns)}")
    return table if width is not None else table[:, wanted]


def _slowly(text: str, found: Layout, wanted: list[int]) -> np.ndarray:
    """Field by field: missing values, dates, and which field is at fault."""
    rows = [[_field(fields, place, found, number) for place in wanted] for number, fields in _rows(text, found)]
    if not rows:
        raise ValueError("there are no rows")
    return np.array(rows, dtype=np.float64)


def _rows(text: str, found: Layout) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(io.StringIO(text), 1):
        if number <= found.skip or not line.strip() or line.lstrip().startswith(COMMENTS):
            continue
        fields = split(line, found.delimiter, "")
        if len(fields) != len(found.columns):
            raise ValueError(f"line {number} has {len(fields)} fields, the header names {len(found.columns)}")
        yield number, fields


def _field(fields: list[str], place: int, found: Layout, number: int) -> float:
    column = found.columns[place]
    try:
        return column.number(fields[place])
    except ValueError as error:
        raise ValueError(f"line {number}, {column.name[:40]}: {fields[place][:40]!r} is none") from error
