"""Condition numbers and sketch error in one text: what they mean for the rank that is shown."""

from __future__ import annotations

import math

import numpy as np

from lsr_app.reading.rundata import RunData
from lsr_app.screens.rank import ranktexts
from lsr_app.words import formats

LEVEL = 1e-9  # relative difference of two ranks that comes from rounding: a direction that is left out adds nothing


def sentences(data: RunData, rank: int) -> str:
    """Made of the numbers of the run at this rank; empty at rank 0, where nothing is solved."""
    if rank == 0:
        return ""
    parts = []
    kappa, solved = (data.reported(name, rank) for name in ("condition_number", "solved_condition_number"))
    if math.isfinite(kappa) and math.isfinite(solved):
        left, known = digits_left(solved, data.epsilon), digits_left(1.0, data.epsilon)
        parts.append(ranktexts.rounding(rank, formats.error(kappa), formats.error(solved), left, known, left == 0))
    parts.append(ranktexts.left_out(last_that_adds(data), data.sweep.max_rank))
    parts.append(ranktexts.estimated(below_sketch(data, rank), rank, formats.error(data.spectrum.sketch_error)))
    return " ".join(part for part in parts if part)


def digits_left(kappa: float, epsilon: float) -> int:
    """Decimal digits that a solve with a condition number leaves of a number type."""
    return max(0, math.floor(-math.log10(epsilon * max(1.0, kappa))))


def below_sketch(data: RunData, rank: int) -> int:
    """How many of the directions that a rank uses have a singular value below the sketch error."""
    bound = data.spectrum.sketch_error
    if not math.isfinite(bound):
        return 0
    return int(np.count_nonzero(data.spectrum.singular_values[:rank] < bound))


def last_that_adds(data: RunData) -> int:
    """The largest rank that differs from the one below: further directions have lengths of rounding alone, and the solve leaves them out."""
    errors = data.sweep.train_mse[data.sweep.solved]
    ranks = np.flatnonzero(data.sweep.solved)
    same = np.isclose(errors, errors[-1], rtol=LEVEL, atol=0)
    return int(ranks[len(same) - int(np.argmin(same[::-1])) if not same.all() else 0])
