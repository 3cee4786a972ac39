"""What the directions of a subspace correct, how slowly training would, and where they live."""

from __future__ import annotations

import numpy as np

from lsr_app.plots import scales, theme
from lsr_app.plots.base import Canvas, Picture, Rows, number, positive
from lsr_app.words import formats
from lsr_core.refinement.results import Directions

LEAST_SHARE = 1e-12  # of the squared residual; what removes less is drawn as this


def slowness(directions: Directions) -> Picture:
    """Frequency, or without one the share of the residual, against the time constant; coloured by the share."""
    canvas = Canvas(height=400)
    known = has_frequencies(directions)
    shares = np.maximum(directions.share, LEAST_SHARE)
    limits = scales.decades(shares)
    y = directions.frequency if known else shares
    steps = np.where(np.isfinite(directions.steps), positive(directions.steps), np.nan)
    scale = scales.powers(limits)
    title = {"text": "Share", "font": {"size": theme.SMALL}, "side": "top"}
    marker = scale.marker(
        scales.clipped(shares, limits), 11, colorbar=scale.bar(title=title), reversescale=canvas.colours is not theme.DARK,
        line={"width": 1, "color": canvas.colours.muted},
    )  # fmt: skip
    canvas.traces.append(
        {
            "type": "scatter", "mode": "markers", "x": steps, "y": y, "name": "", "marker": marker,
            "customdata": np.column_stack([directions.index, directions.singular_value, directions.share]),
            "hovertemplate": "direction %{customdata[0]:.0f}, σ %{customdata[1]:.3g}<br>time constant %{x:.3g} steps<br>"
            + ("frequency %{y:.3g}<br>" if known else "")
            + "share of the squared residual %{customdata[2]:.3g}<extra></extra>",
        }
    )  # fmt: skip
    what = "Mean frequency (half waves)" if known else "Share of the squared residual"
    canvas.axes("Time constant (σ₁/σ)², steps of gradient descent", what, logx=True, logy=not known)
    canvas.layout |= {"showlegend": False, "margin": {"l": 62, "r": 66, "t": 22, "b": 44, "autoexpand": False}}
    longest = float(np.nanmax(steps)) if np.isfinite(steps).any() else float("nan")
    alt = (
        f"{len(directions.index)} directions; time constants up to {formats.error(longest)} steps of gradient descent."
    )

    def rows() -> Rows:
        columns = (
            directions.index,
            directions.singular_value,
            directions.steps,
            directions.frequency,
            directions.share,
        )
        for index, *values in zip(*(column.tolist() for column in columns), strict=True):
            yield index, *(number(value) for value in values)

    names = ("direction", "singular_value", "time_constant_steps", "mean_frequency", "share_of_squared_residual")
    return Picture(canvas.figure(), alt, names, rows)


def layers(directions: Directions) -> Picture:
    """Share of each direction's squared length in each layer."""
    names = [formats.plot(str(name)) for name in directions.layer_names]
    canvas = Canvas(height=min(520, 110 + 30 * len(names)))
    top = max(0.01, float(directions.layers.max())) if directions.layers.size else 1.0
    scale = scales.ColourScale((0, top), scales.MAGNITUDES, {"tickformat": ".0%", "nticks": 4})
    numbers = [f"{index}" for index in directions.index.tolist()]
    canvas.traces.append(
        scale.heat(numbers, names, directions.layers.T, "direction %{x}, %{y}: %{z:.1%}<extra></extra>")
    )
    canvas.axes(
        "Direction, by singular value", "", xaxis={"type": "category", "showgrid": False, "nticks": 12},
        yaxis={"type": "category", "showgrid": False, "autorange": "reversed"},
    )  # fmt: skip
    longest = max((len(name) for name in names), default=0)
    canvas.layout["margin"] = {"l": min(150, 22 + 7 * longest), "r": 62, "t": 8, "b": 44, "autoexpand": False}
    means = directions.layers.mean(axis=0) if directions.layers.size else np.zeros(len(names))
    most = directions.layer_names[int(np.argmax(means))] if len(names) else ""
    alt = f"Share of the directions in {len(names)} layers; on average the largest is that of {most}, {float(means.max(initial=0)):.0%}."

    def rows() -> Rows:
        for index, shares in zip(directions.index.tolist(), directions.layers.tolist(), strict=True):
            for name, value in zip(directions.layer_names.tolist(), shares, strict=True):
                yield index, name, value

    return Picture(canvas.figure(), formats.one_line(alt, 300), ("direction", "layer", "share"), rows)


def has_frequencies(directions: Directions) -> bool:
    return bool(np.isfinite(directions.frequency).any())
