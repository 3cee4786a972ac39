"""Fields over the inputs: maps for two inputs, scattered points for any two of more."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots import scales
from lsr_app.plots.base import Canvas, Picture, Rows, finite_range, light, log_magnitude, number
from lsr_app.plots.scales import ColourScale, Limits
from lsr_app.reading.rundata import DisplayGrid, RunData
from lsr_app.words import formats

MAP_HEIGHT = 300
MAX_POINTS = 8_000
HOVER = "%{x:.3g}, %{y:.3g}: "


def field(
    run: RunData, values: NDArray[Any], what: str, limits: Limits, *, axes: tuple[int, int] = (0, 1), coarse: bool = False
) -> Picture:  # fmt: skip
    """Values of a field on a colour range that is shared by truth, network and refined predictor."""
    return _draw(run, values, what, scales.linear(limits), axes, coarse=coarse)


def signed_error(
    run: RunData, values: NDArray[Any], what: str, limit: float, *, axes: tuple[int, int] = (0, 1)
) -> Picture:
    """Errors on a scale that is symmetric about zero and reaches ± limit."""
    return _draw(run, values, what, scales.signed(limit), axes)


def error_magnitude(
    run: RunData, values: NDArray[Any], what: str, limits: Limits, *, axes: tuple[int, int] = (0, 1), coarse: bool = False
) -> Picture:  # fmt: skip
    """|error| on a logarithmic scale; `limits` are powers of ten."""
    shown = scales.clipped(values, limits)
    return _draw(run, shown, what, scales.powers(limits), axes, coarse=coarse, raw=values)


def ratio(
    run: RunData, refined: NDArray[Any], network: NDArray[Any], what: str, *, axes: tuple[int, int] = (0, 1)
) -> Picture:
    """|refined error| / |network error| on a logarithmic scale that is symmetric about 1."""
    values = log_magnitude(refined) - log_magnitude(network)
    values = np.where(refined == network, 0.0, values)
    limit = max(1.0, float(np.ceil(np.quantile(np.abs(values), 0.98)))) if values.size else 1.0
    scale = scales.powers((-limit, limit), about_one=True)
    return _draw(run, np.clip(values, *scale.limits), what, scale, axes, raw=10**values)


def shared_limits(run: RunData, output: int) -> Limits:
    """Colour range of values: that of the truth, a little wider."""
    return scales.limits_of(run.fields.targets[:, output])


def heat(grid: DisplayGrid, values: NDArray[Any], scale: ColourScale) -> dict[str, Any]:
    """Trace of values on a grid."""
    return scale.heat(light(grid.x), light(grid.y), grid(values), HOVER + "%{z:.3g}")


def _draw(
    run: RunData, values: NDArray[Any], what: str, scale: ColourScale, axes: tuple[int, int], *, coarse: bool = False,
    raw: NDArray[Any] | None = None,
) -> Picture:  # fmt: skip
    canvas = Canvas(height=MAP_HEIGHT)
    inputs = run.fields.inputs[run.fields.stepped_points] if coarse else run.fields.inputs
    grid = (run.stepped_grid if coarse else run.grid) if axes == (0, 1) and run.dimension == 2 else None
    canvas.traces.append(heat(grid, values, scale) if grid is not None else _scatter(inputs, values, scale, axes))
    canvas.map_axes(*(formats.plot(run.input_name(axis)) for axis in axes))
    shown = values if raw is None else raw
    low, high = finite_range(np.abs(shown))
    alt = (
        f"{what} over {run.input_name(axes[0])} and {run.input_name(axes[1])}: "
        f"magnitudes between {formats.error(low)} and {formats.error(high)}."
    )

    def rows() -> Rows:
        for point, value in zip(inputs.tolist(), shown.tolist(), strict=True):
            yield *point, number(value)

    names = tuple(run.input_name(axis) for axis in range(run.dimension))
    return Picture(canvas.figure(), formats.one_line(alt, 300), (*names, what), rows)


def _scatter(inputs: NDArray[Any], values: NDArray[Any], scale: ColourScale, axes: tuple[int, int]) -> dict[str, Any]:
    every = max(1, -(-len(inputs) // MAX_POINTS))
    return {
        "type": "scattergl" if len(inputs) > 1500 else "scatter", "mode": "markers", "x": light(inputs[::every, axes[0]]),
        "y": light(inputs[::every, axes[1]]), "name": "", "hovertemplate": HOVER + "%{marker.color:.3g}",
        "marker": scale.marker(values[::every], 5 if len(inputs) < 2000 else 3.5),
    }  # fmt: skip
