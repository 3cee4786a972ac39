"""The convex race: the excess of every method's best run over the floor, beside what theory promises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots import racers, theme
from lsr_app.plots.base import Canvas, Picture, Rows
from lsr_app.reading import racedata
from lsr_app.screens.conditioning import conditioningtexts
from lsr_app.words import formats, labtexts
from lsr_core.lab.records import CoordinateName, Curve, MethodRecord, RaceRecord

Floats = NDArray[np.float64]
SMALLEST = 1e-8  # of the floor: what lies closer to it is drawn here
ROUNDING = 1e-32  # of the loss at the start, where the floor is rounding itself
BOUND_DASHES = {"conjugate gradients": "dot", "gradient descent": "dashdot"}
HIGHEST = 1e3  # times the start: what rises further leaves the figure
LABELS = 8  # on the vertical axis
BOUND_GLYPHS = {"conjugate gradients": "···", "gradient descent": "–·–"}


@dataclass(frozen=True)
class Reach:
    """Axes that panels share; all in data units.

    Attributes:
        low, high: of the excess.
        left, right: of what is counted.
    """

    low: float
    high: float
    left: float
    right: float


def reach(record: RaceRecord, methods: Sequence[MethodRecord], against: str) -> Reach:
    """Axes that hold these methods."""
    low = SMALLEST * record.floor if record.floor else ROUNDING * record.base_loss
    starts = [method.curve.excess[0] for method in methods if method.curve.excess]
    places = [counted(method.curve, against)[1:] for method in methods]
    positive = np.concatenate([*places, np.array([1.0])]) if places else np.array([1.0])
    positive = positive[positive > 0]
    ends = [float(part) for method in methods for part in method.curve.excess if part > 0]
    bottom = max(low, min(ends)) if ends else low
    if record.floor:
        bottom = min(bottom, record.floor / 10)  # to be seen however far away everything is
    start = max([*starts, record.floor or 0.0, bottom * 10])
    top = min(max([start, *ends]), HIGHEST * start)
    return Reach(bottom / 10, top * 10, float(positive.min()) / 1.3, max(2.0, float(positive.max())) * 1.3)


def key(record: RaceRecord, methods: Sequence[MethodRecord], *, against: str) -> list[tuple[str, str, str]]:
    """(glyph, colour, name) of marks and lines; a method that diverged with every setting says so."""
    seen: dict[str, str] = {}
    for method in sorted(methods, key=lambda method: racers.place(method.name)):
        lost = (
            f" ({labtexts.COORDINATES[method.coordinates].lower()}: {labtexts.diverged(method.diverged_at)})"
            if method.diverged
            else ""
        )
        seen[method.name] = seen.get(method.name, racedata.name(method)) + lost
    lines = [("◆" if name == "direct" else "━", racers.colour(name), words) for name, words in seen.items()]
    muted = theme.palette().muted
    if record.floor:
        lines.append(("╌", muted, "Twice the floor"))
    if against == "iterations":
        drawn = {method.coordinates for method in methods}
        names = {bound.name for bound in record.bounds if bound.coordinates in drawn}
        lines += [
            (BOUND_GLYPHS[name], muted, words) for name, words in conditioningtexts.BOUNDS.items() if name in names
        ]
    return lines


def courses(
    record: RaceRecord,
    methods: Sequence[MethodRecord],
    coordinates: CoordinateName,
    axes: Reach,
    *,
    against: str,
    panel: bool,
) -> Picture:
    """Excess over the floor of the best run of each method; `panel` stands beside another."""
    canvas = Canvas(height=340 if panel else 440)
    if against == "iterations":
        _bounds(canvas, record, coordinates, axes)
    if record.floor:
        ends = np.array([axes.left, axes.right])
        canvas.line(ends, np.full(2, record.floor), "Twice the floor", canvas.colours.muted, dash="dash", width=1)
    for method in methods:
        _course(canvas, method, axes, against)
    _lost_settings(canvas, methods, axes, against)
    loss = "Loss above the floor" if record.floor else "Loss"
    spacing = max(1, round(math.log10(axes.high / axes.low) / LABELS))
    canvas.axes(
        conditioningtexts.AGAINST_AXES[against], f"{loss} (mean square)", logx=True, logy=True,
        xaxis={"range": list(np.log10([axes.left, axes.right]))},
        yaxis={"range": list(np.log10([axes.low, axes.high])), "dtick": spacing},
    )  # fmt: skip
    canvas.layout |= {"showlegend": False, "margin": {"l": 62, "r": 8, "t": 6, "b": 44, "autoexpand": False}}
    ends_at = [f"{racedata.name(method)} {racedata.place(method)}" for method in methods]
    unit = "times the floor" if record.floor else "loss"
    alt = f"Race in {coordinates} coordinates against {against}; {unit} at the end: {', '.join(ends_at) or 'nothing yet'}."

    def rows() -> Rows:
        for method in methods:
            curve = method.curve
            columns = (curve.iterations, curve.products, curve.seconds, curve.losses, curve.excess)
            for row in zip(*columns, strict=True):
                yield method.name, method.dtype, method.coordinates, *row

    names = ("method", "dtype", "coordinates", "iteration", "products", "seconds", "loss", "loss_above_floor")
    return Picture(canvas.figure(), formats.one_line(alt, 400), names, rows)


def counted(curve: Curve, against: str) -> Floats:
    """What the horizontal axis counts."""
    values: list[Any] = getattr(curve, against)
    return np.asarray(values, dtype=np.float64)


def _course(canvas: Canvas, method: MethodRecord, axes: Reach, against: str) -> None:
    x, y = counted(method.curve, against)[1:], np.asarray(method.curve.excess, dtype=np.float64)[1:]
    shown = np.clip(y, axes.low * 5, None)  # an excess of zero stands at the bottom, and is written in the hint
    words, tint = formats.plot(racedata.name(method)), racers.colour(method.name)
    hover: dict[str, Any] = {
        "customdata": y,
        "hovertemplate": f"{words}, {against} %{{x:.3g}}: %{{customdata:.3g}}<extra></extra>",
    }
    if method.diverged:
        words = f"{words} ({labtexts.diverged(method.diverged_at)})"
    if len(x) == 1:
        symbol, size = ("diamond", 10) if method.name == "direct" else ("circle", 7)
        canvas.points(x, shown, words, tint, symbol=symbol, size=size, outline=1, **hover)
    elif method.diverged and not len(x):
        canvas.points([np.nan], [np.nan], words, tint, symbol="x", size=7)
    else:
        canvas.line(x, shown, words, tint, width=2.2, **hover)


def _lost_settings(canvas: Canvas, methods: Sequence[MethodRecord], axes: Reach, against: str) -> None:
    """A cross at the top for each setting that left all bounds, where it did; known in iterations only."""
    if against != "iterations":
        return
    for method in methods:
        lost = [trial for trial in method.sweep if trial.diverged_at is not None]
        if lost:
            names = [
                f"{formats.plot(racedata.name(method))}, {conditioningtexts.settings(trial.settings)}: {labtexts.diverged(trial.diverged_at)}"
                for trial in lost
            ]
            canvas.points(
                np.clip([float(trial.diverged_at or 1) for trial in lost], axes.left * 1.1, axes.right / 1.1),
                np.full(len(lost), axes.high / 2), "", racers.colour(method.name), symbol="x-thin", size=8,
                showlegend=False, text=names, hovertemplate="%{text}<extra></extra>",
            )  # fmt: skip


def _bounds(canvas: Canvas, record: RaceRecord, coordinates: CoordinateName, axes: Reach) -> None:
    for bound in record.bounds:
        if bound.coordinates != coordinates:
            continue
        x, y = np.asarray(bound.iterations, dtype=np.float64), np.asarray(bound.excess, dtype=np.float64)
        kept = (x > 0) & (y > axes.low)
        canvas.line(
            x[kept], y[kept], conditioningtexts.BOUNDS[bound.name], canvas.colours.muted, dash=BOUND_DASHES[bound.name], width=1.3,
        )  # fmt: skip
