"""What a refinement leaves behind, as plain NumPy arrays: the sweep over ranks, the spectrum, the fields to look at."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
AGREEMENT = 0.10  # of the linearised loss, up to which the nonlinear one counts as the same
FEWEST_DIRECTIONS = 5  # from which a rank correlation means something


@dataclass(frozen=True)
class Sweep:
    """Everything known at each rank 0…R; every array has R + 1 entries, entry r belongs to rank r.

    Errors are mean squares per scalar output and relative L2 errors ‖q − y‖/‖y‖. NaN marks what a problem does not
    have (no validation split) or what was not solved. `solved[r]` is False at ranks between the rungs of the ladder
    that is used where the cut-off is active: their errors are interpolated and no rank choice takes them.
    `condition_exact[r]` says that both condition numbers at r were computed, not interpolated; κ grows with
    the rank, so an interpolated value always lies between its exact neighbours.

    `by_output` (R + 1, outputs) has the relative L2 errors of 2 to 16 outputs one by one, on test data, else on validation data, else, where it was
    measured, on training data; it has no columns where there is nothing to tell apart. Where outputs were divided by their sizes, `divided` has the
    mean square of the divided errors that ranks were compared by, on validation data, else on training data, and is empty elsewhere;
    `residual_norm` is that of the divided residual, which the solve makes small.
    """

    train_mse: Floats
    val_mse: Floats
    test_mse: Floats
    train_relative_l2: Floats
    val_relative_l2: Floats
    test_relative_l2: Floats
    residual_norm: Floats
    condition_number: Floats
    solved_condition_number: Floats
    condition_exact: NDArray[np.bool_]
    delta_norm: Floats
    coefficient_norm: Floats
    solved: NDArray[np.bool_]
    by_output: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    divided: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def compared(self) -> Floats:
        """The mean square (R + 1,) by which ranks are compared: of validation data, where there are any, else of training data."""
        if len(self.divided) == len(self.train_mse):
            return self.divided
        return self.val_mse if np.isfinite(self.val_mse[0]) else self.train_mse

    @property
    def max_rank(self) -> int:
        return len(self.train_mse) - 1


@dataclass(frozen=True)
class Spectrum:
    """Singular values of the Jacobian the basis came from, largest first.

    `sketch_error` estimates ‖J − Q Qᵀ J‖₂ from fresh probes (Halko, Martinsson & Tropp 2011, eq. 4.3); NaN if unknown.
    Values below it are not to be trusted.
    """

    singular_values: Floats
    sketch_error: float


@dataclass(frozen=True)
class Fields:
    """Fields at the display points for the ranks of the ladder.

    P display points, d inputs, o outputs, L ladder ranks, T points of the coarser set for the parameter step.
    The refined field is stored as its error (refined − target), in float32, so that errors far below the size of the
    field keep their digits.
    """

    ranks: NDArray[np.int64]  # (L,) ascending, contains 0, the chosen rank, the knee and the largest rank
    inputs: Floats  # (P, d)
    targets: Floats  # (P, o)
    network: Floats  # (P, o)
    refined_error: NDArray[np.float32]  # (L, P, o)
    stepped_points: NDArray[np.int64]  # (T,) indices into the display points
    stepped: NDArray[np.float32]  # (L, T, o) network at theta0 + Δθ
    split: str  # "grid" or "test": which split the display points are


@dataclass(frozen=True)
class LossPaths:
    """Loss (mean square) along theta0 + αΔθ for the ranks of the ladder, both curves on the same rows.

    `agreement` is the interval of α around 0 in which the two differ by at most 10 %.
    """

    ranks: NDArray[np.int64]  # (L,)
    alpha: Floats  # (a,)
    linearised: Floats  # (L, a)
    nonlinear: Floats  # (L, a)
    agreement: Floats  # (L, 2)
    n_rows: int


@dataclass(frozen=True)
class Directions:
    """Some of a subspace's directions, ordered by singular value.

    Attributes:
        index: their places from 1, (k,).
        singular_value: of the Jacobian that the subspace came from, (k,).
        share: of the squared residual that this direction and those since the one shown before it remove, (k,).
        steps: time constant under gradient descent, in steps at the largest stable rate (k,); infinite for a singular value of zero.
        frequency: mean radial frequency of the response, in half waves over an axis (k,); NaN where the points are no grid.
        layers: share of the squared length of the direction that lies in each layer, (k, l).
        layer_names: (l,).
    """

    index: NDArray[np.int64]
    singular_value: Floats
    share: Floats
    steps: Floats
    frequency: Floats
    layers: Floats
    layer_names: NDArray[np.str_]

    @property
    def correlation(self) -> float:
        """Spearman's rank correlation of time constant and frequency; NaN without frequencies."""
        from scipy import stats

        known = np.isfinite(self.frequency) & np.isfinite(self.steps)
        if known.sum() < FEWEST_DIRECTIONS or np.ptp(self.frequency[known]) == 0 or np.ptp(self.steps[known]) == 0:
            return math.nan
        return float(stats.spearmanr(self.steps[known], self.frequency[known]).statistic)


@dataclass(frozen=True)
class LossPlane:
    """Losses (b, a) over β (b,) and α (a,): at θ0 + αΔθ + βd. Not finite where the network is not.

    Attributes:
        alpha: steps along Δθ.
        beta: steps along the second direction d, whose length is `length` times that of Δθ.
        nonlinear: of the network.
        linearised: of the linear model at θ0.
        base: at θ0.
        length: ‖d‖/‖Δθ‖.
        cosine: of the angle between d and Δθ.
        n_rows: samples or points that the losses are taken on.
    """

    alpha: Floats
    beta: Floats
    nonlinear: Floats
    linearised: Floats
    base: float
    length: float
    cosine: float
    n_rows: int

    @property
    def agreement(self) -> NDArray[np.bool_]:
        """Where the two losses differ by at most 10 % of the linearised one."""
        with np.errstate(invalid="ignore"):
            close: NDArray[np.bool_] = np.abs(self.nonlinear - self.linearised) <= AGREEMENT * np.abs(self.linearised)
        return close

    @property
    def neighbourhood(self) -> NDArray[np.bool_]:
        """The part of `agreement` that hangs together with θ0; elsewhere the two surfaces only cross."""
        from scipy import ndimage

        parts, _ = ndimage.label(self.agreement)
        own = parts[int(np.argmin(np.abs(self.beta))), int(np.argmin(np.abs(self.alpha)))]
        found: NDArray[np.bool_] = (parts == own) & (own > 0)
        return found
