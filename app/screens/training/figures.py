"""LSR along a training: errors, condition number and singular values by checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots import theme
from lsr_app.plots.base import Canvas, Picture, Rows, positive
from lsr_app.words import formats
from lsr_core.diagnosis.training_records import CheckpointRecord, TrainingRecord

Floats = NDArray[np.float64]


def errors(record: TrainingRecord) -> Picture:
    """Errors of network and refined predictor against the epoch."""
    canvas = Canvas(height=360)
    found, colours = record.checkpoints, canvas.colours
    for name, values, colour in (
        ("Network", _column([one.base_error for one in found]), colours.network),
        ("Refined predictor", _column([one.refined_error for one in found]), colours.refined),
    ):
        _course(canvas, record, values, name, colour)
    _axes(canvas, record, "Relative L2 error")
    ends = [
        f"epoch {one.epoch}: {formats.error(one.base_error)} and {formats.error(one.refined_error)}"
        for one in _ends(found)
    ]
    alt = f"Errors of network and refined predictor at {len(found)} checkpoints; {', '.join(ends)}."

    def rows() -> Rows:
        for one in found:
            yield one.epoch, one.base_error, one.refined_error, one.rank

    return Picture(canvas.figure(), alt, ("epoch", "network_error", "refined_error", "rank"), rows)


def condition(record: TrainingRecord) -> Picture:
    """κ(G V) at the chosen rank against the epoch."""
    canvas = Canvas(height=360)
    found = record.checkpoints
    _course(canvas, record, _column([one.condition_number for one in found]), "κ", canvas.colours.refined)
    _axes(canvas, record, "Condition number κ(G V)")
    ends = [f"{formats.error(one.condition_number)} at epoch {one.epoch}" for one in _ends(found)]
    alt = f"Condition number by checkpoint: {', '.join(ends)}."

    def rows() -> Rows:
        for one in found:
            yield one.epoch, one.condition_number

    return Picture(canvas.figure(), alt, ("epoch", "condition_number"), rows)


def spectra(record: TrainingRecord) -> Picture:
    """Singular values of the Jacobian at every checkpoint, early ones grey and late ones in the colour of the refined predictor."""
    canvas = Canvas(height=360)
    found = record.checkpoints
    for one, colour in zip(found, shades(len(record.epochs)), strict=False):
        canvas.line(
            np.asarray(one.modes, dtype=np.float64), positive(np.asarray(one.singular_values)), f"{one.epoch:,}", colour,
            hovertemplate=f"epoch {one.epoch}, σ %{{x}}: %{{y:.3g}}<extra></extra>",
        )  # fmt: skip
    canvas.axes("Number of the singular value", "Singular value σ of the Jacobian", logx=True, logy=True)
    base = theme.layout()  # the corner under the falling lines is empty; a row above the figure would not hold them all
    inside = {"orientation": "v", "x": 0.02, "y": 0.02, "title": {"text": "Epoch"}}
    canvas.layout |= {"legend": base["legend"] | inside, "margin": base["margin"]}
    falls = [
        f"from {formats.error(one.singular_values[0])} to {formats.error(one.singular_values[-1])} at epoch {one.epoch}"
        for one in _ends(found)
        if one.singular_values
    ]
    alt = f"Singular values at {len(found)} checkpoints; they fall {', '.join(falls)}."

    def rows() -> Rows:
        for one in found:
            for place, value in zip(one.modes, one.singular_values, strict=True):
                yield one.epoch, place, value

    return Picture(canvas.figure(), alt, ("epoch", "mode", "singular_value"), rows)


def places(epochs: Sequence[int]) -> Floats:
    """Where epochs stand on a logarithmic axis; epoch 0, which has no logarithm, a factor of three before the first."""
    first = min((epoch for epoch in epochs if epoch > 0), default=3)
    return np.array([float(epoch) if epoch > 0 else first / 3 for epoch in epochs])


def shades(count: int) -> list[str]:
    """Colours from that of the network to that of the refined predictor."""
    colours = theme.palette()
    ends = np.array(
        [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in (colours.stepped, colours.refined)]
    )
    parts = np.linspace(0, 1, max(count, 2))[:, None]
    mixed = (ends[0] * (1 - parts) + ends[1] * parts).round().astype(int)
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in mixed.tolist()]


def _course(canvas: Canvas, record: TrainingRecord, values: Floats, name: str, colour: str) -> None:
    epochs = [one.epoch for one in record.checkpoints]
    style: dict[str, Any] = {"mode": "lines+markers", "marker": {"size": 8, "color": colour}, "customdata": epochs}
    canvas.line(
        places(record.epochs)[: len(epochs)], positive(values), name, colour, width=2.5,
        hovertemplate=f"{name}, epoch %{{customdata}}: %{{y:.3g}}<extra></extra>", **style,
    )  # fmt: skip


def _axes(canvas: Canvas, record: TrainingRecord, y: str) -> None:
    """All epochs have their place from the start, so that nothing moves while checkpoints come in."""
    x = places(record.epochs)
    ends = np.log10([x.min() / 1.4, x.max() * 1.4])
    ticks = {"tickmode": "array", "tickvals": x.tolist(), "ticktext": [f"{epoch:,}" for epoch in record.epochs]}
    canvas.axes("Epoch", y, logx=True, logy=True, xaxis={"range": ends.tolist(), "dtick": None, **ticks})


def _column(values: list[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values])


def _ends(found: Sequence[CheckpointRecord]) -> list[CheckpointRecord]:
    return [found[0], found[-1]] if len(found) > 1 else list(found)
