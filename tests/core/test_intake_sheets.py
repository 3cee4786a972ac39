"""Sheets of Excel are read as the tables of text that they are."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from lsr_core.errors import InputError
from lsr_core.intake import sheets


def book(path: Path, *rows: list[object], first: bool = True) -> Path:
    import openpyxl

    made = openpyxl.Workbook()
    if not first:
        made.create_sheet("second")
    sheet = made.worksheets[-1]
    for row in rows:
        sheet.append(row)
    made.save(path)
    return path


def test_a_sheet_with_units_dates_words_and_gaps(tmp_path: Path) -> None:
    rows = [
        ["x", "when", "who", "u"], ["m", None, None, "K"], [0.1, datetime(2020, 1, 1), "a", 1], [1e-7, datetime(2020, 1, 2, 12), "b", None],
    ]  # fmt: skip
    path = book(tmp_path / "data.xlsx", *rows)
    infos = sheets.listing(path)
    assert [(info.name, bool(info.unusable)) for info in infos] == [
        ("x", False), ("when (days since 1970-01-01)", False), ("who", True), ("u", False),
    ]  # fmt: skip
    found = sheets.read(path, [info.name for info in infos if not info.unusable])
    np.testing.assert_array_equal(found["x"], [0.1, 1e-7])
    np.testing.assert_array_equal(found["when (days since 1970-01-01)"], [18262, 18263.5])
    np.testing.assert_array_equal(found["u"], [1, np.nan])


def test_an_empty_first_sheet_is_passed_over(tmp_path: Path) -> None:
    path = book(tmp_path / "data.xlsx", ["x", "y"], [1, 2.5], first=False)
    np.testing.assert_array_equal(sheets.read(path, ["y"])["y"], [2.5])


def test_the_first_sheet_with_numbers_is_read_and_others_are_named(tmp_path: Path) -> None:
    import openpyxl

    made = openpyxl.Workbook()
    made.active.append(["Read me"])
    for name, value in (("data", 2.5), ("more", 7)):
        sheet = made.create_sheet(name)
        sheet.append(["x"])
        sheet.append([value])
    made.save(tmp_path / "data.xlsx")
    infos = sheets.listing(tmp_path / "data.xlsx")
    assert [(info.name, info.unusable) for info in infos] == [
        ("x", ""),
        ("sheet Sheet", sheets.OTHER),
        ("sheet more", sheets.OTHER),
    ]
    np.testing.assert_array_equal(sheets.read(tmp_path / "data.xlsx", ["x"])["x"], [2.5])


def test_what_is_only_called_a_sheet(tmp_path: Path) -> None:
    (tmp_path / "data.xlsx").write_text("x,y\n1,2\n")
    with pytest.raises(InputError, match=r"no sheet of Excel 2007 or later; .* save it as \.xlsx, or as \.csv"):
        sheets.listing(tmp_path / "data.xlsx")


def test_a_book_without_cells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sheet with cells"):
        sheets.listing(book(tmp_path / "data.xlsx"))
