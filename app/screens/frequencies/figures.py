"""Which frequencies the error is made of, half step by half step, and what the time was worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots import maps, scales, theme
from lsr_app.plots.base import Canvas, Picture, Rows, finite_range, light, number, positive
from lsr_app.plots.scales import Limits
from lsr_app.reading.iterationdata import HalfSteps
from lsr_app.screens.frequencies import frequenciestexts
from lsr_app.words import drawntexts, formats, texts
from lsr_core.diagnosis.frequencies import BAND_EDGES
from lsr_core.iteration.records import IterationStep, Pair
from lsr_core.storage.steps import FieldGrid

Floats = NDArray[np.float64]
OBJECTS = ("network", "refined")
ROUNDING = 1e-30  # of all energy of an error, below which a transform in float64 says nothing
LOWEST = 0.25  # where frequency 0 is drawn on the logarithmic axis
MAX_MAP_POINTS = 130  # of an axis; no map has more pixels than twice that
MANY = 40  # steps, from which marks are smaller


def key(iteration: HalfSteps) -> list[tuple[str, str, str]]:
    """(glyph, colour, name) of the lines and marks that the small figures have no room to explain."""
    colours = theme.palette()
    marks = {"lsr": ("◆", colours.refined), "align": ("●", colours.stepped)}
    seen = {step.kind for step in iteration.steps}
    return [(*mark, frequenciestexts.STEP_MARKS[kind]) for kind, mark in marks.items() if kind in seen]


def lines_key() -> list[tuple[str, str, str]]:
    colours = theme.palette()
    return [("━", colours.network, texts.PANELS["network"]), ("━", colours.refined, texts.PANELS["refined"])]


def heat(iteration: HalfSteps, which: str, limits: Limits) -> Picture:
    """Energies of an error by half step and frequency on a logarithmic colour scale; `limits` are powers of ten."""
    spectra = [getattr(step.spectrum, which) for step in iteration.steps]
    bins = max(len(spectrum) for spectrum in spectra if spectrum)
    energies = np.full((bins, len(spectra)), np.nan)
    for place, spectrum in enumerate(spectra):
        if spectrum:
            energies[: len(spectrum), place] = spectrum
    canvas = Canvas(height=maps.MAP_HEIGHT)
    shown = np.where(np.isfinite(energies), scales.clipped(np.nan_to_num(energies), limits), np.nan)
    indices = np.array([step.index for step in iteration.steps], dtype=np.float64)
    scale = scales.powers(limits)
    canvas.traces.append(
        scale.heat(
            np.append(indices - 0.5, indices[-1] + 0.5), _edges(bins), shown,
            "half step %{x}<br>frequency %{y:.0f}<br>energy = 10<sup>%{z:.1f}</sup>",
            colorbar=scale.bar(len=0.92, y=0, yanchor="bottom"), showlegend=False,
        )
    )  # fmt: skip
    mark_steps(canvas, iteration.steps, np.zeros(len(indices)), yaxis="y2")
    canvas.axes(
        "Half step", "Frequency (half waves)",
        xaxis={"showgrid": False, "range": [indices[0] - 0.5, indices[-1] + 0.5], **_whole(len(indices))},
        yaxis={"showgrid": False, "type": "log", "domain": [0, 0.92], **_frequency_ticks(bins)},
    )  # fmt: skip
    canvas.layout["yaxis2"] = {"domain": [0.94, 1], "visible": False, "range": [-1, 1], "fixedrange": True}
    for edge in BAND_EDGES:
        _across(canvas, edge)
    canvas.layout |= {"margin": {"l": 50, "r": 58, "t": 4, "b": 44, "autoexpand": False}, "showlegend": False}
    low, high = finite_range(energies)
    alt = f"{texts.PANELS[which]}: energy of the error by half step and frequency, between {formats.error(low)} and {formats.error(high)}."

    def rows() -> Rows:
        for step, column in zip(iteration.steps, energies.T, strict=True):
            for frequency, value in enumerate(column.tolist()):
                yield step.index, step.kind, frequency, number(value)

    return Picture(canvas.figure(), alt, ("half_step", "kind", "frequency", "energy"), rows)


def heat_limits(iteration: HalfSteps) -> Limits:
    """One colour range for the energies of both errors at all steps."""
    spectra = [getattr(step.spectrum, which) for step in iteration.steps for which in OBJECTS]
    return scales.decades(*(_above_rounding(np.asarray(spectrum)) for spectrum in spectra if spectrum), upper=1.0)


def band(iteration: HalfSteps, name: str, limits: Limits) -> Picture:
    """Energy of one band over the half steps; `limits` are powers of ten that all bands share."""
    canvas = Canvas(height=260)
    indices = np.array([step.index for step in iteration.steps], dtype=np.float64)
    series = {which: _band(iteration, which, name) for which in OBJECTS}
    pair_lines(canvas, iteration.steps, indices, series)
    canvas.axes(
        "Half step", "Energy", logy=True, xaxis={**_whole(len(indices))}, yaxis=_held(limits)
    )  # fmt: skip
    canvas.layout |= {"margin": {"l": 58, "r": 14, "t": 8, "b": 44, "autoexpand": False}, "showlegend": False}
    first, last = (
        formats.error(float(values[place])) for values, place in ((series["network"], 0), (series["refined"], -1))
    )
    alt = f"{frequenciestexts.BANDS[name]}: from {first} at the start to {last} for the refined predictor at the last step."

    def rows() -> Rows:
        for place, step in enumerate(iteration.steps):
            yield (
                step.index,
                step.kind,
                number(float(series["network"][place])),
                number(float(series["refined"][place])),
            )

    return Picture(canvas.figure(), alt, ("half_step", "kind", "network", "refined"), rows)


def band_limits(iteration: HalfSteps) -> Limits:
    """One range for all three bands."""
    parts = []
    for which in OBJECTS:
        by_step = np.stack([_band(iteration, which, name) for name in frequenciestexts.BANDS], axis=1)
        parts += [_above_rounding(energies) for energies in by_step if np.isfinite(energies).all()]
    low, high = finite_range(*parts)
    return (float(np.log10(low)), float(np.log10(high))) if low > 0 else (-1.0, 0.0)


def spectrum(step: IterationStep, limits: Limits) -> Picture:
    """Energy by frequency of both errors after a half step."""
    canvas = Canvas()
    colours = canvas.colours
    series: dict[str, Floats] = {}
    for which, colour in zip(OBJECTS, (colours.network, colours.refined), strict=True):
        energies = getattr(step.spectrum, which)
        if energies:
            series[which] = np.asarray(energies, dtype=np.float64)
            places = np.maximum(np.arange(len(energies)), (LOWEST + 0.5) / 2)
            canvas.line(places, light(positive(series[which])), texts.PANELS[which], colour)
    bins = max((len(values) for values in series.values()), default=1)
    canvas.axes(
        "Frequency (half waves)",
        "Energy",
        logy=True,
        xaxis={"type": "log", **_frequency_ticks(bins)},
        yaxis=_held(limits),
    )
    for edge in BAND_EDGES:
        if edge < bins:
            canvas.vertical(edge, colours.muted)
    most = {which: int(values.argmax()) for which, values in series.items()}
    alt = "Energy of the error by frequency. " + " ".join(
        f"{texts.PANELS[which]}: most at {place} half waves, {formats.error(float(series[which][place]))}."
        for which, place in most.items()
    )

    def rows() -> Rows:
        for frequency in range(bins):
            yield (
                frequency,
                *(
                    number(float(series[which][frequency]))
                    if which in series and frequency < len(series[which])
                    else None
                    for which in OBJECTS
                ),
            )

    return Picture(canvas.figure(), alt, ("frequency", *OBJECTS), rows)


def error_field(grid: FieldGrid, values: Floats, what: str, limits: Limits, *, one_unit: bool = True) -> Picture:
    """|error| on the grid on a logarithmic scale: a map over two variables, which are of `one_unit` or not, a curve over one."""
    names, axes = list(grid.axes), list(grid.axes.values())
    rounding, note = scales.rounding_of(grid.truth), ""
    square = len(axes) > 1 and one_unit and maps.alike(names, axes)
    canvas = Canvas(height=maps.height(square))
    if len(axes) == 1:
        canvas.line(light(axes[0]), light(positive(np.abs(values))), what, canvas.colours.text)
        canvas.axes(formats.plot(names[0]), "|Error|", logy=True, yaxis={"range": list(limits)})
    else:
        stride = tuple(slice(None, None, max(1, -(-n // MAX_MAP_POINTS))) for n in values.shape)
        drawn, x, y = values[stride], light(axes[0][stride[0]]), light(axes[1][stride[1]])
        zero = scales.apart(drawn, rounding)
        shown = np.where(zero, np.nan, scales.clipped(drawn, limits))
        labels = formats.plot(names[0]), formats.plot(names[1])
        hover = maps.hover_of(labels, "|error|", "customdata:.3g")
        canvas.traces.append(scales.powers(limits).heat(x, y, shown.T, hover, customdata=light(drawn.T)))
        canvas.map_axes(*labels, one_scale=square)
        note = drawntexts.blank_points(int(zero.sum()), zero.size) if zero.any() else ""
    low, high = finite_range(np.abs(values))
    alt = f"{what} over {' and '.join(names)}: magnitudes between {formats.error(low)} and {formats.error(high)}."

    def rows() -> Rows:
        mesh = np.meshgrid(*axes, indexing="ij")
        for *point, value in zip(*(part.ravel().tolist() for part in mesh), values.ravel().tolist(), strict=True):
            yield *point, value

    return Picture(canvas.figure(), formats.one_line(alt, 300), (*names, what), rows, note)


def field_limits(iteration: HalfSteps, *shown: Floats) -> Limits:
    """A colour range for the errors of all steps, or, if any are given, of these alone."""
    if shown:
        return scales.decades(*shown)
    typical = iteration.typical_errors
    if not typical:
        return -1.0, 0.0
    return float(np.floor(np.log10(min(typical)) - 1)), float(np.ceil(np.log10(max(typical)) + 0.5))


def pair_lines(canvas: Canvas, steps: Sequence[IterationStep], x: Floats, series: dict[str, Floats]) -> None:
    """Lines of network and refined predictor, with a mark where a half step moved one of them."""
    colours = canvas.colours
    for which, colour in zip(OBJECTS, (colours.network, colours.refined), strict=True):
        canvas.line(x, positive(series[which]), texts.PANELS[which], colour, width=1.5)
    moved = [series["refined" if step.kind == "lsr" else "network"][place] for place, step in enumerate(steps)]
    mark_steps(canvas, steps, positive(np.array(moved)), x)


def mark_steps(canvas: Canvas, steps: Sequence[IterationStep], y: Floats, x: Floats | None = None, **more: Any) -> None:
    """A mark at each solve and each alignment, in their colours."""
    colours = canvas.colours
    x = np.array([step.index for step in steps], dtype=np.float64) if x is None else x
    size = 8 if len(steps) <= MANY else 5
    for kind, symbol, colour in (("lsr", "diamond", colours.refined), ("align", "circle", colours.stepped)):
        chosen = [place for place, step in enumerate(steps) if step.kind == kind]
        if chosen:
            canvas.points(
                x[chosen], y[chosen], texts.STEP_KINDS[kind], colour, symbol=symbol, size=size, outline=0, **more
            )


def _band(iteration: HalfSteps, which: str, name: str) -> Floats:
    found = (getattr(step.bands, which) for step in iteration.steps)
    return np.array([np.nan if bands is None else getattr(bands, name) for bands in found], dtype=np.float64)


def of_which(pair: Pair, which: str) -> float | None:
    value: float | None = getattr(pair, which)
    return value


def _above_rounding(energies: Floats) -> Floats:
    """What is not the transform's own rounding; that is no reason to draw an axis longer."""
    kept: Floats = energies[energies > ROUNDING * energies.sum()]
    return kept


