"""How a table in a text file is written: comments, names of columns, units, what divides fields, and what a decimal point looks like."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from lsr_core.errors import InputError
from lsr_core.intake.arrays import MAX_ARRAYS

MAX_COLUMNS = MAX_ARRAYS
MAX_LINE = 2**16
MAX_TEXT_BYTES = 50 * 2**20
COMMENTS = ("%", "#")
SPACES = " "
LOOKED_AT = 200  # lines by which a column is judged
_DELIMITERS = ("\t", ";", ",")
_MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "--", "?", "missing", "#n/a"}
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*")
_FORTRAN = re.compile(
    r"^([-+]?(?:\d+\.?\d*|\.\d+))(?:[dD]([-+]?\d+)|([-+]\d{3}))$"
)  # 1.5D+02, and 1.5-114 beyond two digits
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?(Z|[+-]\d{2}:\d{2})?")
_SEPARATOR = re.compile(r"\"?sep=.\"?")  # a line of Excel's own
_UNITLESS = re.compile(
    r"[-+]?[.,]?\d|nan|na$|n/a|#n/a|null|none|inf|missing|\?", re.IGNORECASE
)  # how a field begins that is no unit
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Column:
    """One column: its name, the function that makes numbers of its fields, and why there is none.

    Attributes:
        plain: whether its fields are numbers as they stand.
        unusable: why it cannot be read, or empty.
    """

    name: str
    number: Callable[[str], float]
    plain: bool = True
    unusable: str = ""


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


def layout(path: Path) -> Layout:
    """What the first lines of a file say.

    Raises:
        InputError: no text, no table, or a first line that may be a header or a row.
    """
    file, lines = path.name, _lines(path)
    lines[0] = "%" if _SEPARATOR.fullmatch(lines[0].strip()) else lines[0]
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith(COMMENTS)), None)
    if start is None:
        raise InputError("holds no line with numbers; the first line should name the columns", file=file)
    rest = [line for line in lines[start:] if line.strip() and not line.lstrip().startswith(COMMENTS)]
    delimiter, comma = _divided(rest)
    fields = split(rest[0], delimiter, file)
    if len(fields) > MAX_COLUMNS:
        raise InputError(f"has {len(fields):,} columns; at most {MAX_COLUMNS:,} are read", file=file)
    names, header = _header(fields, rest, lines[:start], delimiter, comma, file)
    said = [f"decimal comma in {delimiter!r}-separated fields"] if comma else []
    if header == 2:
        said.append("second line taken as units")
    if len(set(names)) < len(names):
        doubled = next(name for name in names if names.count(name) > 1)
        raise InputError("two columns have this name; rename one", file=file, key=doubled[:80])
    sample = [split(line, delimiter, file) for line in islice(rest, header, header + LOOKED_AT)]
    columns = tuple(_column(name, [row[i] for row in sample if len(row) > i], comma) for i, name in enumerate(names))
    skip = _physical(lines, start, header)
    return Layout(columns, skip, delimiter, comma, tuple(said))


def split(line: str, delimiter: str, file: str) -> list[str]:
    """The fields of a line."""
    if delimiter == SPACES:
        return line.split()
    try:
        return next(csv.reader(io.StringIO(line.rstrip("\r\n")), delimiter=delimiter))
    except (csv.Error, StopIteration) as error:
        raise InputError("its first line cannot be split into columns", file=file) from error


def to_number(text: str, comma: bool = False) -> float:
    """A field as a number, also with a decimal comma and with Fortran's exponents. Raises ValueError."""
    text = text.strip().strip('"')
    if "_" in text:
        raise ValueError(text)
    return float(_FORTRAN.sub(r"\1e\2\3", text.replace(",", ".") if comma else text))


def is_number(text: str, comma: bool = False) -> bool:
    """Whether a field is a number."""
    try:
        to_number(text, comma)
    except ValueError:
        return False
    return True


