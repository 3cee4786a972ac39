"""Figures of the dials, of the four fits and of what a class predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lsr_app.plots.base import Canvas, Picture, Rows, positive
from lsr_app.screens.lesson import lessontexts as words
from lsr_app.words import formats

if TYPE_CHECKING:
    from lsr_app.screens.lesson.dials import Bowl, Precision
    from lsr_app.screens.lesson.twobytwo import Cell

HEIGHT = 340
SHOWN = 1.6  # half the side of the picture of the bowl


def cell(found: Cell) -> Picture:
    """Loss against steps of the four ways; dashed from many starts, in the colour of refinement in other coordinates."""
    from lsr_app.screens.lesson.twobytwo import ARRIVED, ENOUGH

    canvas = Canvas(HEIGHT)
    tints = {False: canvas.colours.network, True: canvas.colours.refined}
    for (whitened, many), losses in found.losses.items():
        steps = np.unique(np.geomspace(1, len(losses), 300).round().astype(int))
        canvas.line(
            steps, np.maximum(losses[steps - 1], ENOUGH), words.CURVES[whitened, many], tints[whitened], dash="dash" if many else "solid", width=2.5
        )  # fmt: skip
    canvas.line(
        np.array([1, len(found.losses[True, True])]),
        np.full(2, ARRIVED),
        "Three digits",
        canvas.colours.muted,
        dash="dot",
        width=1.2,
    )
    canvas.axes("Steps", "Share of the loss that is left", logx=True, logy=True)
    ends = ", ".join(
        f"{words.CURVES[way].lower()} {formats.error(float(losses[-1]))}" for way, losses in found.losses.items()
    )

    def rows() -> Rows:
        return zip(
            range(len(found.losses[True, True])), *(found.losses[way].tolist() for way in words.CURVES), strict=True
        )

    columns = ("step", "one_start", "many_starts", "whitened", "whitened_many_starts")
    return Picture(canvas.figure(), f"Share of the loss left after 1,000 steps: {ends}.", columns, rows)


def bowl(found: Bowl) -> Picture:
    """The path over contours of the loss, as far as the picture goes."""
    canvas = Canvas(HEIGHT)
    side = np.linspace(-SHOWN, SHOWN, 81)
    height = side[None, :] ** 2 + (side[:, None] / found.kappa) ** 2
    canvas.traces.append(
        {
            "type": "contour", "x": side, "y": side, "z": height, "showscale": False, "hoverinfo": "skip", "ncontours": 14,
            "contours": {"coloring": "lines"}, "line": {"width": 1}, "colorscale": [[0, canvas.colours.grid], [1, canvas.colours.muted]],
        }
    )  # fmt: skip
    beyond = np.flatnonzero(np.abs(found.path).max(axis=1) > SHOWN)
    path = found.path[: int(beyond[0]) + 1] if len(beyond) else found.path
    tint = canvas.colours.stepped if found.diverges else canvas.colours.refined
    canvas.traces.append(
        {
            "type": "scatter", "mode": "lines+markers", "x": path[:, 0], "y": path[:, 1], "name": "Gradient descent",
            "line": {"color": tint, "width": 2}, "marker": {"size": 6, "color": tint},
            "hovertemplate": "across %{x:.3g}<br>along %{y:.3g}<extra></extra>",
        }
    )  # fmt: skip
    canvas.points([0.0], [0.0], "Minimum", canvas.colours.truth, symbol="cross", size=11)
    limits = {"range": [-SHOWN, SHOWN]}
    canvas.axes("Across the valley", "Along the valley", xaxis=limits, yaxis=dict(limits))
    canvas.layout["hovermode"] = "closest"
    last = ", ".join(formats.error(float(value)) for value in found.path[-1])
    alt = f"Path of gradient descent at κ = {formats.error(found.kappa)} and step {found.rate:g}: after {len(found.path) - 1} steps at ({last})."

    def rows() -> Rows:
        return ((step, *point) for step, point in enumerate(found.path.tolist()))

    return Picture(canvas.figure(), alt, ("step", "across", "along"), rows)


def precision(found: Precision, place: int) -> Picture:
    """Error against ε for one κ, with the line ε·κ and the chosen length of numbers."""
    canvas = Canvas(HEIGHT)
    canvas.line(
        found.epsilon, np.minimum(found.epsilon * found.kappa, 1.0), "ε·κ, at most 1", canvas.colours.muted, dash="dash"
    )
    canvas.line(found.epsilon, positive(found.errors), "Measured", canvas.colours.refined, width=2.5)
    canvas.points([found.epsilon[place]], [found.errors[place]], "Chosen", canvas.colours.stepped, size=12)
    limits = {"range": [-16.5, 0.5], "dtick": 2}
    canvas.axes(
        "ε, rounding of the numbers", "Error of the solution", logx=True, logy=True, xaxis=limits, yaxis=dict(limits)
    )
    alt = f"Error of a solution against rounding at κ = {formats.error(found.kappa)}: {formats.error(float(found.errors[place]))} at the chosen one."

    def rows() -> Rows:
        return zip(found.epsilon.tolist(), found.errors.tolist(), strict=True)

    return Picture(canvas.figure(), alt, ("epsilon", "error"), rows)


def class_predictions(options: tuple[str, ...], counts: list[int], right: int) -> Picture:
    """Bars of what browsers predicted; the one that was measured in the colour of refinement."""
    canvas = Canvas(70 + 46 * len(options))
    tints = [canvas.colours.refined if place == right else canvas.colours.network for place in range(len(options))]
    canvas.traces.append(
        {
            "type": "bar", "orientation": "h", "x": counts, "y": [formats.plot(option) for option in options], "marker": {"color": tints},
            "text": counts, "textposition": "auto", "hovertemplate": "%{y}: %{x}<extra></extra>", "showlegend": False,
        }
    )  # fmt: skip
    canvas.axes("Browsers", "", yaxis={"autorange": "reversed", "automargin": True}, xaxis={"rangemode": "tozero"})
    told = ", ".join(f"{option}: {count}" for option, count in zip(options, counts, strict=True))

    def rows() -> Rows:
        return zip(options, counts, [place == right for place in range(len(options))], strict=True)

    return Picture(canvas.figure(), f"Predictions: {told}.", ("prediction", "browsers", "measured"), rows)
