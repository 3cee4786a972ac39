"""The error of each output at a rank, for pages and reports; knows no streamlit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lsr_app.reading.rundata import RunData
from lsr_core.refinement.output_sizes import MOST


@dataclass(frozen=True)
class OutputRow:
    """One output: its name, root mean square size, and relative L2 errors of network and refined predictor."""

    name: str
    size: float
    network: float
    refined: float


def outputs(data: RunData, rank: int) -> list[OutputRow]:
    """Errors by output: those that were reported, at ranks for which there are none those at the display points; empty for one output or many."""
    told = len(data.summary.refined.by_output or []) or data.n_outputs
    if not data.has_reference or not 1 < told <= MOST or data.n_outputs % told:
        return []
    width, found = data.n_outputs // told, []
    exact = _reported(data, rank, told)
    errors = data.fields.network - data.fields.targets, data.fields.refined_error[data.rung(rank)].astype(np.float64)
    for place in range(told):
        columns = slice(place * width, (place + 1) * width)
        size = float(np.linalg.norm(data.fields.targets[:, columns]))
        before, after = (float(np.linalg.norm(error[:, columns])) / size if size else np.nan for error in errors)
        if exact is not None:
            before, after = exact[place]
        rms = size / max(1, data.fields.targets[:, columns].size) ** 0.5
        found.append(OutputRow(data.told_name(place, told), rms, before, after))
    return found


def worst(data: RunData, rank: int) -> OutputRow | None:
    """The output with the largest relative error after refinement; None where outputs are not told apart."""
    known = [row for row in outputs(data, rank) if np.isfinite(row.refined)]
    return max(known, key=lambda row: row.refined, default=None)


def _reported(data: RunData, rank: int, told: int) -> list[tuple[float, float]] | None:
    """Network and refined predictor as the run has them: of its own rank, else from its sweep."""
    summary, curves = data.summary, data.sweep.by_output
    if rank == summary.rank and len(summary.base.by_output or []) == len(summary.refined.by_output or []) == told:
        pairs = zip(summary.base.by_output or [], summary.refined.by_output or [], strict=True)
        return [(np.nan if before is None else before, np.nan if after is None else after) for before, after in pairs]
    if curves.shape == (data.sweep.max_rank + 1, told):
        return list(zip(curves[0].tolist(), curves[rank].tolist(), strict=True))
    return None