def _lines(path: Path) -> list[str]:
    """The first lines of a text within bounds."""
    file = path.name
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise InputError(f"is larger than {MAX_TEXT_BYTES:,} bytes; save it as .npz or .parquet", file=file)
    with path.open("rb") as stream:
        raw = stream.read(8 * MAX_LINE)
    if b"\0" in raw:
        raise InputError("is not text; save it as UTF-8 text with a line for each row", file=file)
    lines = raw.removeprefix(BOM_UTF8).splitlines()
    if not lines or not lines[0].strip():
        raise InputError("begins with an empty line, or is empty; the first line should name the columns", file=file)
    if any(len(line) >= MAX_LINE for line in lines):
        raise InputError(f"has a line of more than {MAX_LINE:,} characters; is it a table?", file=file)
    if len(raw) == 8 * MAX_LINE and len(lines) > 1:
        lines.pop()  # cut short
    try:
        return [line.decode("utf-8") for line in lines]
    except UnicodeError as error:
        raise InputError("is not UTF-8 text; save it again as UTF-8", file=file) from error


def _divided(lines: Sequence[str]) -> tuple[str, bool]:
    """What divides fields, and whether numbers have a decimal comma."""
    looked = lines[:LOOKED_AT]
    line = looked[-1]  # no header, if there is another
    for delimiter in _DELIMITERS[:2]:
        if delimiter in line:
            return delimiter, any(_DECIMAL_COMMA.fullmatch(part) for row in looked for part in row.split(delimiter))
    blank = line.split()
    if len(blank) > 1 and all(_DECIMAL_COMMA.fullmatch(part) or is_number(part) for part in blank):
        return SPACES, any(_DECIMAL_COMMA.fullmatch(part) for row in looked for part in row.split())
    if "," in line or "," in lines[0]:
        return ",", False
    return next((delimiter for delimiter in _DELIMITERS if delimiter in lines[0]), ","), False


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
    if all(_numeric(part, comma) for part in fields):
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
    units = units and any(part.strip().lower() not in _MISSING for part in second)
    units = units and any(is_number(part, comma) for part in split(rest[2], delimiter, file))
    return names, 2 if units else 1


def _alike(one: list[str], other: list[str], comma: bool) -> bool:
    """Whether two lines have numbers in the same fields, so that the first is a row with text in it and no header."""
    return len(one) == len(other) and [is_number(part, comma) for part in one] == [
        is_number(part, comma) for part in other
    ]


def _from_comment(comments: Sequence[str], count: int) -> list[str] | None:
    """Names in the last comment, as COMSOL and numpy.savetxt write them, if there are as many as columns."""
    for line in reversed([line for line in comments if line.strip()]):
        text = line.lstrip().lstrip("%#").strip()
        for parts in (re.split(r"\s{2,}|\t", text), [part.strip() for part in re.split(r"[,;]", text)], text.split()):
            if len(parts) == count and len(set(parts)) == count and not all(map(is_number, parts)):
                return parts
        return None
    return None


def _counts(fields: list[str]) -> bool:
    """Whether the fields are 0, 1, 2, …, two or more, which is a header that pandas writes rather than a row."""
    return len(fields) > 1 and [part.strip() for part in fields] == [str(place) for place in range(len(fields))]


def _numeric(text: str, comma: bool) -> bool:
    return is_number(text, comma) or text.strip().lower() in _MISSING


def _column(name: str, sample: list[str], comma: bool) -> Column:
    """How the fields of a column become numbers, by the first of them."""
    given = [part.strip().strip('"') for part in sample if part.strip().strip('"').lower() not in _MISSING]

    def number(text: str) -> float:
        return float("nan") if text.strip().strip('"').lower() in _MISSING else to_number(text, comma)

    if given and all(_DATE.fullmatch(part) for part in given):
        return Column(f"{name} (days since 1970-01-01)", _days, plain=False)
    numbers = sum(is_number(part, comma) for part in given)
    if given and numbers < len(given) / 2:
        return Column(name, number, unusable=f"is text, such as {given[0][:30]!r}")
    return Column(name, number, plain=numbers == len(sample) and not any(_FORTRAN.match(part) for part in given))


def _days(text: str) -> float:
    text = text.strip().strip('"')
    if text.lower() in _MISSING:
        return float("nan")
    moment = datetime.fromisoformat(text)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds() / 86400


def _physical(lines: Sequence[str], start: int, header: int) -> int:
    """Lines of the file before the first row, comments and empty ones counted."""
    for place in range(start, len(lines)):
        if lines[place].strip() and not lines[place].lstrip().startswith(COMMENTS):
            if header == 0:
                return place
            header -= 1
    return len(lines)
