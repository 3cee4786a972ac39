"""The head of a table that Tecplot reads: `VARIABLES = "x", "u"`, `ZONE I=…`, then a row for each point."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsr_core.errors import InputError
from lsr_core.intake.textnumbers import is_number

_BEGINS = re.compile(r"\s*(title|variables|filetype)\s*=", re.IGNORECASE)
_VARIABLES = re.compile(r"variables\s*=(.*?)(?:\bzone\b|$)", re.IGNORECASE | re.DOTALL)
_ZONE = re.compile(r"\s*zone\b", re.IGNORECASE)
_OTHERWISE = re.compile(r"\b(?:f|datapacking)\s*=\s*(?!point\b)(\w+)", re.IGNORECASE)


def head(lines: Sequence[str], file: str) -> tuple[list[str], int] | None:
    """Names of the columns and the number of lines before the first row; None for another table.

    Raises:
        InputError: values that do not stand point by point.
    """
    if not _BEGINS.match(next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")):
        return None
    if sum(bool(_ZONE.match(line)) for line in lines) > 1:
        raise InputError("holds several zones; save each in a file of its own", file=file)
    first = next(
        (place for place, line in enumerate(lines) if line.split() and all(map(is_number, line.split()))), None
    )
    above = "\n".join(lines[:first])
    named = _VARIABLES.search(above)
    if first is None or named is None:
        raise InputError("is Tecplot's by its first line, but names no variables or has no row of numbers", file=file)
    if packed := _OTHERWISE.search(above):
        raise InputError(f"has its values packed as {packed[1]}; save it with DATAPACKING=POINT", file=file)
    names = re.findall(r'"([^"]*)"', named[1]) or re.findall(r"[^\s,]+", named[1])
    if len(names) != len(lines[first].split()):
        raise InputError(f"names {len(names)} variables over rows of {len(lines[first].split())} numbers", file=file)
    return names, first
