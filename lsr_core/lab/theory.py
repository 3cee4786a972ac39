"""What the condition number alone promises: upper bounds on the excess of a quadratic loss."""

from __future__ import annotations

import numpy as np

from lsr_core.lab.records import Bound, CoordinateName

POINTS = 120


def bounds(kappa: float, start: float, iterations: int, coordinates: CoordinateName) -> list[Bound]:
    """Bounds for min ‖e + A y‖² with κ = κ(A), which is the square root of that of AᵀA.

    The excess is the squared AᵀA-norm of the error. Conjugate gradients on the normal equations: error norm ≤ 2 ((κ−1)/(κ+1))^k (Hestenes &
    Stiefel 1952; Saad 2003, §6.11.3), so excess ≤ 4 (…)^2k. Gradient descent with the best constant step 2/(σ₁² + σ_r²): excess ≤
    ((κ²−1)/(κ²+1))^2k (Nocedal & Wright 2006, §3.3 for the same rate).

    Args:
        start: excess at y = 0.
    """
    k = np.unique(np.concatenate([[0], np.geomspace(1, max(1, iterations), POINTS).round()])).astype(int)
    # log1p keeps what is left of a factor within 1e-20 of one
    at_once = np.where(k > 0, -np.inf, 0.0)  # where the factor is zero to rounding
    krylov, descent = (
        2 * k * np.log1p(-2 / (squared + 1)) if squared + 1 > 2 else at_once for squared in (kappa, kappa**2)
    )
    return [
        Bound(name=name, coordinates=coordinates, iterations=k.tolist(), excess=(start * np.exp(exponent)).tolist())
        for name, exponent in (
            ("conjugate gradients", np.minimum(np.log(4) + krylov, 0.0)),
            ("gradient descent", descent),
        )
    ]
