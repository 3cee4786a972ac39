"""How a table in a text file is written: comments, names of columns, units, what divides fields, and what a decimal point looks like."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from lsr_core.errors import InputError
from lsr_core.intake import tecplot
from lsr_core.intake.arrays import MAX_ARRAYS
from lsr_core.intake.textfile import first_lines
from lsr_core.intake.textnumbers import Column, column, decimal_comma, is_missing, is_number

MAX_COLUMNS = MAX_ARRAYS
COMMENTS = ("%", "#", "!", "//")
SPACES = " "
LOOKED_AT = 200  # lines by which a column is judged
_DELIMITERS = ("\t", ";", "|", ",")
_SEPARATOR = re.compile(r"\"?sep=.\"?")  # a line of Excel's own
_INLINE = re.compile(r"\s[#!]|\s//|\s%(?!\s*(?:[-+.\d;,|\t]|$))")  # 5 % between or behind fields is a share
_WHOLE = re.compile(r"\s*[-+]?\d+,\d+\s*")
_FRACTION = re.compile(r"\s*(?:-0+,|[-+]?\d+,0\d)")  # what no pair of whole numbers looks like
_UNITLESS = re.compile(
    r"[-+]?[.,]?\d|nan|na$|n/a|#n/a|null|none|inf|missing|\?", re.IGNORECASE
)  # how a field begins that is no unit


@dataclass(frozen=True)
class Layout:
    """The table, but for its numbers.

    Attributes:
        skip: lines before the first row.
        delimiter: between fields; one blank for any number of blanks.
        comma: whether 1,5 is one and a half.
        said: what was understood, in a few words each.
    """

    columns: tuple[Column, ...]
    skip: int
    delimiter: str
    comma: bool
    said: tuple[str, ...] = field(default=())


def layout(text: str, file: str) -> Layout:
    """What the first lines of a text say.

    Args:
        file: named in messages.

    Raises:
        InputError: no text, no table, or a first line that may be a header or a row.
    """
    lines = first_lines(text, file)
    lines[0] = "%" if _SEPARATOR.fullmatch(lines[0].strip()) else lines[0]
    if (known := tecplot.head(lines, file)) is not None:
        return _laid(known[0], [line for line in lines[known[1] :] if line.strip()], 0, SPACES, False, known[1], file)
    full = [place for place, line in enumerate(lines) if line.strip() and not line.lstrip().startswith(COMMENTS)]
    if not full:
        raise InputError("holds no line with numbers; the first line should name the columns", file=file)
    every = [lines[place] for place in full]
    delimiter, comma = _divided(every)
    rest = _table(every, delimiter)
    full = full[len(every) - len(rest) :]
    fields = split(rest[0], delimiter, file)
    if len(fields) > MAX_COLUMNS:
        raise InputError(f"has {len(fields):,} columns; at most {MAX_COLUMNS:,} are read", file=file)
    names, header = _header(fields, rest, lines[: full[0]], delimiter, comma, file)
    skip = full[header] if header < len(full) else len(lines)
    return _laid(names, rest, header, delimiter, comma, skip, file)


def _laid(
    names: list[str], rest: Sequence[str], header: int, delimiter: str, comma: bool, skip: int, file: str
) -> Layout:
    """The layout, once names and divisions are known.

    Args:
        rest: the lines of the table, its header among them.
        header: how many of them are no rows.
        skip: lines of the file before the first row, comments and empty ones counted.
    """
    said = [f"decimal comma in {delimiter!r}-separated fields"] if comma else []
    if header == 2:
        said.append("second line taken as units")
    if len(set(names)) < len(names):
        doubled = next(name for name in names if names.count(name) > 1)
        raise InputError("two columns have this name; rename one", file=file, key=doubled[:80])
    sample = [split(line, delimiter, file) for line in islice(rest, header, header + LOOKED_AT)]
    names = _named_rows(names, sample, header)
    columns = tuple(column(name, [row[i] for row in sample if len(row) > i], comma) for i, name in enumerate(names))
    return Layout(columns, skip, delimiter, comma, tuple(said))


def _named_rows(names: list[str], sample: Sequence[Sequence[str]], header: int) -> list[str]:
    """The names, where rows have a field more: R names its rows in a first column that has no header, others end a row with a sign more."""
    if not header or not sample or any(len(row) != len(names) + 1 for row in sample):
        return names
    if all(not row[-1].strip() for row in sample):
        return [*names, f"column {len(names) + 1}"]
    first = [row[0].strip().strip('"') for row in sample]
    if first == [str(place + 1) for place in range(len(first))] or not any(map(is_number, first)):
        return ["row", *names]
    return names


def split(line: str, delimiter: str, file: str) -> list[str]:
    """The fields of a line; what stands behind the sign of a comment in a row of numbers is none."""
    if _INLINE.search(line) and is_number(re.split(r"[\s,;|]", line.strip())[0]):
        line = _INLINE.split(line, maxsplit=1)[0]
    if delimiter == SPACES and '"' not in line:
        return line.split()
    if delimiter == SPACES:
        line = " ".join(line.split())
    try:
        return next(csv.reader(io.StringIO(line.rstrip("\r\n")), delimiter=delimiter))
    except (csv.Error, StopIteration) as error:
        raise InputError("its first line cannot be split into columns", file=file) from error


def _divided(lines: Sequence[str]) -> tuple[str, bool]:
    """What divides fields, and whether numbers have a decimal comma."""
    looked = lines[:LOOKED_AT]
    line = looked[-1]  # no header, if there is another
    for delimiter in _DELIMITERS[:3]:
        if delimiter in line:
            return delimiter, _decimal(delimiter, looked)
    blank = line.split()
    known = [decimal_comma(part, sure=True) or is_number(part) for part in blank]
    if len(blank) > 1 and any(known) and all(one or is_missing(part) for one, part in zip(known, blank, strict=True)):
        return SPACES, _decimal(SPACES, looked)
    alone = len(looked) > 1 and "," not in looked[0] and not is_number(looked[0])
    if alone and all(decimal_comma(part, sure=True) or is_number(part) for part in looked[1:]):
        return ";", _decimal(";", looked)  # one column
    if "," in line or "," in lines[0]:
        return ",", '"' in line and _decimal(",", looked)
    return next((delimiter for delimiter in _DELIMITERS if delimiter in lines[0]), ","), False


def _decimal(delimiter: str, lines: Sequence[str]) -> bool:
    """Whether commas are decimal signs: 1,234 alone shows it only between semicolons, as Excel writes, and beside no number with a point."""
    fields = [part for line in lines for part in split(line, delimiter, "")]
    sure = delimiter == ";" and not any("." in part and is_number(part) for part in fields)
    return any(decimal_comma(part, sure=sure) for part in fields)


def _table(lines: Sequence[str], delimiter: str) -> list[str]:
    """Without the lines of text above the header, as instruments write them: of other numbers of fields than the rows, and no number in any."""
    widths = [len(split(line, delimiter, "")) for line in lines[:LOOKED_AT]]
    usual = Counter(widths).most_common(1)[0][0]
    numbers = [any(map(is_number, split(line, delimiter, ""))) for line in lines[:LOOKED_AT]]
    for place, width in enumerate(widths):
        below = widths[place + 1 : place + 2] == [usual] and numbers[place + 1]
        if (
            width == usual or numbers[place] or (width == usual - 1 and below)
        ):  # R leaves its first column without a name
            return list(lines[place:])
    return list(lines)


def _header(
    fields: list[str], rest: Sequence[str], comments: Sequence[str], delimiter: str, comma: bool, file: str
) -> tuple[list[str], int]:
    """Names of the columns, and how many lines stand before the first row."""
    if _counts(fields):
        if len(fields) > 2 and len(rest) > 1:
            return [f"column {place}" for place in range(len(fields))], 1
        raise InputError(
            f"its first line, {rest[0].strip()[:40]}, may number the columns, as pandas does, or be a row of data; give the columns names, "
            "or write the first row as 0.0, 1.0",
            file=file,
        )
    if len(rest) > 1 and _whole_above_decimals(
        fields, [split(line, delimiter, file) for line in rest[1:LOOKED_AT]], comma
    ):
        raise InputError(
            f"its first line, {rest[0].strip()[:40]}, has whole numbers and all others have decimals: it may name the columns, or be a row; "
            f"give the columns names in words, or write the first row as {fields[0].strip()[:20]}.0",
            file=file,
        )
    if (
        delimiter == ","
        and len(fields) == 2
        and all(_WHOLE.fullmatch(line) for line in rest)
        and any(map(_FRACTION.match, rest))
    ):
        raise InputError(
            f"its line {rest[0].strip()[:40]} may be one number with a decimal comma or two; give it a header, or write it with a point",
            file=file,
        )
    if all(is_number(part, comma) or is_missing(part) for part in fields):
        return _from_comment(comments, len(fields)) or [f"column {place + 1}" for place in range(len(fields))], 0
    if (
        any(is_number(part, comma) for part in fields)
        and len(rest) > 1
        and _alike(fields, split(rest[1], delimiter, file), comma)
    ):
        return [f"column {place + 1}" for place in range(len(fields))], 0
    names = [part.strip() or f"column {place + 1}" for place, part in enumerate(fields)]
    if len(rest) < 2:
        raise InputError("has a header but no rows", file=file)
    second = split(rest[1], delimiter, file)
    units = len(rest) > 2 and len(second) == len(fields) and not any(_UNITLESS.match(part.strip()) for part in second)
    units = units and not all(map(is_missing, second))
    units = units and any(is_number(part, comma) for part in split(rest[2], delimiter, file))
    return names, 2 if units else 1


def _whole_above_decimals(fields: Sequence[str], rows: Sequence[Sequence[str]], comma: bool) -> bool:
    """Whether the first line is of whole numbers in equal steps, such as years, and no field of the others is a whole number."""
    given = [part.strip() for part in fields]
    if len(given) < 3 or len(rows) < 2 or not all(re.fullmatch(r"[-+]?\d{1,9}", part) for part in given):
        return False
    steps = {int(after) - int(before) for before, after in itertools.pairwise(given)}
    below = [part.strip() for row in rows for part in row]
    decimal = re.compile(r"[-+]?\d*," if comma else r"[-+]?\d*\.|.*[eEdD]")
    return len(steps) == 1 and steps != {0} and all(decimal.match(part) for part in below)


def _alike(one: list[str], other: list[str], comma: bool) -> bool:
    """Whether two lines have numbers in the same fields, so that the first is a row with text in it and no header."""
    return len(one) == len(other) and [is_number(part, comma) for part in one] == [
        is_number(part, comma) for part in other
    ]


def _from_comment(comments: Sequence[str], count: int) -> list[str] | None:
    """Names in the last comment, as COMSOL and numpy.savetxt write them, if there are as many as columns."""
    for line in reversed([line for line in comments if line.strip()]):
        text = line.lstrip().lstrip("%#!/").strip()
        for parts in (re.split(r"\s{2,}|\t", text), [part.strip() for part in re.split(r"[,;]", text)], text.split()):
            if len(parts) == count and len(set(parts)) == count and not all(map(is_number, parts)):
                return parts
        return None
    return None


def _counts(fields: list[str]) -> bool:
    """Whether the fields are 0, 1, 2, …, two or more, which is a header that pandas writes rather than a row."""
    return len(fields) > 1 and [part.strip() for part in fields] == [str(place) for place in range(len(fields))]
