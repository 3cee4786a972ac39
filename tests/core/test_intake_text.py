"""Tables as people write them: what is understood, and what is refused, line by line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lsr_core.errors import InputError
from lsr_core.intake import text

NAN = float("nan")
READ: dict[str, tuple[str | bytes, dict[str, list[float]]]] = {
    "plain": ("x,y\n1,2\n3,4\n", {"x": [1, 3], "y": [2, 4]}),
    "decimal comma": ("x;t\n0,25;-0,5\n1;2\n", {"x": [0.25, 1], "t": [-0.5, 2]}),
    "decimal comma late": ("x;t\n1;2\n0,25;-0,5\n", {"x": [1, 0.25], "t": [2, -0.5]}),
    "decimal comma by tabs": ("x\ty\n1,5\t2,5\n", {"x": [1.5], "y": [2.5]}),
    "decimal comma by blanks": ("0,5 0,25\n1,0   2,0\n", {"column 1": [0.5, 1], "column 2": [0.25, 2]}),
    "blanks": ("0.5 0.25\n 1   2\n", {"column 1": [0.5, 1], "column 2": [0.25, 2]}),
    "tabs": ("x\ty\n1\t2\n", {"x": [1], "y": [2]}),
    "comsol": (
        "% Model:  heat.mph\n% Version:  COMSOL 6.2\n% x                       y                        T (K)\n0.0   1.0   293.15\n0.5 1.0 NaN\n",
        {"x": [0, 0.5], "y": [1, 1], "T (K)": [293.15, NAN]},
    ),
    "numpy header": ("# x y\n1 2\n3 4\n", {"x": [1, 3], "y": [2, 4]}),
    "units in names": ("#t [s]\tv [m/s]\n1\t2\n", {"t [s]": [1], "v [m/s]": [2]}),
    "units row": ("x,t\nm,s\n1,2\n3,4\n", {"x": [1, 3], "t": [2, 4]}),
    "units row in brackets": ("x;t\n[m];[s]\n1,5;2\n", {"x": [1.5], "t": [2]}),
    "units row with a quantity that has none": ("x\tt\n-\tkg\n1\t2\n", {"x": [1], "t": [2]}),
    "first row missing": ("x,y\n-,-\n3,4\n", {"x": [NAN, 3], "y": [NAN, 4]}),
    "missing": ("x,y\n1,NA\n,4\n", {"x": [1, NAN], "y": [NAN, 4]}),
    "missing below what is looked at": ("x,y\n" + "1,2\n" * 300 + "1,NA\n", {"x": [1.0] * 301, "y": [2.0] * 300 + [NAN]}),
    "first value missing": ("x,y\n,2\n3,4\n", {"x": [NAN, 3], "y": [2, 4]}),
    "dates": (
        "when,y\n2020-01-01,1\n2020-01-02 12:00,2\n", {"when (days since 1970-01-01)": [18262, 18263.5], "y": [1, 2]},
    ),
    "fortran": ("1.0D+00 2.5d-1\n3 4\n", {"column 1": [1, 3], "column 2": [0.25, 4]}),
    "fortran beyond two digits": ("x y\n3.14-114 1.5\n2.0 5.687138413593-304\n", {"x": [3.14e-114, 2], "y": [1.5, 5.687138413593e-304]}),
    "excel's separator": ("\"sep=;\"\na;b\n1;2\n3;4\n", {"a": [1, 3], "b": [2, 4]}),
    "text beside": ("id,x\nabc,1\ndef,3\n", {"x": [1, 3]}),
    "text in a row without header": ("1,a,2\n3,b,4\n", {"column 1": [1, 3], "column 3": [2, 4]}),
    "pandas index": (",x\n0,1\n1,3\n", {"column 1": [0, 1], "x": [1, 3]}),
    "utf-16": ("x;y\n1,5;2\n2,5;3\n".encode("utf-16"), {"x": [1.5, 2.5], "y": [2, 3]}),
    "windows": ("t [s];T [°C]\n0,5;20,1\n1;20,4\n".encode("cp1252"), {"t [s]": [0.5, 1], "T [°C]": [20.1, 20.4]}),
    "grouped thousands": ('x,y\n"1,234.5",2\n"999",3\n', {"x": [1234.5, 999], "y": [2, 3]}),
    "grouped thousands, decimal comma": ("x;y\n1.234,5;2\n2.345;3\n", {"x": [1234.5, 2345], "y": [2, 3]}),
    "grouped by blanks": ("x;y\n1\u00a0234,5;2\n5,5;3\n", {"x": [1234.5, 5.5], "y": [2, 3]}),
    "quoted decimal comma": ('"x","y"\n"1,5","2,0"\n"3,25","4,5"\n', {"x": [1.5, 3.25], "y": [2, 4.5]}),
    "decimal comma by tabs beside text": ("chr1\t725238\t4,34957\nchr1\t839\t-1,97\n", {"column 2": [725238, 839], "column 3": [4.34957, -1.97]}),
    "one column with decimal comma": ("u\n0,5\n0,6\n", {"u": [0.5, 0.6]}),
    "empty lines first": ("\n\nx,y\n1,2\n3,4\n", {"x": [1, 3], "y": [2, 4]}),
    "lines of an instrument": ("Measurement of 2024-03-01\nDevice: A\n\nt,u\n0,1\n1,2\n2,3\n", {"t": [0, 1, 2], "u": [1, 2, 3]}),
    "r names its rows": ('"x" "y"\n"1" 0.5 2\n"2" 1.5 3\n', {"row": [1, 2], "x": [0.5, 1.5], "y": [2, 3]}),
    "a sign more in each row": ("x,y\n1,2,\n3,4,\n", {"x": [1, 3], "y": [2, 4]}),
    "bars": ("x|y\n1|2\n3|4\n", {"x": [1, 3], "y": [2, 4]}),
    "minus of a word processor": ("x,y\n\u22121.5,2\n3,4\n", {"x": [-1.5, 3], "y": [2, 4]}),
    "day first": ("t;u\n01.03.2024 12:00;1,5\n02.03.2024;2,5\n", {"t (days since 1970-01-01)": [19783.5, 19784], "u": [1.5, 2.5]}),
    "fortran's stars": ("1.0E+00 ********\n2.0 3.0\n", {"column 1": [1, 2], "column 2": [NAN, 3]}),
    "fortran's stars last": ("1.0 2.5\n2.0 ****\n", {"column 1": [1, 2], "column 2": [2.5, NAN]}),
    "other comments": ("! x y\n1 2\n// note\n3 4\n", {"x": [1, 3], "y": [2, 4]}),
    "comment behind a row": ("x y\n1 2 # first\n3 4\n", {"x": [1, 3], "y": [2, 4]}),
    "tecplot": (
        'TITLE = "flow"\nVARIABLES = "x", "u"\nZONE T="a", I=2, J=1, F=POINT\n0 1\n1 4\n', {"x": [0, 1], "u": [1, 4]},
    ),
    "tecplot, negative first, under a comment": (
        '# made today\nVARIABLES = temperature pressure\nZONE T= "ZONE-1"\n-300 1.0\n310 1.1\n', {"temperature": [-300, 310], "pressure": [1, 1.1]},
    ),
    "tecplot over lines": ('VARIABLES = "x"\n"u"\nZONE I=2\n0 1\n1 4\n', {"x": [0, 1], "u": [1, 4]}),
    "mark of utf-8": ("\ufeffx;y\n1,5;2\n2,5;3\n", {"x": [1.5, 2.5], "y": [2, 3]}),
    "ends of lines of an old mac": ("x,y\r1,2\r3,4\r", {"x": [1, 3], "y": [2, 4]}),
    "a matrix with times beside and places above": ("t,0.0,0.5\n0,2,3\n1,5,6\n", {"t": [0, 1], "0.0": [2, 5], "0.5": [3, 6]}),
    "percent, clocks, booleans, apostrophes": (
        "a;b;c;d;u\n1%;12:30:00;True;1'000;1\n2%;12:31:00;False;2'000;2\n", {"u": [1, 2]},
    ),
    "a table of markdown": ("| x | y |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n", {"x": [1, 3], "y": [2, 4]}),
    "whole numbers among decimals": ("1,2,3\n1.5,2,3.5\n2.5,4,1.5\n", {"column 1": [1, 1.5, 2.5], "column 2": [2, 2, 4], "column 3": [3, 3.5, 1.5]}),
    "percent behind a blank": ("t;u;v\n1;5 %;2\n2;6 %;3\n", {"t": [1, 2], "v": [2, 3]}),
    "percent as a comment": ("t u\n1 2 % first\n3 4\n", {"t": [1, 3], "u": [2, 4]}),
    "thousands where another column has points": ("t;u;v\n0.5;1,000;1\n1.5;1,001;2\n", {"t": [0.5, 1.5], "v": [1, 2]}),
    "comment further down": ("x,y\n1,2\n# a note\n3,4\n", {"x": [1, 3], "y": [2, 4]}),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_a_table_is_read_as_it_was_meant(name: str, tmp_path: Path) -> None:
    content, wanted = READ[name]
    path = tmp_path / "data.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    usable = {info.name: info.shape for info in text.listing(path) if not info.unusable}
    found = text.read(path, list(usable))
    assert {name: array.shape for name, array in found.items()} == usable
    assert list(found) == list(wanted)
    for column, values in wanted.items():
        np.testing.assert_array_equal(found[column], values)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x,y\n1,2\nabc,3\n1,2\n", "line 3, x: 'abc' is none"),
        ("x,y\n1,2\n1,2,3\n", "line 3 has 3 fields, the header names 2"),
        ("x,y\n1,2\n\n1\n", "line 4 has 1 fields, the header names 2"),
        ("x,y\n", "a header but no rows"),
        ("x,x\n1,2\n", "two columns have this name"),
        ("a,b\none,two\n", "is text, such as 'one'"),
        ("% only\n% comments\n", "holds no line with numbers"),
        ("x\n1,5\n1.5\n", "has both 1,5 and 1.5"),
        ("x\ty\n1,234\t2\n2,345\t3\n", "may mean thousands or a decimal sign by 1,234"),
        ("x;y\n1.013;0,5\n2.026;1,5\n", "may mean thousands or a decimal sign by 1.013"),
        ("t;u\n" + "0,5;7\n" * 300 + "0,5;1.000\n", "line 302, u: '1.000' is none"),
        ("-2,0000\n-0,5000\n1,0000\n", "may be one number with a decimal comma or two"),
        ("x,y\n0.5,1,2\n0.5,3,4\n", "line 2 has 3 fields, the header names 2"),
        ('VARIABLES = x u\nZONE T="1"\n0 1\nZONE T="2"\n0 1\n', "several zones"),
        ('VARIABLES = "x", "u"\nZONE F=BLOCK\n0 1\n1 4\n', "packed as BLOCK"),
        ('VARIABLES = "x", "u", "v"\nZONE F=POINT\n0 1\n1 4\n', "names 3 variables over rows of 2"),
        ("\n\n \n", "only empty lines"),
        (
            "2000,2001,2002\n1.5,2.5,3.5\n4.0,5.5,6.5\n",
            "has whole numbers and all others have decimals: it may name the columns",
        ),
        ('{"x": 1, "y": 2}\n{"x": 3, "y": 4}\n', "is text"),
        ("x,y\n1,2\nx,y\n3,4\n", "line 3, x: 'x' is none"),
        ("x,y\n1,2\nTotal,6\n", "line 3, x: 'Total' is none"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_by_line(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        everything(path)


def everything(path: Path) -> None:
    """All columns, those that are passed over among them."""
    infos = text.listing(path)
    if bad := next((info.unusable for info in infos if info.unusable), None):
        raise InputError(bad)
    text.read(path, [info.name for info in infos])


def test_no_row_is_lost_to_a_header_whatever_stands_in_it(tmp_path: Path) -> None:
    """Rows of numbers in any form come out as many as they went in."""
    rng = np.random.default_rng(0)
    for delimiter, comma in ((",", False), (";", False), (";", True), ("\t", True), (" ", True), (" ", False)):
        for count in (3, 7):
            rows = [[f"{value:.3g}" for value in line] for line in rng.normal(size=(count, 3))]
            lines = [delimiter.join(part.replace(".", ",") if comma else part for part in row) for row in rows]
            path = tmp_path / "data.dat"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            found = text.read(path, [info.name for info in text.listing(path)])
            np.testing.assert_array_equal(np.stack(list(found.values()), 1), np.array(rows, dtype=float))
