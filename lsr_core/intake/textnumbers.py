"""Fields of a table in a text file as numbers: decimal commas, grouped thousands, Fortran's exponents, dates, what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "--", "?", "missing", "#n/a"}
_STARS = re.compile(r"\*+")  # how Fortran writes a number that its field is too narrow for
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*")
_FORTRAN = re.compile(
    r"^([-+]?(?:\d+\.?\d*|\.\d+))(?:[dD]([-+]?\d+)|([-+]\d{3}))$"
)  # 1.5D+02, and 1.5-114 beyond two digits
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?(Z|[+-]\d{2}:\d{2})?")
_DAY_FIRST = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})(.*)")  # points stand between days and months in this order only
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPED = str.maketrans({"\u2212": "-", "\u00a0": None, "\u202f": None})  # signs that word processors put in


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


def to_number(text: str, comma: bool = False) -> float:
    """A field as a number, also with a decimal comma and with Fortran's exponents. Raises ValueError."""
    text = text.strip().strip('"').translate(_TYPED)
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


def decimal_comma(text: str, *, sure: bool) -> bool:
    """Whether a field shows that commas are decimal signs.

    Args:
        sure: whether 1,234 does, which may be one thousand and more.
    """
    text = text.strip().strip('"').translate(_TYPED)
    return _grouped(text, ",", ".") or (bool(_DECIMAL_COMMA.fullmatch(text)) and (sure or not _either(text, ",")))


def is_missing(text: str) -> bool:
    """Whether a field says that there is no number."""
    text = text.strip().strip('"').strip().lower()
    return text in _MISSING or bool(_STARS.fullmatch(text))


def column(name: str, sample: Sequence[str], comma: bool) -> Column:
    """How the fields of a column become numbers, by the first of them."""
    given = [part.strip().strip('"').translate(_TYPED) for part in sample if not is_missing(part)]
    if sample and not given:
        return Column(name, float, unusable="has no number in its first rows")
    if given and all(_DATE.fullmatch(_dashed(part)) for part in given):
        return Column(f"{name} (days since 1970-01-01)", _days, plain=False)
    point, group = (",", ".") if comma else (".", ",")
    grouped = any(_grouped(part, point, group) for part in given)
    if why := _ambiguous(given, point, group):
        return Column(name, float, unusable=why)

    later = (
        bool(given) and comma and not any("." in part for part in given)
    )  # then a point further down divides thousands

    def number(text: str) -> float:
        if is_missing(text):
            return float("nan")
        if later and "." in text:
            raise ValueError(text)
        return to_number(text.replace(group, "") if grouped else text, comma)

    numbers = sum(is_number(part.replace(group, "") if grouped else part, comma) for part in given)
    if given and numbers < len(given) / 2:
        return Column(name, number, unusable=f"is text, such as {given[0][:30]!r}")
    plain = numbers == len(sample) and not grouped and not any(_FORTRAN.match(part) for part in given)
    return Column(name, number, plain=plain)


def _grouped(text: str, point: str, group: str) -> bool:
    """1,234.5 or 1.234.567: thousands divided by `group`, without a doubt."""
    whole = rf"[-+]?[1-9]\d{{0,2}}({re.escape(group)}\d{{3}})"
    return bool(re.fullmatch(rf"{whole}+{re.escape(point)}\d*|{whole}{{2,}}", text))


def _ambiguous(given: Sequence[str], point: str, group: str) -> str:
    """Why nobody can tell which sign is the decimal one in a column that has both, or only one that may be either."""
    if not any(group in part for part in given) or any(_grouped(part, point, group) for part in given):
        return ""
    with_group = next(part for part in given if group in part)
    with_point = next((part for part in given if point in part), "")
    if with_point and is_number(with_group.replace(group, ".")):
        return f"has both {with_point[:20]} and {with_group[:20]}; write all its numbers with one decimal sign"
    if all(_either(part, group) or group not in part for part in given):
        return (
            f"may mean thousands or a decimal sign by {with_group[:20]}; write its numbers without dividing thousands"
        )
    return ""


def _either(text: str, sign: str) -> bool:
    """1,234: one thousand and more, or one and a little."""
    return bool(re.fullmatch(rf"[-+]?[1-9]\d{{0,2}}{re.escape(sign)}\d{{3}}", text.strip()))


def _dashed(text: str) -> str:
    return _DAY_FIRST.sub(r"\3-\2-\1\4", text)


def _days(text: str) -> float:
    if is_missing(text):
        return float("nan")
    moment = datetime.fromisoformat(_dashed(text.strip().strip('"')))
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds() / 86400
