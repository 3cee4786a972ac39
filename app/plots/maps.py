"""Fields over the inputs: maps for two inputs, scattered points for any two of more."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots import theme
from lsr_app.plots.base import Canvas, Picture, Rows, finite_range, light, log_magnitude, number
from lsr_app.reading.rundata import Grid, RunData
from lsr_app.words import formats

MAP_HEIGHT = 300
MAX_POINTS = 8_000
Limits = tuple[float, float]


def field(
    run: RunData, values: NDArray[Any], what: str, limits: Limits, *, axes: tuple[int, int] = (0, 1), coarse: bool = False,
    mode: str | None = None,
) -> Picture:  # fmt: skip
    """Values of a field on a colour range that is shared by truth, network and refined predictor."""
    bar = {"exponentformat": "power"}
    return _draw(run, values, what, limits, theme.LIGHT.magnitude, bar, axes, coarse, mode)


def signed_error(
    run: RunData,
    values: NDArray[Any],
    what: str,
    limit: float,
    *,
    axes: tuple[int, int] = (0, 1),
    mode: str | None = None,
) -> Picture:
    """Errors on a scale that is symmetric about zero and reaches ± limit."""
    colours = theme.scale(theme.palette(mode).diverging)
    limit = limit if limit > 0 else 1.0
    bar = {"tickvals": [-limit, 0, limit], "ticktext": [f"−{formats.error(limit)}", "0", formats.error(limit)]}
    return _draw(run, values, what, (-limit, limit), colours, bar, axes, False, mode)


def error_magnitude(
    run: RunData, values: NDArray[Any], what: str, limits: Limits, *, axes: tuple[int, int] = (0, 1), coarse: bool = False,
    mode: str | None = None,
) -> Picture:  # fmt: skip
    """|error| on a logarithmic scale; `limits` are powers of ten."""
    shown = np.clip(log_magnitude(values), *limits)
    return _draw(run, shown, what, limits, "Cividis", decade_bar(limits), axes, coarse, mode, raw=values)


def ratio(
    run: RunData, refined: NDArray[Any], network: NDArray[Any], what: str, *, axes: tuple[int, int] = (0, 1),
    mode: str | None = None,
) -> Picture:  # fmt: skip
    """|refined error| / |network error| on a logarithmic scale that is symmetric about 1."""
    values = log_magnitude(refined) - log_magnitude(network)
    values = np.where(refined == network, 0.0, values)
    limit = max(1.0, float(np.ceil(np.quantile(np.abs(values), 0.98)))) if values.size else 1.0
    colours = theme.scale(theme.palette(mode).diverging)
    shown = np.clip(values, -limit, limit)
    return _draw(
        run, shown, what, (-limit, limit), colours, decade_bar((-limit, limit)), axes, False, mode, raw=10**values
    )


def shared_limits(run: RunData, output: int) -> Limits:
    """Colour range of values: that of the truth, a little wider."""
    return limits_of(run.fields.targets[:, output])


def limits_of(values: NDArray[Any]) -> Limits:
    """Range of some values, a little wider."""
    low, high = finite_range(values)
    room = 0.02 * (high - low) or 1.0
    return low - room, high + room


def largest(values: NDArray[Any]) -> float:
    """Reach of an error scale: the 99.8 % quantile, so that a single point does not wash out the rest."""
    finite = np.abs(values[np.isfinite(values)])
    return float(np.quantile(finite, 0.998)) if finite.size else 1.0


def decades(*arrays: NDArray[Any]) -> Limits:
    """Whole powers of ten that hold nearly all of the magnitudes."""
    low, high = 0.0, 1.0
    spans = []
    for array in arrays:
        magnitudes = log_magnitude(array[np.isfinite(array) & (array != 0)])
        if magnitudes.size:
            spans.append(np.quantile(magnitudes, [0.02, 0.998]))
    if spans:
        low = float(np.floor(min(span[0] for span in spans)))
        high = float(np.ceil(max(span[1] for span in spans)))
    return (low, high) if high > low else (low, low + 1)


def _draw(
    run: RunData, values: NDArray[Any], what: str, limits: Limits, colours: Any, bar: dict[str, Any],
    axes: tuple[int, int], coarse: bool, mode: str | None, raw: NDArray[Any] | None = None,
) -> Picture:  # fmt: skip
    canvas = Canvas(mode, height=MAP_HEIGHT)
    inputs = run.fields.inputs[run.fields.stepped_points] if coarse else run.fields.inputs
    grid = (run.stepped_grid if coarse else run.grid) if axes == (0, 1) and run.dimension == 2 else None
    colourbar = {
        "thickness": 8, "outlinewidth": 0, "len": 1.0, "x": 1.02, "xpad": 0, "ypad": 0,
        "tickfont": {"size": theme.SMALL, "color": canvas.colours.muted}, **bar,
    }  # fmt: skip
    if grid is not None:
        canvas.traces.append(heatmap(grid, values, limits, colours, colourbar))
    else:
        canvas.traces.append(_scatter(inputs, values, limits, colours, colourbar, axes, mode))
    x, y = (formats.plot(run.input_name(axis)) for axis in axes)
    canvas.axes(x, y, xaxis={"showgrid": False, "nticks": 6}, yaxis={"showgrid": False, "nticks": 6})
    canvas.layout["margin"] = {"l": 46, "r": 58, "t": 8, "b": 42, "autoexpand": False}
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


def heatmap(grid: Grid, values: NDArray[Any], limits: Limits, colours: Any, bar: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "heatmap", "x": light(grid.x), "y": light(grid.y), "z": light(grid(values)), "zmin": limits[0],
        "zmax": limits[1], "colorscale": colours, "colorbar": bar, "name": "", "hovertemplate": "%{x:.3g}, %{y:.3g}: %{z:.3g}",
    }  # fmt: skip


def _scatter(
    inputs: NDArray[Any], values: NDArray[Any], limits: Limits, colours: Any, bar: dict[str, Any], axes: tuple[int, int],
    mode: str | None,
) -> dict[str, Any]:  # fmt: skip
    every = max(1, -(-len(inputs) // MAX_POINTS))
    marker = {
        "size": 5 if len(inputs) < 2000 else 3.5, "color": light(values[::every]), "cmin": limits[0], "cmax": limits[1],
        "colorscale": colours, "colorbar": bar, "showscale": True,
    }  # fmt: skip
    return {
        "type": "scattergl" if len(inputs) > 1500 else "scatter", "mode": "markers", "x": light(inputs[::every, axes[0]]),
        "y": light(inputs[::every, axes[1]]), "marker": marker, "name": "",
        "hovertemplate": "%{x:.3g}, %{y:.3g}: %{marker.color:.3g}",
    }  # fmt: skip


def decade_bar(limits: Limits) -> dict[str, Any]:
    """Colour bar of powers of ten with at most five labels."""
    low, high = int(np.floor(limits[0])), int(np.ceil(limits[1]))
    step = max(1, -(-(high - low) // 4))
    start = -(-low // step) * step
    ticks = list(range(start, high + 1, step))
    return {"tickvals": ticks, "ticktext": [f"10<sup>{str(tick).replace('-', '−')}</sup>" for tick in ticks]}
