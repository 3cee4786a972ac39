"""Colour scales of maps: how far they reach, what stands on their bars, and the traces that are drawn with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots import theme
from lsr_app.plots.base import finite_range, light, log_magnitude
from lsr_app.words import formats

Limits = tuple[float, float]
MAGNITUDES = "Cividis"


@dataclass(frozen=True)
class ColourScale:
    """Colours over `limits`; `ticks` is what Plotly is told of the labels of the bar."""

    limits: Limits
    colours: Any
    ticks: dict[str, Any]

    def bar(self, **more: Any) -> dict[str, Any]:
        """The colour bar, at the right edge of the figure."""
        return {
            "thickness": 8, "outlinewidth": 0, "len": 1.0, "x": 1.04, "xpad": 0, "ypad": 0,
            "tickfont": {"size": theme.SMALL, "color": theme.palette().muted}, **self.ticks, **more,
        }  # fmt: skip

    def heat(self, x: Any, y: Any, z: NDArray[Any], hover: str, **more: Any) -> dict[str, Any]:
        """Trace of a map of `z`, (len(y), len(x))."""
        return self.levels(x, y, z, hover, type="heatmap", **more)

    def levels(self, x: Any, y: Any, z: NDArray[Any], hover: str, **more: Any) -> dict[str, Any]:
        """The same for any type of trace that colours an array."""
        return {
            "x": x, "y": y, "z": light(z), "zmin": self.limits[0], "zmax": self.limits[1], "colorscale": self.colours,
            "colorbar": self.bar(), "name": "", "hovertemplate": hover,
        } | more  # fmt: skip

    def marker(self, values: NDArray[Any], size: float, **more: Any) -> dict[str, Any]:
        """Style of points that are coloured by values."""
        return {
            "size": size, "color": light(values), "cmin": self.limits[0], "cmax": self.limits[1],
            "colorscale": self.colours, "colorbar": self.bar(), "showscale": True,
        } | more  # fmt: skip


def linear(limits: Limits) -> ColourScale:
    """Of the values of a field."""
    return ColourScale(limits, theme.palette().magnitude, {"exponentformat": "power"})


def signed(limit: float) -> ColourScale:
    """Of errors: symmetric about zero, to ± limit."""
    limit = limit if limit > 0 else 1.0
    ends = {"tickvals": [-limit, 0, limit], "ticktext": [f"−{formats.error(limit)}", "0", formats.error(limit)]}
    return ColourScale((-limit, limit), theme.scale(theme.palette().diverging), ends)


def powers(limits: Limits, *, about_one: bool = False) -> ColourScale:
    """Of sizes by their power of ten; `about_one` gives what lies below one other colours."""
    colours = theme.scale(theme.palette().diverging) if about_one else MAGNITUDES
    return ColourScale(limits, colours, _decades(limits))


def rounding_of(values: NDArray[Any], epsilon: float = float(np.finfo(np.float64).eps)) -> float:
    """What an error may be from rounding alone, of a field with these values."""
    finite = np.abs(values[np.isfinite(values)])
    return 8 * epsilon * float(finite.max(initial=0.0))


def apart(values: NDArray[Any], rounding: float) -> NDArray[np.bool_]:
    """Which values are zero to rounding, where these are the exception, such as at a boundary whose values a network has by construction.

    Their sizes say nothing, and would stretch a logarithmic scale over all digits of the number type. Where most values are as small,
    that is the result, and none is apart.
    """
    found: NDArray[np.bool_] = np.abs(values) <= rounding
    return found if 2 * found.sum() < found.size else np.zeros_like(found)


def clipped(values: NDArray[Any], limits: Limits) -> NDArray[np.float64]:
    """Powers of ten of the sizes of values, held inside the limits."""
    held: NDArray[np.float64] = np.clip(log_magnitude(values), *limits)
    return held


def limits_of(values: NDArray[Any]) -> Limits:
    """Range of some values, a little wider."""
    low, high = finite_range(values)
    room = 0.02 * (high - low) or 1.0
    return low - room, high + room


def largest(values: NDArray[Any]) -> float:
    """Reach of an error scale: the 99.8 % quantile, so that a single point does not wash out the rest."""
    finite = np.abs(values[np.isfinite(values)])
    return float(np.quantile(finite, 0.998)) if finite.size else 1.0


def decades(*arrays: NDArray[Any], rounding: float = 0.0, upper: float = 0.998) -> Limits:
    """Whole powers of ten that hold nearly all of the magnitudes, those left out that are zero to `rounding` and few.

    Args:
        upper: share of the magnitudes that lie below the upper end; 1 where the largest are what the figure is about.
    """
    low, high = 0.0, 1.0
    spans = []
    for array in arrays:
        magnitudes = log_magnitude(array[np.isfinite(array) & (array != 0) & ~apart(array, rounding)])
        if magnitudes.size:
            spans.append(np.quantile(magnitudes, [0.02, upper]))
    if spans:
        low = float(np.floor(min(span[0] for span in spans)))
        high = float(np.ceil(max(span[1] for span in spans)))
    return (low, high) if high > low else (low, low + 1)


def _decades(limits: Limits) -> dict[str, Any]:
    """Labels at powers of ten, at most five."""
    low, high = int(np.floor(limits[0])), int(np.ceil(limits[1]))
    step = max(1, -(-(high - low) // 4))
    start = -(-low // step) * step
    ticks = list(range(start, high + 1, step))
    return {"tickvals": ticks, "ticktext": [f"10<sup>{str(tick).replace('-', '−')}</sup>" for tick in ticks]}
