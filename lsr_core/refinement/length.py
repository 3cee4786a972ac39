"""A word about steps whose length rounding decides."""

from __future__ import annotations

import math


def length_notes(rank: int, condition: float | None, delta_norm: float, theta_norm: float, eps: float) -> list[str]:
    """A sentence where κ(G V) at the chosen rank is beyond what the arithmetic resolves; none elsewhere.

    Args:
        condition: κ at this rank; None = infinite, or unknown at rank 0.
        delta_norm: ‖Δθ‖.
        theta_norm: ‖θ0‖.
        eps: unit roundoff.
    """
    if rank == 0 or (condition is not None and condition * eps < 1):
        return []
    size = "infinite" if condition is None or math.isinf(condition) else f"{condition:.1e}"
    return [
        f"The condition number at rank {rank:,} is {size}, more than this precision resolves ({1 / eps:.1e}): the length of Δθ, {delta_norm:.1e} "
        f"beside {theta_norm:.1e} of the parameters, comes from rounding in the smallest directions. The errors are those of this very predictor; "
        "a smaller rank, or a larger cut-off, gives a shorter step."
    ]
