"""Which ranks are looked at closely, and which one is chosen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lsr_core.errors import InputError
from lsr_core.refinement.config import RankChoice
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.results import Floats, Sweep

LADDER = 52
SOLVED_LADDER = 40
SMALLEST = "auto: smallest validation error"
CLEAR, LEAST = 1e-5, 5  # of the mean square error, by so many samples: a fall that noise leaves no room for
CHANCE = 0.02  # of a gain by chance, where validation samples decide alone: about two standard errors
POOLED_CHANCE = 0.16  # the same with training samples, whose errors err on the side of the network: one standard error
NEAR = 1.05  # times the smallest error over both: up to there the rank of the validation samples stays
FEW = 100  # validation samples, below which training samples are asked


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


def choose(
    sweep: Sweep,
    wanted: RankChoice,
    held: Gains | None = None,
    left_out: Callable[[int], Gains | None] = lambda rank: None,
) -> tuple[int, str]:
    """The rank to use and a word on how it was chosen.

    `auto` takes the smallest validation error, if the gain over the network is more than the samples show by chance (`_shown`); else rank 0,
    the network as it is. Without a validation split the training error would always ask for the largest rank, so `auto` then takes the knee.
    Only ranks that were solved are taken.

    Args:
        held: gains of the validation samples; None where they are no samples, as the residual of an equation at fresh points.
        left_out: gains of training samples left out one at a time, at a rank and others, asked for where validation samples are few; None if
            there are none.

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
    errors = np.where(sweep.solved, sweep.compared, np.nan)
    if wanted == "knee" or not has_validation:
        return knee(errors), "knee" if wanted == "knee" else "knee (there is no validation split)"
    best = int(np.nanargmin(errors))
    if best == 0:
        return 0, "auto: no rank improves on the network, do not refine"
    if held is None:
        return best, SMALLEST
    return _shown(best, bool(errors[best] <= CLEAR * errors[0]), held.among(sweep.solved), left_out)


def _shown(best: int, clear: bool, held: Gains, left_out: Callable[[int], Gains | None]) -> tuple[int, str]:
    """The rank with the smallest error, or 0 where its gain is not shown.

    Where the error falls a hundred thousandfold, or there are enough validation samples, these decide. Few of them cannot tell ranks apart
    either: then training samples left out one at a time are asked as well, for the rank and for its gain.
    """
    if clear and held.count >= LEAST:
        return best, SMALLEST
    more = left_out(best) if held.count < FEW else None
    if more is None:
        rank, chance, pooled, samples = best, CHANCE, held, f"{held.count} validation samples"
    else:
        pooled, chance = held + more, POOLED_CHANCE
        rank = best if pooled.error(best) <= NEAR * pooled.error(pooled.best) else pooled.best
        samples = f"{held.count} validation samples and {more.count} training samples left out one at a time"
    if rank == 0:
        return 0, f"auto: no rank improves on the network by {samples}, do not refine"
    if pooled.shows(rank, chance):
        if more is None:
            return rank, SMALLEST
        how = f"{SMALLEST}, near the smallest" if rank == best else "auto: smallest error"
        return rank, f"{how} of {samples}"
    gain = f"its gain is {pooled.errors(rank):.1f} standard errors by {samples}"
    return 0, f"auto: do not refine, rank {rank} is best but {gain}, which may be chance"
