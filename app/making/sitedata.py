"""What a published page holds of a run: numbers at every rank of the ladder, curves over all ranks, fields in few bytes."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots import maps, scales
from lsr_app.plots import ranks as rankfigures
from lsr_app.reading.rundata import RunData
from lsr_app.words import formats, texts

MOST = 80  # points of a map along an axis
MOST_RANKS = 1_500  # points of a curve over the rank
STEPS = 255  # colours of a map


def of_run(data: RunData) -> dict[str, Any]:
    """All that the script of the page reads; numbers only, rounded to what a screen shows, None where there is none."""
    ladder = data.ladder
    label = data.headline(data.auto_rank)[0]
    return {
        "label": label, "ladder": ladder, "start": ladder.index(data.auto_rank), "chosen": data.summary.rank,
        "headline": [_headline(data, rank) for rank in ladder],
        "kappa": [formats.error(data.reported("condition_number", rank)) for rank in ladder],
        "solved": [formats.error(data.reported("solved_condition_number", rank)) for rank in ladder],
        "length": [formats.error(data.reported("delta_norm", rank)) for rank in ladder],
        "marks": [_number(_headline_size(data, rank)) for rank in ladder],
        "curves": curves(data), "fields": fields(data),
    }  # fmt: skip


def rows(read: Sequence[RunData]) -> list[tuple[str, ...]]:
    """The table of the first page: title, error before and after, gain, rank, time."""
    found: list[tuple[str, ...]] = []
    for data in read:
        label, _, base, refined = data.headline(data.auto_rank)
        found.append((
            data.about.title, label, formats.error(base), formats.error(refined), formats.factor(base, refined), f"{data.auto_rank:,}",
            formats.seconds(data.summary.seconds),
        ))  # fmt: skip
    return found


def curves(data: RunData) -> dict[str, Any]:
    """Errors over all ranks by part of the data, thinned evenly where there are many."""
    ranks = np.flatnonzero(data.sweep.solved)
    every = max(1, -(-len(ranks) // MOST_RANKS))
    kept = np.unique(np.concatenate([ranks[::every], ranks[-1:]]))
    measure = "relative_l2" if data.has_reference and not data.parts.residual else "mse"
    lines = []
    for split in ("train", "val", "test"):
        values = getattr(data.sweep, f"{split}_{measure}")[kept]
        if np.isfinite(values).any():
            lines.append(
                {"name": getattr(data.parts, split), "split": split, "y": [_number(value) for value in values]}
            )
    reach, note = rankfigures.vertical([("", data)], measure, first=0)
    return {
        "x": kept.tolist(),
        "lines": lines,
        "reach": reach,
        "note": note,
        "measure": "Relative L2 error" if measure == "relative_l2" else "Mean square",
    }


def fields(data: RunData) -> dict[str, Any] | None:
    """Sizes of errors over two inputs on a grid, or truth and predictions over a single one; None for others."""
    if data.dimension == 1 and data.has_reference:
        return _lines(data)
    if data.dimension != 2 or data.grid is None or not data.has_reference:
        return None
    stride = tuple(max(1, -(-len(axis) // MOST)) for axis in (data.grid.y, data.grid.x))
    network = data.network_error(0)
    limits = scales.decades(network, data.refined_error(data.ladder[-1], 0), rounding=maps.rounding_of(data))

    def packed(values: NDArray[Any]) -> str:
        shown = data.grid(values)[:: stride[0], :: stride[1]]  # type: ignore[misc]
        held = (scales.clipped(shown, limits) - limits[0]) / (limits[1] - limits[0])
        return base64.b64encode(np.rint(STEPS * held).astype(np.uint8).tobytes()).decode()

    return {
        "kind": "map", "x": _list(data.grid.x[:: stride[1]]), "y": _list(data.grid.y[:: stride[0]]), "limits": list(limits),
        "names": [formats.plot(data.input_name(place)) for place in range(2)], "square": maps.one_scale(data),
        "network": packed(network), "refined": [packed(data.refined_error(rank, 0)) for rank in data.ladder],
        "panels": [texts.PANELS["network_error"], texts.PANELS["refined_error"]],
    }  # fmt: skip


def _lines(data: RunData) -> dict[str, Any]:
    order = np.argsort(data.fields.inputs[:, 0], kind="stable")
    order = order[:: max(1, -(-len(order) // 400))]
    parts = {"truth": data.truth(0), "network": data.fields.network[:, 0]}
    return {
        "kind": "lines", "x": _list(data.fields.inputs[order, 0]), "names": [formats.plot(data.input_name(0)), formats.plot(data.output_name(0))],
        **{name: _list(values[order]) for name, values in parts.items()},
        "refined": [_list(data.refined(rank, 0)[order]) for rank in data.ladder],
        "panels": [texts.PANELS["truth"], texts.PANELS["network"], texts.PANELS["refined"]],
    }  # fmt: skip


def _headline(data: RunData, rank: int) -> tuple[str, str, str]:
    """(before, after, change) as a person reads them."""
    _, _, base, refined = data.headline(rank)
    return formats.error(base), formats.error(refined), formats.factor(base, refined)


def _headline_size(data: RunData, rank: int) -> float:
    """The error that is marked on the curves at a rank, in the measure of the curves."""
    split = data.headline_split[0]
    measure = "relative_l2" if data.has_reference and not data.parts.residual else "mse"
    return data.reported(f"{split}_{measure}", rank)


def _number(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _list(values: NDArray[Any]) -> list[float | None]:
    return [_number(float(value)) for value in values]
