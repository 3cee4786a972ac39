"""What all figures share: labels, axes, lines, and the value a figure function returns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lsr_app.plots import theme
from lsr_app.reading.rundata import RunData

Labelled = Sequence[tuple[str, RunData]]
Rows = Iterable[Sequence[object]]
HEIGHT = 320
LEGEND_WIDTH = 310  # of a phone, in the widths of `_legend_rows`: rows are kept free for a legend as it wraps there
LARGE = 20  # type of a figure that is projected
TINY = 1e-300  # below every error that float64 can tell from zero; keeps logarithms finite


@dataclass(frozen=True)
class Picture:
    """A figure with what belongs to it wherever it is shown.

    Attributes:
        alt: one or two sentences for those who cannot see it, with the figures that matter.
        columns, rows: the table behind it; rows are made only when somebody downloads them.
        note: a sentence about this very figure, such as what lies beyond its axis.
    """

    figure: go.Figure
    alt: str
    columns: tuple[str, ...]
    rows: Callable[[], Rows]
    note: str = ""


@dataclass
class Canvas:
    """Collects traces and layout as plain dictionaries and validates them once, at the end."""

    height: int = HEIGHT
    traces: list[dict[str, Any]] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=dict)

    @property
    def colours(self) -> theme.Palette:
        return theme.palette()

    def line(
        self,
        x: NDArray[Any],
        y: NDArray[Any],
        name: str,
        colour: str,
        *,
        dash: str = "solid",
        width: float = 2.0,
        **more: Any,
    ) -> None:
        style = {"color": colour, "width": width, "dash": dash}
        self.traces.append({"type": "scatter", "mode": "lines", "x": x, "y": y, "name": name, "line": style} | more)

    def points(
        self,
        x: Any,
        y: Any,
        name: str,
        colour: str,
        *,
        symbol: str = "circle",
        size: int = 9,
        outline: int = 2,
        **more: Any,
    ) -> None:
        marker = {"color": colour, "size": size, "symbol": symbol, "line": {"width": outline, "color": colour}}
        self.traces.append(
            {"type": "scatter", "mode": "markers", "x": x, "y": y, "name": name, "marker": marker, **more}
        )

    def vertical(self, x: float, colour: str, dash: str = "dot") -> None:
        """A line across the whole height at x in data units, on linear and logarithmic axes alike."""
        shape = {
            "type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "layer": "below",
            "line": {"color": colour, "width": 1, "dash": dash},
        }  # fmt: skip
        self.layout.setdefault("shapes", []).append(shape)

    def axes(self, x: str, y: str, *, logx: bool = False, logy: bool = False, **more: Any) -> None:
        """Axis titles must already be escaped."""
        self.layout["xaxis"] = theme.axis(x, "log" if logx else "linear") | more.pop("xaxis", {})
        self.layout["yaxis"] = theme.axis(y, "log" if logy else "linear") | more.pop("yaxis", {})

    def map_axes(self, x: str, y: str, *, one_scale: bool = False) -> None:
        """Axes of a map, with room for its colour bar; `one_scale` makes a unit as long on one axis as on the other."""
        bare: dict[str, Any] = {"showgrid": False, "nticks": 6}
        across, up = dict(bare), dict(bare)
        if one_scale:
            across |= {"constrain": "domain", "constraintoward": "right"}
            up |= {"constrain": "domain", "constraintoward": "top", "scaleanchor": "x", "scaleratio": 1}
        self.axes(x, y, xaxis=across, yaxis=up)
        self.layout["margin"] = {"l": 46, "r": 64, "t": 8, "b": 42, "autoexpand": False}

    @property
    def _is_of_curves(self) -> bool:
        """Whether one hint can tell the values of all curves at a place; what has hints of its own keeps them."""
        plain = all(
            trace["type"] == "scatter" and not {"hovertemplate", "hoverinfo"} & set(trace) for trace in self.traces
        )
        return plain and any("lines" in trace.get("mode", "") for trace in self.traces)

    def figure(self) -> go.Figure:
        for letter in "xy":
            axis = self.layout.get(f"{letter}axis", {})
            if axis.get("type") == "log" and "dtick" not in axis:
                axis.update(_log_ticks([trace.get(letter) for trace in self.traces], 7 if letter == "y" else 9))
        names = [trace["name"] for trace in self.traces if trace.get("name") and trace.get("showlegend", True)]
        if "margin" not in self.layout and len(names) > 1 and self.layout.get("showlegend", True):
            rows = _legend_rows(names, LEGEND_WIDTH)
            self.layout["margin"] = theme.layout()["margin"] | {"t": 10 + 20 * rows}
            self.height += 20 * (rows - 1)
        if self._is_of_curves:
            self.layout.setdefault("hovermode", "x unified")
        layout = theme.layout() | {"height": self.height} | self.layout
        return go.Figure({"data": self.traces, "layout": layout})


def enlarged(picture: Picture) -> Picture:
    """The same with type and lines for a screen at the front of a room."""
    figure = go.Figure(picture.figure)
    top = figure.layout.margin.t or 0
    figure.update_layout(
        height=1.5 * figure.layout.height, font_size=LARGE, legend_font_size=LARGE, hoverlabel_font_size=LARGE
    )
    figure.update_layout(margin={"l": 96, "r": 40, "b": 72, "t": 1.7 * top})
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(tickfont_size=LARGE, title_font_size=LARGE, title_standoff=14)
    figure.for_each_trace(lambda trace: trace.update(line_width=1.6 * (trace.line.width or 2)))
    return replace(picture, figure=figure)


def _legend_rows(names: list[str], width: int) -> int:
    """Rows a horizontal legend takes; once it wraps, Plotly gives every entry the width of the widest."""
    widths = [44 + 5.9 * len(name) for name in names]
    if sum(widths) <= width:
        return 1
    return math.ceil(len(names) / max(1, int(width / max(widths))))


def _log_ticks(values: list[Any], most: int) -> dict[str, Any]:
    """Ticks at whole decades, at most `most` of them; left to Plotly where the data span less than two, which then are 2e-5 and not 0.2×10⁻⁴."""
    arrays = [np.asarray(part, dtype=np.float64) for part in values if part is not None and len(part)]
    low, high = finite_range(*(part[part > 0] for part in arrays))
    decades = math.log10(high) - math.log10(low) if low > 0 else 0.0  # their ratio may overflow
    if decades >= 2:
        return {"dtick": max(1, math.ceil(decades / most))}
    return {"tickformat": ".2~e"} if high < 0.01 or low >= 1e4 else {}


def suffix(index: int) -> str:
    """What marks the traces of a run laid over the first; the page says which run has which number."""
    return f" ({index + 1})" if index else ""


def dash(index: int, style: str = "solid") -> str:
    """The first run is drawn solid, those laid over it dashed."""
    return style if index == 0 else "dash"


def light(values: NDArray[Any]) -> NDArray[np.float32]:
    """Half the bytes on the way to the browser; finer than any pixel."""
    return np.ascontiguousarray(values, dtype=np.float32)


def positive(values: NDArray[Any]) -> NDArray[np.float64]:
    """Values for a logarithmic axis: what is not positive becomes a gap."""
    values = np.asarray(values, dtype=np.float64)
    return np.where(values > 0, values, np.nan)


def log_magnitude(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.log10(np.maximum(np.abs(values), TINY))


def finite_range(*arrays: NDArray[Any]) -> tuple[float, float]:
    """Smallest and largest finite value, (0, 1) if there is none."""
    parts = [array[np.isfinite(array)] for array in arrays]
    parts = [part for part in parts if part.size]
    if not parts:
        return 0.0, 1.0
    return min(float(part.min()) for part in parts), max(float(part.max()) for part in parts)


def number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
