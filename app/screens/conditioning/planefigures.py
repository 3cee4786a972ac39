"""The loss around θ0 on a plane of parameters: of the network, and of its linear model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots import scales, theme
from lsr_app.plots.base import Canvas, Picture, Rows, light, number
from lsr_app.plots.scales import Limits
from lsr_app.screens.conditioning import conditioningtexts
from lsr_app.words import formats
from lsr_core.refinement.results import LossPlane

HEIGHT = 400
ON_GRID = 1e-12
LEVELS = 16  # at most


def limits(plane: LossPlane) -> Limits:
    """Powers of ten that hold both losses, shared by both maps."""
    return scales.decades(plane.nonlinear, plane.linearised)


def losses(plane: LossPlane, which: str, shared: Limits) -> Picture:
    """One loss over α and β, with the region of agreement, the loss path, θ0 and the end of the step."""
    values: NDArray[np.float64] = getattr(plane, which)
    canvas = Canvas(height=HEIGHT)
    colours = canvas.colours
    canvas.traces.append(_levels(plane, values, shared))
    for width, colour in ((4.0, "#ffffff"), (1.6, "#111418")):  # to be seen on dark and on light colours
        canvas.traces.append(_outline(plane, width, colour))
    canvas.line(
        np.array([0.0, 1.0]),
        np.zeros(2),
        "α from 0 to 1",
        "#ffffff",
        dash="dash",
        width=1.8,
        hoverinfo="skip",
    )
    end = colours.refined if which == "linearised" else colours.stepped
    for x, colour, symbol in ((0.0, colours.network, "circle"), (1.0, end, "diamond")):
        marker = {"color": colour, "size": 12, "symbol": symbol, "line": {"width": 2, "color": "#ffffff"}}
        canvas.traces.append(
            {"type": "scatter", "mode": "markers", "x": [x], "y": [0.0], "marker": marker, "hoverinfo": "skip"}
        )
    canvas.axes(
        "α, steps along Δθ", "β, steps along the second direction",
        xaxis={"showgrid": False, "exponentformat": "e", "range": [plane.alpha[0], plane.alpha[-1]]},
        yaxis={"showgrid": False, "exponentformat": "e", "range": [plane.beta[0], plane.beta[-1]]},
    )  # fmt: skip
    canvas.layout |= {"showlegend": False, "margin": {"l": 56, "r": 58, "t": 8, "b": 44, "autoexpand": False}}
    (x, y), lowest = lowest_at(plane, which)
    place = f"α = {formats.plain(x, 3)}, β = {formats.plain(y, 3)}"
    alt = f"{conditioningtexts.PLANE_PANELS[which]}: loss over α and β, lowest {formats.error(lowest)} at {place}."

    def rows() -> Rows:
        for b, losses_at in zip(plane.beta.tolist(), values.tolist(), strict=True):
            for a, value in zip(plane.alpha.tolist(), losses_at, strict=True):
                yield a, b, number(value)

    return Picture(canvas.figure(), alt, ("alpha", "beta", f"{which}_loss"), rows)


def key(plane: LossPlane) -> list[tuple[str, str, str]]:
    """(glyph, colour, name) of marks and lines; of the end of the step only where the plane reaches it."""
    colours = theme.palette()
    ends = [
        ("◆", colours.stepped, "Network at θ0 + Δθ"),
        ("◆", colours.refined, "Refined predictor: the linear model at Δθ"),
    ]
    return [
        ("●", colours.network, "Network, θ0"),
        *(ends if plane.alpha[-1] >= 1 else []),
        ("▢", colours.text, "Both agree within 10 %, around θ0"),
    ]


def lowest_at(plane: LossPlane, which: str) -> tuple[tuple[float, float], float]:
    """((α, β), loss) of the lowest point of the grid; NaN if no loss is finite."""
    values: NDArray[np.float64] = getattr(plane, which)
    if not np.isfinite(values).any():
        return (math.nan, math.nan), math.nan
    row, column = np.unravel_index(int(np.nanargmin(np.where(np.isfinite(values), values, np.nan))), values.shape)
    return (float(plane.alpha[column]), float(plane.beta[row])), float(values[row, column])


def at_end(plane: LossPlane) -> tuple[float, float] | None:
    """(network, linear model) at the end of the step, α = 1; None where the grid does not have it."""
    column, row = int(np.argmin(np.abs(plane.alpha - 1))), int(np.argmin(np.abs(plane.beta)))
    if abs(plane.alpha[column] - 1) > ON_GRID or abs(plane.beta[row]) > ON_GRID:
        return None
    return float(plane.nonlinear[row, column]), float(plane.linearised[row, column])


def _levels(plane: LossPlane, values: NDArray[np.float64], shared: Limits) -> dict[str, Any]:
    low, high = shared
    step = next(size for size in (0.25, 0.5, 1.0, 2.0, 5.0, 1000.0) if (high - low) / size <= LEVELS)
    known = np.isfinite(values)
    shown = np.where(known, scales.clipped(np.where(known, values, 1.0), shared), np.nan)
    return scales.powers(shared).levels(
        light(plane.alpha), light(plane.beta), shown, "α = %{x:.3g}<br>β = %{y:.3g}<br>loss = 10<sup>%{z:.2f}</sup>",
        type="contour", contours={"start": low, "end": high, "size": step}, line={"width": 0.6, "color": "rgba(255,255,255,0.45)"},
    )  # fmt: skip


def _outline(plane: LossPlane, width: float, colour: str) -> dict[str, Any]:
    """Where both losses agree around θ0: the half-way line between the points that do and those that do not."""
    return {
        "type": "contour", "x": light(plane.alpha), "y": light(plane.beta), "z": light(plane.neighbourhood),
        "contours": {"coloring": "lines", "start": 0.5, "end": 0.5, "size": 1}, "line": {"width": width, "smoothing": 0.6},
        "colorscale": [[0, colour], [1, colour]], "showscale": False, "hoverinfo": "skip", "name": "",
    }  # fmt: skip
