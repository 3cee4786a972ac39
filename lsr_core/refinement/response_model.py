"""The field u0 + Φα at a refinement's fitted and fresh points, and what of it reaches the predictor that is delivered."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lsr_core.networks.residuals import ResidualFunction
from lsr_core.refinement.basis import qr_for
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.plan import budget_of
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.response import ResponseModes, true_losses_of
from lsr_core.refinement.setting import relative_l2
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.true_residual import true_losses


@dataclass(frozen=True, eq=False)
class State:
    """A field by its coefficients (R,), with its true losses at fitted and at fresh points."""

    alpha: Tensor
    rank: int
    fitted: float
    fresh: float
    damping: float = 0.0

    def improves(self, other: State) -> bool:
        """Whether the true residual is smaller everywhere it is measured; NaN is not."""
        return self.fitted < other.fitted and self.fresh < other.fresh


class ResponseModel:
    """Residuals at fitted and fresh points as functions of α.

    Where the subspace is the whole parameter space, the modes kept are the Jacobian rows themselves, which spares the product with V:
    only their triangle is turned to V.

    Attributes:
        spoilt: fields that were left because rounding would have spoilt their predictor.
    """

    def __init__(self, setting: PhysicsSetting, subspace: Subspace) -> None:
        self.setting, self._subspace, self.spoilt = setting, subspace, 0
        self.size = subspace.rank
        eye = torch.eye(self.size).to(setting.function.theta0)
        self._directions = subspace.delta(eye)
        self._whole = 0 < self.size == setting.function.n_params
        directions = None if self._whole else self._directions
        room = budget_of(setting.config) - setting.plan.peak_bytes
        name, block_bytes = setting.strategy.name, setting.plan.block_bytes
        self._fitted = ResponseModes(setting.fitted, directions, name, block_bytes=block_bytes, room=room)
        room -= self._fitted.n_bytes * self._fitted.kept
        self._fresh = ResponseModes(setting.fresh, directions, name, block_bytes=block_bytes, room=room)

    def states(self, alphas: Tensor, ranks: Sequence[int], damping: float = 0.0) -> list[State]:
        """Fields with coefficients (R, k), measured."""
        moved = self._directions @ alphas if self._whole else alphas
        losses = zip(*(true_losses_of(rows, moved).tolist() for rows in (self._fitted, self._fresh)), strict=True)
        return [
            State(alpha, rank, fitted, fresh, damping)
            for alpha, rank, (fitted, fresh) in zip(alphas.unbind(1), ranks, losses, strict=True)
        ]

    def held(self, state: State, than: State) -> State | None:
        """The state with the losses of the predictor that would be delivered, u0 + J Δθ with Δθ = V α; None where rounding spoils that.

        A sum of large terms is rounded differently in Φα and in J Δθ. What the state gains on `than` must be more than the two differ by.
        """
        step = self.delta(state)[:, None]
        fitted, fresh = (
            float(true_losses(rows, step, self.setting.strategy.name)[0])
            for rows in (self.setting.fitted, self.setting.fresh)
        )
        found = replace(state, fitted=fitted, fresh=fresh)
        pairs = ((state.fitted, fitted, than.fitted), (state.fresh, fresh, than.fresh))
        if all(
            abs(math.sqrt(here) - math.sqrt(there)) < math.sqrt(old) - math.sqrt(there) for here, there, old in pairs
        ):
            return found
        self.spoilt += 1
        return None

    def delta(self, state: State) -> Tensor:
        """Δθ of the free parameters (m,)."""
        return self._subspace.delta(state.alpha[: state.rank])

    def predictor(self, state: State) -> RefinedPredictor:
        """q(θ0, x) + J(x) Δθ."""
        function = self.setting.function
        module = function.module or self.setting.problem.model
        return RefinedPredictor(module, function.tangent(self.delta(state)), derivatives=function.derivatives)

    def factor(self, alpha: Tensor) -> Tensor:
        """The triangle of [∂r/∂α, r] at the fitted points."""
        at = self._directions @ alpha if self._whole else alpha
        qr = qr_for(self.setting, self.size + 1)
        for rows in self._fitted:
            qr.update(*rows.linearised(at))
        triangle = qr.factor
        if not self._whole or not torch.isfinite(triangle).all():
            return triangle
        turned = torch.cat([triangle[:, :-1] @ self._directions, triangle[:, -1:]], dim=1)
        return torch.linalg.qr(turned, mode="r").R

    def rows_at(self, alpha: Tensor) -> Iterator[tuple[ResidualFunction, Tensor]]:
        """[∂r/∂α, r] at the fitted points, part by part."""
        at = self._directions @ alpha if self._whole else alpha
        for part in self._fitted:
            slopes, rows = part.linearised(at)
            slopes = slopes @ self._directions if self._whole else slopes
            yield part.residual, torch.cat([slopes, rows], dim=1)

    def length(self, alpha: Tensor) -> float:
        """‖V α‖."""
        return float((self._directions @ alpha).norm())

    def relative_l2(self, state: State) -> float | None:
        """Error of the predictor against the exact or reference solution; None where there is none."""
        test = self.setting.splits.get("test")
        if test is None:
            return None
        outputs = self.predictor(state).predict(test.inputs).reshape(test.targets.shape)
        error = relative_l2(float((outputs - test.targets).square().mean()), test)
        return error if math.isfinite(error) else None
