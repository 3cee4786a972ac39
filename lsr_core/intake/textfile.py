"""A text file as one string with plain ends of lines, in the encoding that it was saved in. Runs in the child."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

from lsr_core.errors import InputError

MAX_LINE = 2**16
MAX_TEXT_BYTES = 50 * 2**20
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def contents(path: Path) -> str:
    """The text of a file: UTF-8, UTF-16 with its mark, or what Windows writes in western Europe.

    Raises:
        InputError: no text, or too much of it.
    """
    file = path.name
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise InputError(f"is larger than {MAX_TEXT_BYTES:,} bytes; save it as .npz or .parquet", file=file)
    raw = path.read_bytes()
    wide = raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
        except UnicodeError:
            continue
        if not _CONTROL.search(text):
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise InputError("is not text; save it as UTF-8 text with a line for each row", file=file)


def first_lines(text: str, file: str) -> list[str]:
    """As many lines as a layout is read from.

    Raises:
        InputError: nothing, or lines that no table has.
    """
    head = text[: 8 * MAX_LINE]
    lines = head.split("\n")
    if any(len(line) >= MAX_LINE for line in lines):
        raise InputError(f"has a line of more than {MAX_LINE:,} characters; is it a table?", file=file)
    if len(head) < len(text) and len(lines) > 1:
        lines.pop()  # cut short
    if not any(line.strip() for line in lines):
        raise InputError("holds only empty lines; the first line should name the columns", file=file)
    return lines
