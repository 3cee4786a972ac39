"""Fields over the inputs: maps for two inputs, scattered points for any two of more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots import scales
from lsr_app.plots.base import Canvas, Picture, Rows, finite_range, light, log_magnitude, number
from lsr_app.plots.scales import ColourScale, Limits
from lsr_app.reading.displaygrid import DisplayGrid
from lsr_app.reading.rundata import RunData
from lsr_app.words import drawntexts, formats

MAP_HEIGHT = 300
SQUARE_HEIGHT = 250  # of a map whose axes have one scale: a panel is not much wider
LONGEST = 4  # times that one side may be of the other, for one scale on both axes
MAX_POINTS = 8_000
TIMES = ("t", "time", "τ")


def field(
    run: RunData, values: NDArray[Any], what: str, limits: Limits, *, axes: tuple[int, int] = (0, 1), coarse: bool = False
) -> Picture:  # fmt: skip
    """Values of a field on a colour range that is shared by truth, network and refined predictor."""
    return _draw(run, values, what, scales.linear(limits), axes, coarse=coarse, value=_name(what))


def signed_error(
    run: RunData, values: NDArray[Any], what: str, limit: float, *, axes: tuple[int, int] = (0, 1)
) -> Picture:
    """Errors on a scale that is symmetric about zero and reaches ± limit."""
    return _draw(run, values, what, scales.signed(limit), axes, value="error")


def error_magnitude(
    run: RunData, values: NDArray[Any], what: str, limits: Limits, *, axes: tuple[int, int] = (0, 1), coarse: bool = False
) -> Picture:  # fmt: skip
    """|error| on a logarithmic scale; `limits` are powers of ten. Points that are zero to rounding, where few are, stay blank."""
    zero = scales.apart(values, rounding_of(run))
    shown = np.where(zero, np.nan, scales.clipped(values, limits))
    picture = _draw(run, shown, what, scales.powers(limits), axes, coarse=coarse, raw=values, value="|error|")
    return replace(picture, note=drawntexts.blank_points(int(zero.sum()), len(values))) if zero.any() else picture


def ratio(
    run: RunData, refined: NDArray[Any], network: NDArray[Any], what: str, *, axes: tuple[int, int] = (0, 1)
) -> Picture:
    """|refined error| / |network error| on a logarithmic scale that is symmetric about 1."""
    zero = scales.apart(refined, rounding_of(run)) & scales.apart(network, rounding_of(run))
    values = log_magnitude(refined) - log_magnitude(network)
    values = np.where((refined == network) | zero, 0.0, values)
    limit = max(1.0, float(np.ceil(np.quantile(np.abs(values), 0.98)))) if values.size else 1.0
    scale = scales.powers((-limit, limit), about_one=True)
    return _draw(run, np.clip(values, *scale.limits), what, scale, axes, raw=10**values, value="refined / network")


def rounding_of(run: RunData) -> float:
    """What an error at a display point may be from rounding alone."""
    return scales.rounding_of(run.fields.targets, run.epsilon)


def shared_limits(run: RunData, output: int) -> Limits:
    """Colour range of values: that of the truth, a little wider."""
    return scales.limits_of(run.fields.targets[:, output])


def heat(
    grid: DisplayGrid, values: NDArray[Any], scale: ColourScale, hover: str, raw: NDArray[Any] | None = None
) -> dict[str, Any]:
    """Trace of values on a grid; `raw` is what the hint says of them where the colours stand for something else."""
    more: dict[str, Any] = (
        {"hoverongaps": False} if raw is None else {"hoverongaps": False, "customdata": light(grid(raw))}
    )
    return scale.heat(light(grid.x), light(grid.y), grid(values), hover, **more)


def one_scale(run: RunData, axes: tuple[int, int] = (0, 1)) -> bool:
    """Whether both axes measure the same, so that a unit is as long on one as on the other: equal units, and neither alone is time."""
    named = run.about.inputs
    first, second = (named[axis] if axis < len(named) else None for axis in axes)
    if (first.unit if first else "") != (second.unit if second else ""):
        return False
    names = [part.name if part else "" for part in (first, second)]
    return alike(names, [run.fields.inputs[:, axis] for axis in axes])


def alike(names: Sequence[str], coordinates: Sequence[NDArray[Any]]) -> bool:
    """Whether two variables of one unit fit one scale: neither alone is time, neither is far longer than the other."""
    spans = [float(np.ptp(values)) for values in coordinates]
    timely = [name.lower() in TIMES for name in names]
    return timely[0] == timely[1] and min(spans) > 0 and max(spans) <= LONGEST * min(spans)


def height(square: bool) -> int:
    return SQUARE_HEIGHT if square else MAP_HEIGHT


def hover_of(names: tuple[str, str], value: str, shown: str) -> str:
    """What a hint at a point of a map says: both inputs and the value, with names and units."""
    return f"{names[0]} = %{{x:.4g}}<br>{names[1]} = %{{y:.4g}}<br>{value} = %{{{shown}}}"


def _draw(
    run: RunData, values: NDArray[Any], what: str, scale: ColourScale, axes: tuple[int, int], *, coarse: bool = False,
    raw: NDArray[Any] | None = None, value: str = "",
) -> Picture:  # fmt: skip
    square = one_scale(run, axes)
    canvas = Canvas(height=height(square))
    inputs = run.fields.inputs[run.fields.stepped_points] if coarse else run.fields.inputs
    grid = (run.stepped_grid if coarse else run.map_grid) if axes == (0, 1) and run.dimension == 2 else None
    names = formats.plot(run.input_name(axes[0])), formats.plot(run.input_name(axes[1]))
    kept = values if raw is None else raw
    if grid is not None:
        canvas.traces.append(
            heat(grid, values, scale, hover_of(names, value, "customdata:.3g" if raw is not None else "z:.3g"), raw)
        )
    else:
        canvas.traces.append(_scatter(inputs, values, kept, scale, axes, hover_of(names, value, "customdata:.3g")))
    canvas.map_axes(*names, one_scale=square)
    low, high = finite_range(np.abs(kept))
    alt = (
        f"{what} over {run.input_name(axes[0])} and {run.input_name(axes[1])}: "
        f"magnitudes between {formats.error(low)} and {formats.error(high)}."
    )

    def rows() -> Rows:
        for point, value in zip(inputs.tolist(), kept.tolist(), strict=True):
            yield *point, number(value)

    columns = tuple(run.input_name(axis) for axis in range(run.dimension))
    return Picture(canvas.figure(), formats.one_line(alt, 300), (*columns, what), rows)


def _name(what: str) -> str:
    return what[:1].lower() + what[1:]


def _scatter(
    inputs: NDArray[Any], values: NDArray[Any], raw: NDArray[Any], scale: ColourScale, axes: tuple[int, int], hover: str
) -> dict[str, Any]:
    values = np.where(np.isfinite(values), values, scale.limits[0])
    every = max(1, -(-len(inputs) // MAX_POINTS))
    return {
        "type": "scattergl" if len(inputs) > 1500 else "scatter", "mode": "markers", "x": light(inputs[::every, axes[0]]),
        "y": light(inputs[::every, axes[1]]), "name": "", "hovertemplate": hover, "customdata": light(raw[::every]),
        "marker": scale.marker(values[::every], 5 if len(inputs) < 2000 else 3.5),
    }  # fmt: skip
