"""A smoothing in the form in which a run keeps it, as plain NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lsr_core.refinement.results import Floats


@dataclass(frozen=True)
class SmoothingCurves:
    """Of one smoothed refinement. Strengths are relative to the largest singular value of G V.

    Attributes:
        strength: ascending (g,).
        mean_square, gcv, left_out, log_evidence: at each (g,); `left_out` is NaN where samples cannot be left out. The evidence is by row.
        freedom, noise: degrees of freedom and σ at each (g,).
        ranks, gcv_by_rank: smaller ranks (k,) and their GCV (k, g).
        shown: strengths at which there are fields (l,), ascending; the chosen one is `chosen`.
        error, deviation, spread: at `stepped_points` of the fields: refined less target, its standard deviation (l, t, o), σ (l,).
        inputs, targets: of fitted samples (n, d), (n, o).
        sizes: what each output was divided by in the solve (o,), so that its σ is `spread` times that; empty in runs of earlier versions.
        level, observed: nominal and observed share of values inside of central bands (c,); NaN where nobody counted.
        line: of a single input, even places from before the first fitted sample to behind the last (p,); empty elsewhere and in runs of
            earlier versions.
        line_mean, line_deviation: refined predictor there and its standard deviation (l, p, o).
        inside, line_inside: standard deviations without what the subspace leaves out, as `deviation` and `line_deviation`.
        stretch: what all standard deviations but `spread` and `noise` were multiplied by, so that σ of an observation is `spread` times that.
    """

    strength: Floats
    mean_square: Floats
    gcv: Floats
    left_out: Floats
    log_evidence: Floats
    freedom: Floats
    noise: Floats
    ranks: NDArray[np.int64]
    gcv_by_rank: Floats
    shown: Floats
    error: NDArray[np.float32]
    deviation: NDArray[np.float32]
    spread: Floats
    inputs: Floats
    targets: Floats
    level: Floats
    observed: Floats
    chosen: float
    sizes: Floats = field(default_factory=lambda: np.ones(0))
    line: Floats = field(default_factory=lambda: np.zeros(0))
    line_mean: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.float32))
    line_deviation: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.float32))
    inside: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.float32))
    line_inside: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.float32))
    stretch: float = 1.0
