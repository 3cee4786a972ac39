"""`.xlsx` by openpyxl: the first sheet that has numbers, as the table of text that it would be. Runs in the child."""

from __future__ import annotations

import csv
import itertools
import tempfile
import zipfile
from collections.abc import Collection, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from lsr_core.errors import InputError
from lsr_core.intake import text
from lsr_core.intake.arrays import ArrayInfo
from lsr_core.intake.textnumbers import is_number

MAX_UNPACKED = 100 * 2**20
MAX_CELLS = 2_000_000
OTHER = "is another sheet; the first with numbers is read"


def listing(path: Path) -> list[ArrayInfo]:
    """One array for each column of the sheet. Raises InputError as `tables.listing`."""
    with tempfile.TemporaryDirectory(prefix="lsr-sheet-") as scratch:
        table, others = _as_text(path, Path(scratch))
        return [*text.listing(table), *(ArrayInfo(f"sheet {name}", (), "sheet", 0, OTHER) for name in others)]


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The columns asked for; an empty cell is NaN. Raises InputError as `tables.read`."""
    with tempfile.TemporaryDirectory(prefix="lsr-sheet-") as scratch:
        return text.read(_as_text(path, Path(scratch))[0], names)


def _as_text(path: Path, scratch: Path) -> tuple[Path, list[str]]:
    """The sheet that is read, and the names of others that have cells."""
    from openpyxl import load_workbook

    _check_size(path)
    book = load_workbook(
        path, read_only=True, data_only=True, keep_links=False
    )  # values of formulas as they were saved
    rows, others = _chosen(book.worksheets, path.name)
    width = max(len(row) for row in rows)
    target = scratch / path.name
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerows([*row, *[""] * (width - len(row))] for row in rows)
    return target, others


def _chosen(sheets: list[Any], file: str) -> tuple[list[list[str]], list[str]]:
    """The rows of the first sheet with numbers, or else with cells, and the names of others that have cells."""
    filled = [sheet for sheet in sheets if any(cell is not None for row in _cells(sheet, file) for cell in row)]
    if not filled:
        raise InputError("has no sheet with cells", file=file)
    for sheet in (*filled, filled[0]):
        rows = _rows(sheet, file)
        if any(map(is_number, itertools.chain(*rows))):
            break
    return rows, [other.title for other in filled if other is not sheet]


def _rows(sheet: Any, file: str) -> list[list[str]]:
    """The rows that have cells, as text, without the empty cells at their end."""
    found = []
    for row in _cells(sheet, file):
        fields = [_field(cell) for cell in row]
        while fields and not fields[-1]:
            fields.pop()
        if fields:
            found.append(fields)
    return found


def _cells(sheet: Any, file: str) -> Iterator[tuple[Any, ...]]:
    """Row by row, of a sheet of bounded size."""
    cells = 0
    for row in sheet.iter_rows(values_only=True):
        cells += max(1, len(row))
        if cells > MAX_CELLS:
            raise InputError(f"has more than {MAX_CELLS:,} cells; save the table as .csv", file=file)
        yield row


def _check_size(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        raise InputError(
            "is no sheet of Excel 2007 or later; open it there and save it as .xlsx, or as .csv", file=path.name
        )
    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > MAX_UNPACKED:
        raise InputError(
            f"unpacks to {size:,} bytes; at most {MAX_UNPACKED:,} are read, save the table as .csv", file=path.name
        )


def _field(cell: Any) -> str:
    if isinstance(cell, datetime | date):
        return cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell.isoformat()
    return (
        "" if cell is None else " ".join(repr(cell).split()) if isinstance(cell, float) else " ".join(str(cell).split())
    )
