"""The error of each output at a rank, for pages and reports; knows no streamlit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lsr_app.reading.rundata import RunData
from lsr_core.refinement.output_errors import MOST


@dataclass(frozen=True)
class OutputRow:
    """One output: its name, root mean square size, and relative L2 errors of network and refined predictor."""

    name: str
    size: float
    network: float
    refined: float


def outputs(data: RunData, rank: int) -> list[OutputRow]:
    """Errors by output: what was reported at the run's own rank, elsewhere those at the display points; empty for one output or many."""
    if not data.has_reference or not 1 < data.n_outputs <= MOST:
        return []
    summary, found = data.summary, []
    reported = zip(summary.base.by_output or [], summary.refined.by_output or [], strict=False)
    exact = list(reported) if rank == summary.rank else []
    for place in range(data.n_outputs):
        size = float(np.linalg.norm(data.fields.targets[:, place]))
        with np.errstate(divide="ignore", invalid="ignore"):
            before, after = (
                float(np.linalg.norm(error) / size) if size else np.nan
                for error in (data.network_error(place), data.refined_error(rank, place))
            )
        if place < len(exact):
            before, after = (np.nan if value is None else value for value in exact[place])
        rms = size / max(1, len(data.fields.targets)) ** 0.5
        found.append(OutputRow(data.output_name(place), rms, float(before), float(after)))
    return found
