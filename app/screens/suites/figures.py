"""Errors of a suite beside what is published."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lsr_app.plots.base import Canvas, Picture
from lsr_app.screens.suites import suiterows, suitestexts
from lsr_app.screens.suites.suiterows import SuiteLine
from lsr_app.words import formats

MOST_TICKS = 4  # decades that are named, in the room that names of equations leave on a phone


def errors(lines: Sequence[SuiteLine]) -> Picture:
    """A line for each equation: its error, and the best that is published; the first equation stands on top."""
    solved = [line for line in lines if line.error]
    names = [formats.plot(line.entry.name) for line in solved]
    canvas = Canvas(height=90 + 26 * len(solved))
    colours = canvas.colours
    every = [error for line in solved for error in (line.error, line.entry.published) if error]
    decades = math.log10(max(every) / min(every)) if every else 0.0
    ticks = {"dtick": math.ceil(decades / MOST_TICKS)} if decades >= MOST_TICKS else {}
    known = [(line.entry.published, name) for line, name in zip(solved, names, strict=True) if line.entry.published]
    if known:
        values, places = zip(*known, strict=True)
        canvas.points(list(values), list(places), "Published", colours.network, symbol="diamond-open")
    canvas.points([line.error for line in solved], names, "Here", colours.refined)
    canvas.axes(
        suitestexts.CAPTION,
        "",
        logx=True,
        xaxis={"tickangle": 0, **ticks},
        yaxis={"type": "category", "categoryarray": names[::-1], "automargin": True},
    )
    canvas.layout |= {"margin": {"l": 10, "r": 24, "t": 34, "b": 46}}
    said = ", ".join(
        f"{line.entry.name} {formats.error(line.error)}"
        + (f" against {formats.error(line.entry.published)}" if line.entry.published else "")
        for line in solved
    )
    return Picture(
        canvas.figure(),
        f"Relative L2 errors and the best published ones: {said}.",
        suitestexts.DATA_COLUMNS,
        lambda: (suiterows.data(line) for line in solved),
    )
