"""Two pictures to turn: gradient steps on a bowl, and what is left of a solution when numbers are short. Knows no streamlit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SHOWN_STEPS = 60
NEAR = 0.01  # of the distance at the start
BITS = tuple(range(4, 49, 4))  # of a mantissa; what is longer is lost in the rounding of the solve itself
ROWS, COLUMNS, DRAWS, SEED = 60, 8, 9, 0


@dataclass(frozen=True)
class Bowl:
    """Gradient descent on ½(x² + y²/κ²), whose Jacobian diag(1, 1/κ) has the condition number κ, from (1, 1).

    Attributes:
        path: (SHOWN_STEPS + 1, 2).
        needed: steps until both coordinates are within `NEAR`; None where they never are.
    """

    kappa: float
    rate: float
    path: Floats
    needed: int | None

    @property
    def diverges(self) -> bool:
        return self.rate > 2


def bowl(kappa: float, rate: float) -> Bowl:
    """`rate` is in units of 1/σ₁². Each coordinate is multiplied by 1 − rate·λ a step, so no step has to be taken to count them."""
    factors = 1 - rate * np.array([1.0, 1 / kappa**2])
    steps = np.arange(SHOWN_STEPS + 1)[:, None]
    slowest = float(np.abs(factors).max())
    needed = None if slowest >= 1 else 1 if slowest <= NEAR else math.ceil(math.log(NEAR) / math.log1p(slowest - 1))
    return Bowl(kappa, rate, factors**steps, needed)


@dataclass(frozen=True)
class Precision:
    """How far a least-squares solution is off when matrix and right side are rounded.

    Attributes:
        epsilon: half the spacing of the rounded numbers beside 1, (b,), by `BITS`.
        errors: ‖ĉ − c‖/‖c‖, (b,), the median of `DRAWS` problems.
    """

    kappa: float
    epsilon: Floats
    errors: Floats


def precision(kappa: float) -> Precision:
    """Least squares with singular values spread from 1 to 1/κ and data that fit exactly, for each length of the mantissa."""
    errors = np.empty((DRAWS, len(BITS)))
    for draw in range(DRAWS):
        generator = np.random.default_rng((SEED, draw))
        left = np.linalg.qr(generator.normal(size=(ROWS, COLUMNS)))[0]
        right = np.linalg.qr(generator.normal(size=(COLUMNS, COLUMNS)))[0]
        matrix = (left * np.geomspace(1, 1 / kappa, COLUMNS)) @ right.T
        true = generator.normal(size=COLUMNS)
        values = matrix @ true
        for place, bits in enumerate(BITS):
            found = np.linalg.lstsq(rounded(matrix, bits), rounded(values, bits), rcond=None)[0]
            errors[draw, place] = np.linalg.norm(found - true) / np.linalg.norm(true)
    return Precision(kappa, 2.0 ** -(np.array(BITS) + 1.0), np.median(errors, axis=0))


def rounded(values: Floats, bits: int) -> Floats:
    """To the nearest number with so many bits after the leading one."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(mantissa * 2.0 ** (bits + 1)) / 2.0 ** (bits + 1), exponent)