def _held(limits: Limits) -> dict[str, Any]:
    """An axis over these powers of ten, with at most seven labels."""
    low, high = limits[0] - 0.2, limits[1] + 0.2
    return {"range": [low, high], "dtick": max(1, -(-int(high - low) // 6))}


def value_or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _edges(bins: int) -> Floats:
    """Where bins begin and end; the first one, which holds the mean, begins at LOWEST on a logarithmic axis."""
    return np.concatenate([[LOWEST], np.arange(bins) + 0.5])


def _frequency_ticks(bins: int) -> dict[str, Any]:
    ticks = [2**power for power in range(12) if 2**power < bins]
    return {
        "tickvals": [(LOWEST + 0.5) / 2, *ticks],
        "ticktext": ["0", *(str(tick) for tick in ticks)],
        "range": [float(np.log10(LOWEST)), float(np.log10(bins - 0.5))],
    }


def _whole(count: int) -> dict[str, Any]:
    """Ticks at whole half steps."""
    return {"tick0": 0, "dtick": max(1, -(-count // 8))}


def _across(canvas: Canvas, y: float) -> None:
    """A line at a frequency where two bands meet."""
    shape = {
        "type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": y, "y1": y,
        "line": {"color": "rgba(255,255,255,0.55)", "width": 1, "dash": "dot"},
    }  # fmt: skip
    canvas.layout.setdefault("shapes", []).append(shape)
