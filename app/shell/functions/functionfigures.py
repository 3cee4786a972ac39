"""Errors of many functions, and one function with its solutions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots import maps, scales
from lsr_app.plots.base import Canvas, Picture, Rows, finite_range, light, positive
from lsr_app.plots.theme import palette
from lsr_app.reading.displaygrid import DisplayGrid, find_grid
from lsr_app.shell.functions import functiontexts as words
from lsr_app.shell.functions.functiondata import Functions
from lsr_app.words import formats
from lsr_core.refinement.case_records import CaseFields

Names = tuple[str, str, tuple[str, ...], str]


def distribution(functions: Functions) -> Picture:
    """Share of the functions whose error is below a value, before and after."""
    canvas = Canvas()
    colours = canvas.colours
    for values, name, colour in (
        (functions.base, words.PANELS["network"], colours.network),
        (functions.refined, words.PANELS["refined"], colours.refined),
    ):
        share = 100 * (np.arange(len(values)) + 1) / len(values)
        canvas.line(light(positive(np.sort(values))), light(share), name, colour, line_shape="hv")
    canvas.axes("Relative L2 error", "Functions below, %", logx=True)
    middle = " and ".join(formats.error(float(np.median(part))) for part in (functions.base, functions.refined))

    def rows() -> Rows:
        yield from zip(functions.numbers.tolist(), functions.base.tolist(), functions.refined.tolist(), strict=True)

    alt = f"Distribution of {len(functions.base)} relative errors; medians of network and refined predictor: {middle}."
    return Picture(canvas.figure(), alt, ("function", "network", "refined"), rows)


def given(found: CaseFields, names: Names) -> Picture:
    """The input function."""
    return curve(found.axis, found.given, names[:2])


def curve(x: NDArray[Any], values: NDArray[Any], names: tuple[str, str] = ("x", words.SOURCE)) -> Picture:
    """A function of one variable."""
    canvas = Canvas()
    canvas.line(light(x), light(values), "", canvas.colours.truth)
    canvas.axes(formats.plot(names[0]), formats.plot(names[1]))
    canvas.layout["showlegend"] = False
    low, high = finite_range(values)
    alt = f"Input function between {formats.error(low)} and {formats.error(high)}."
    return Picture(canvas.figure(), alt, names, lambda: zip(x.tolist(), values.tolist(), strict=True))


def panels(
    found: CaseFields,
    names: Names,
) -> list[tuple[str, Picture]]:
    """The solution in one variable as curves, in two on a grid as maps."""
    grid = find_grid(found.points.astype(np.float64))
    if grid is None:
        return [
            (words.PANELS["given"], given(found, names)),
            (words.PANELS["values"], _values(found, names)),
            (words.PANELS["errors"], _errors(found, names)),
        ]
    reach = finite_range(found.truth)
    rounding = scales.rounding_of(found.truth)
    sizes = scales.decades(found.network - found.truth, found.refined_error, rounding=rounding)
    refined = found.truth + found.refined_error
    fields = {"truth": found.truth, "network": found.network, "refined": refined}
    shown = [(words.PANELS[name], _map(grid, part, reach, words.PANELS[name], names)) for name, part in fields.items()]
    for name, error in (("network_error", found.network - found.truth), ("refined_error", found.refined_error)):
        shown.append((words.PANELS[name], _map(grid, error, sizes, words.PANELS[name], names, size=True)))
    return [(words.PANELS["given"], given(found, names)), *shown]


def key() -> list[tuple[str, str, str]]:
    """(glyph, colour, name) of the curves, which stand side by side and share one explanation."""
    colours = palette()
    named = {"truth": colours.truth, "network": colours.network, "refined": colours.refined}
    return [("━", colour, words.PANELS[name]) for name, colour in named.items()]


def _values(found: CaseFields, names: Names) -> Picture:
    canvas = Canvas()
    colours, x = canvas.colours, found.points[:, 0]
    refined = found.truth + found.refined_error
    canvas.line(x, found.truth, words.PANELS["truth"], colours.truth, width=5, opacity=0.28)
    canvas.line(x, found.network, words.PANELS["network"], colours.network, dash="dash")
    canvas.line(x, refined, words.PANELS["refined"], colours.refined)
    canvas.axes(formats.plot(names[2][0]), formats.plot(names[3]))
    canvas.layout["showlegend"] = False
    alt = f"Truth, network and refined predictor at {len(x)} places."
    columns = (names[2][0], "truth", "network", "refined")
    return Picture(canvas.figure(), alt, columns, lambda: zip(x, found.truth, found.network, refined, strict=True))


def _errors(found: CaseFields, names: Names) -> Picture:
    canvas = Canvas()
    colours, x = canvas.colours, found.points[:, 0]
    before, after = np.abs(found.network - found.truth), np.abs(found.refined_error)
    canvas.line(x, light(positive(before)), words.PANELS["network"], colours.network)
    canvas.line(x, light(positive(after)), words.PANELS["refined"], colours.refined)
    canvas.axes(formats.plot(names[2][0]), "|error|", logy=True)
    canvas.layout["showlegend"] = False
    alt = f"Size of the errors, at most {formats.error(float(before.max()))} and {formats.error(float(after.max()))}."
    columns = (names[2][0], "network_error", "refined_error")
    return Picture(canvas.figure(), alt, columns, lambda: zip(x, before, after, strict=True))


def _map(
    grid: DisplayGrid, values: NDArray[Any], limits: scales.Limits, what: str, names: Names, *, size: bool = False
) -> Picture:  # fmt: skip
    """A field, or with `size` the magnitude of an error on a scale of powers of ten."""
    square = maps.alike(names[2], (grid.x, grid.y))
    canvas = Canvas(height=maps.height(square))
    scale = scales.powers(limits) if size else scales.linear(limits)
    labels = formats.plot(names[2][0]), formats.plot(names[2][1])
    hover = maps.hover_of(labels, "|error|" if size else what[:1].lower() + what[1:], "customdata:.3g")
    canvas.traces.append(maps.heat(grid, scales.clipped(values, limits) if size else values, scale, hover, values))
    canvas.map_axes(*labels, one_scale=square)
    low, high = finite_range(values)

    def rows() -> Rows:
        table = grid(values)
        for j, b in enumerate(grid.y.tolist()):
            for i, a in enumerate(grid.x.tolist()):
                yield a, b, float(table[j, i])

    alt = f"{what}, values between {formats.error(low)} and {formats.error(high)}."
    return Picture(canvas.figure(), alt, (*names[2][:2], what), rows)
