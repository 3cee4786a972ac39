"""Numbers and names as a person reads them, and foreign text made harmless for where it goes."""

from __future__ import annotations

import csv
import html
import io
import math
import re
from collections.abc import Iterable, Sequence

NONE = "–"
_SHORTCODE = re.compile(r":(?=[A-Za-z0-9_+\-/]+[:\[])")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$~:^=&])")
_CODE = re.compile(r"`([^`]+)`")
_SCIENTIFIC = re.compile(r"(?<![\w.])(-?\d(?:\.\d+)?)e[+-]\d{2,3}(?![\w.]*\d)")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def error(value: float | None, digits: int = 2) -> str:
    """An error or a norm: 2.7e-3, 0.012, 1.35; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    if 0.01 <= abs(value) < 10_000:
        if abs(value) >= 100 or value == round(value):
            return f"{value:,.0f}"
        return f"{value:#.{digits}g}".rstrip(".")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def factor(before: float | None, after: float | None) -> str:
    """How many times lower (or higher): '6,800× lower'; where that is hardly more than once, by how many per cent: '7.8 % lower'."""
    if before is None or after is None or not (math.isfinite(before) and math.isfinite(after)):
        return NONE
    if before == after:
        return "unchanged"
    if before <= 0 or after <= 0:
        return NONE
    lower = after < before
    ratio = before / after if lower else after / before
    return f"{change(before, after) if ratio < 1.095 else times(ratio)} {'lower' if lower else 'higher'}"


def change(before: float, after: float) -> str:
    """By how many per cent a size has become another."""
    part = abs(after / before - 1)
    return "less than 0.1 %" if part < 1e-3 else f"{100 * part:.2g} %"


def times(ratio: float) -> str:
    if ratio < 1.095:
        return f"{ratio:.3f}×"
    if ratio < 9.95:
        return f"{ratio:.1f}×"
    if ratio < 999_500:
        return f"{float(f'{ratio:.2g}'):,.0f}×"
    for size, word in ((1e9, "million"), (1e12, "billion")):
        if ratio < size * 0.9995:
            return f"{float(f'{ratio / (size / 1e3):.2g}'):,.3g} {word}×"
    return f"10{str(round(math.log10(ratio))).translate(_SUPERSCRIPT)}×"


def count(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"


def size(n_bytes: float | None) -> str:
    if n_bytes is None:
        return NONE
    for unit in ("bytes", "kB", "MB", "GB"):
        if n_bytes < 1000 or unit == "GB":
            return f"{n_bytes:,.0f} {unit}" if n_bytes >= 10 or unit == "bytes" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return NONE


def seconds(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return NONE
    if 0 < value < 0.095:
        return f"{max(1, round(1000 * value))} ms"
    if value < 10:
        return f"{value:.1f} s"
    if value < 90:
        return f"{value:.0f} s"
    if value < 5400:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h"


def ago(then: float, now: float) -> str:
    """To the nearest unit, as the table of runs says it."""
    gap = max(0.0, now - then)
    if gap < 60:
        return "just now"
    for length, most, word in ((60, 60, "min"), (3600, 24, "h"), (86_400, math.inf, "d")):
        if round(gap / length) < most:
            return f"{round(gap / length)} {word} ago"
    return NONE


def one_line(text: str, limit: int = 120) -> str:
    """Foreign text on one line without control characters, shortened."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    plain = " ".join(plain.split())
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def markdown(text: str) -> str:
    """Foreign text that shows as written where Streamlit reads Markdown, what stands in backticks as code."""
    parts = _CODE.split(one_line(text, 4000))  # every second one stood in backticks, and is code that reads no Markdown
    return "".join(
        f"`{part}`" if place % 2 else _MARKDOWN.sub(r"\\\1", _SHORTCODE.sub(":\u2060", part))
        for place, part in enumerate(parts)
    )


def numbers(sentence: str) -> str:
    """A sentence of the engine, its numbers as all pages write them: 1.7e-5 and not 1.7e-05, 1 and not 1.0e+00."""

    def written(found: re.Match[str]) -> str:
        digits = len(found[1].replace(".", "").lstrip("-"))
        return error(float(found[0]), digits)

    return _SCIENTIFIC.sub(written, sentence)


def plain(value: float, digits: int = 6) -> str:
    """A number with so many digits at most and no more than it has: 0.25, 1e-6 and not 1e-06."""
    return numbers(f"{value:.{digits}g}")


def exactly(value: float) -> str:
    """A setting as it was given, so that two that differ look different."""
    short = plain(value)
    return short if float(short) == value else numbers(repr(value))


def page(text: str) -> str:
    """Foreign text that shows as written in HTML, what stands in backticks as code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(one_line(text, 2000), quote=True))


def plot(text: str) -> str:
    """Foreign text that shows as written in a Plotly label, which reads some HTML and `%{…}`."""
    return html.escape(one_line(text, 60), quote=False).replace("%{", "%\u2060{").replace("$", "\uff04")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file; text that a spreadsheet would take for a formula is disarmed."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([cell(column) for column in columns])
    writer.writerows([cell(value) for value in row] for row in rows)
    return stream.getvalue().encode("utf-8")


def cell(value: object) -> object:
    if isinstance(value, str):
        return "'" + value if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return value
