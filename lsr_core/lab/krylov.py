"""Krylov methods for min ‖A y − b‖, iterate by iterate, with or without reorthogonalisation.

SciPy's `lsqr` and `lsmr` give the last iterate only, compute in float64 only, and never reorthogonalise; here precision and
reorthogonalisation are what is looked at. Both methods stand on the bidiagonalisation of Golub & Kahan (1965).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from lsr_core.linalg.operators import LinearOperator

ROUNDS = 2  # of reorthogonalisation: twice is enough (Kahan; Giraud, Langou & Rozložník 2005)
ROUNDING = 10  # units of rounding below which a coefficient is noise


class BidiagonalStep(NamedTuple):
    """A vᵢ = βᵢ₊₁ uᵢ₊₁ + αᵢ uᵢ and Aᵀ uᵢ = αᵢ vᵢ + βᵢ vᵢ₋₁: what the i-th step adds."""

    alpha: float
    v: Tensor
    beta: float


def bidiagonalise(operator: LinearOperator, rhs: Tensor, *, reorthogonalise: bool) -> Iterator[BidiagonalStep]:
    """Golub-Kahan bidiagonalisation started from `rhs`, two products a step.

    The first step holds β₁ = ‖rhs‖ with α₁ and v₁, each further one βᵢ, αᵢ, vᵢ. It ends when α or β is rounding: the Krylov space is exhausted.
    """
    kept = min(operator.shape) + 1 if reorthogonalise else 0
    left, right = _Orthogonaliser(kept), _Orthogonaliser(kept)
    rounding = ROUNDING * torch.finfo(rhs.dtype).eps
    beta, u = _normalised(rhs)
    left.add(u)
    alpha, v = _normalised(operator.rmatvec(u))
    largest = alpha
    if beta == 0 or alpha == 0:
        return
    right.add(v)
    yield BidiagonalStep(alpha, v, beta)
    while True:
        beta, u = _normalised(left(operator.matvec(v) - alpha * u))
        largest = max(largest, beta)
        if not beta > rounding * largest:
            yield BidiagonalStep(0.0, torch.zeros_like(v), 0.0)
            return
        left.add(u)
        alpha, v = _normalised(right(operator.rmatvec(u) - beta * v))
        largest = max(largest, alpha)
        if not alpha > rounding * largest:
            yield BidiagonalStep(0.0, torch.zeros_like(v), beta)
            return
        right.add(v)
        yield BidiagonalStep(alpha, v, beta)


def lsqr(operator: LinearOperator, rhs: Tensor, *, reorthogonalise: bool) -> Iterator[Tensor]:
    """Iterates y₁, y₂, … of LSQR (Paige & Saunders 1982): the residual is smallest over the Krylov space."""
    steps = bidiagonalise(operator, rhs, reorthogonalise=reorthogonalise)
    first = next(steps, None)
    if first is None:
        return
    direction, phi_bar, rho_bar = first.v, first.beta, first.alpha
    y = torch.zeros_like(first.v)
    for step in steps:
        rho = math.hypot(rho_bar, step.beta)
        cosine, sine = rho_bar / rho, step.beta / rho
        y = y + (cosine * phi_bar / rho) * direction
        yield y
        direction = step.v - (sine * step.alpha / rho) * direction
        rho_bar, phi_bar = -cosine * step.alpha, sine * phi_bar


def lsmr(operator: LinearOperator, rhs: Tensor, *, reorthogonalise: bool) -> Iterator[Tensor]:
    """Iterates y₁, y₂, … of LSMR (Fong & Saunders 2011): the gradient is smallest over the Krylov space."""
    steps = bidiagonalise(operator, rhs, reorthogonalise=reorthogonalise)
    first = next(steps, None)
    if first is None:
        return
    zeta_bar, alpha_bar = first.alpha * first.beta, first.alpha
    rho_before = rho_bar_before = cosine_bar = 1.0
    sine_bar = 0.0
    direction, y = first.v, torch.zeros_like(first.v)
    smoothed = torch.zeros_like(first.v)
    for step in steps:
        rho = math.hypot(alpha_bar, step.beta)
        cosine, sine = alpha_bar / rho, step.beta / rho
        theta, alpha_bar = sine * step.alpha, cosine * step.alpha
        theta_bar = sine_bar * rho
        rho_bar = math.hypot(cosine_bar * rho, theta)
        smoothed = direction - (theta_bar * rho / (rho_before * rho_bar_before)) * smoothed
        cosine_bar, sine_bar = cosine_bar * rho / rho_bar, theta / rho_bar
        zeta, zeta_bar = cosine_bar * zeta_bar, -sine_bar * zeta_bar
        y = y + (zeta / (rho * rho_bar)) * smoothed
        yield y
        direction = step.v - (theta / rho) * direction
        rho_before, rho_bar_before = rho, rho_bar


def cgls(operator: LinearOperator, rhs: Tensor) -> Iterator[Tensor]:
    """Iterates of conjugate gradients on AᵀA y = Aᵀb without forming AᵀA (Hestenes & Stiefel 1952; Björck 1996, §7.4).

    It ends when the gradient is rounding of the product that made it; going on would follow noise away from the solution.
    """
    rounding = torch.finfo(rhs.dtype).eps
    residual, gradient = rhs, operator.rmatvec(rhs)
    direction, y = gradient, torch.zeros_like(gradient)
    gamma, largest = float(gradient @ gradient), 0.0
    while math.sqrt(gamma) > rounding * largest * float(residual.norm()):
        image = operator.matvec(direction)
        size = float(image @ image)
        if not size > 0:
            return
        largest = max(largest, math.sqrt(size) / float(direction.norm()))
        y = y + (gamma / size) * direction
        residual = residual - (gamma / size) * image
        yield y
        gradient = operator.rmatvec(residual)
        before, gamma = gamma, float(gradient @ gradient)
        direction = gradient + (gamma / before) * direction


def largest_singular_value(operator: LinearOperator, start: Tensor, steps: int = 20) -> float:
    """σ₁ from below, by the bidiagonal matrix of a few steps from `start`; within a per cent or so after twenty."""
    return float(ritz_values(operator, start, steps)[0])


def ritz_values(operator: LinearOperator, start: Tensor, steps: int) -> Tensor:
    """Singular values of the bidiagonal matrix after at most `steps` steps, largest first: they lie inside those of A."""
    found = [
        step for step, _ in zip(bidiagonalise(operator, start, reorthogonalise=True), range(steps + 1), strict=False)
    ]
    count = min(steps, sum(step.alpha > 0 for step in found))
    bidiagonal = torch.zeros(count + 1, count, dtype=torch.float64)
    for i, step in enumerate(found):
        if i < count:
            bidiagonal[i, i] = step.alpha
        if i > 0:
            bidiagonal[i, i - 1] = step.beta
    return torch.linalg.svdvals(bidiagonal)


class _Orthogonaliser:
    """Takes out of a vector what lies along all earlier ones; with room for none it leaves vectors as they are."""

    def __init__(self, room: int) -> None:
        self._room, self._count = room, 0
        self._kept: Tensor | None = None

    def add(self, vector: Tensor) -> None:
        if self._room == 0:
            return
        if self._kept is None or self._count == len(self._kept):
            grown = vector.new_empty(min(self._room, max(64, 2 * self._count)) + 1, len(vector))
            if self._kept is not None:
                grown[: self._count] = self._kept
            self._kept = grown
        self._kept[self._count] = vector
        self._count += 1

    def __call__(self, vector: Tensor) -> Tensor:
        if self._kept is None:
            return vector
        kept = self._kept[: self._count]
        for _ in range(ROUNDS):
            vector = vector - kept.T @ (kept @ vector)
        return vector


def _normalised(vector: Tensor) -> tuple[float, Tensor]:
    size = float(vector.norm())
    return size, vector / size if size > 0 else vector
