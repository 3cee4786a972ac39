"""Which ranks are looked at closely, and which one is chosen."""

from __future__ import annotations

import numpy as np

from lsr_core.errors import InputError
from lsr_core.refinement.config import RankChoice
from lsr_core.refinement.results import Floats, Sweep

LADDER = 52
SOLVED_LADDER = 40


def ladder(max_rank: int, rungs: int = LADDER, required: tuple[int, ...] = ()) -> list[int]:
    """At most `rungs` ranks from 0 to `max_rank`, close at the small end, together with the required ones."""
    spread = np.geomspace(1, max(max_rank, 1), rungs - 1).round().astype(int)
    return sorted({0, max_rank, *(int(rank) for rank in spread if rank <= max_rank), *required})


def knee(errors: Floats) -> int:
    """The rank after which the error stops falling steeply.

    The point of log10(error) that lies farthest below the chord from the first to the last rank of the fall
    (Satopää et al. 2011, "Finding a kneedle in a haystack"). 0 when the error never falls.
    """
    known = np.flatnonzero(np.isfinite(errors) & (errors > 0))
    if len(known) == 0:
        return 0
    best = known[int(np.argmin(errors[known]))]
    known = known[known <= best]
    if len(known) < 3:
        return int(best)
    values = np.log10(errors[known])
    along = (known - known[0]) / (known[-1] - known[0])
    chord = values[0] + (values[-1] - values[0]) * along
    return int(known[int(np.argmax(chord - values))])


def choose(sweep: Sweep, wanted: RankChoice) -> tuple[int, str]:
    """The rank to use and a word on how it was chosen.

    `auto` takes the smallest validation error, rank 0 included: "do not refine" is a possible answer. Without a validation split
    the training error would always ask for the largest rank, so `auto` then takes the knee. Only ranks that were solved are taken.

    Raises:
        InputError: a fixed rank beyond the sweep.
    """
    if isinstance(wanted, int):
        if wanted > sweep.max_rank:
            raise InputError(
                f"is {wanted}, the largest rank of this sweep is {sweep.max_rank}; ask for less", key="rank"
            )
        return wanted, "fixed"
    has_validation = bool(np.isfinite(sweep.val_mse[0]))
    errors = np.where(sweep.solved, sweep.val_mse if has_validation else sweep.train_mse, np.nan)
    if wanted == "knee" or not has_validation:
        return knee(errors), "knee" if wanted == "knee" else "knee (there is no validation split)"
    best = int(np.nanargmin(errors))
    if best == 0:
        return 0, "auto: no rank improves on the network, do not refine"
    return best, "auto: smallest validation error"
