"""What a verdict on an equation is made from."""

from __future__ import annotations

from typing import cast

from torch import Tensor

from lsr_core.diagnosis.coefficients import jump
from lsr_core.diagnosis.conditions import missing_conditions
from lsr_core.diagnosis.kinds import EquationFigures, Judging, Pairs, finite, spread
from lsr_core.diagnosis.other_starts import why_no_other
from lsr_core.diagnosis.solved import solved
from lsr_core.kinds.data.judging import measured_error
from lsr_core.kinds.equations.preparing import prepare
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.equation_residual import EquationResidual
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.problems.physics.typed.bare_edge import bare_edge
from lsr_core.problems.residual import Residual
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.summary import Summary
from lsr_core.refinement.true_residual import true_losses

WHOLE = {"layers": None, "parameter_fraction": 1.0, "max_rank": 0, "rank": 0, "gauss_newton": 0}  # for any Δθ


class EquationJudging(Judging[PhysicsProblem]):
    """Residuals, at fitted points and at fresh ones; a known solution is only reported."""

    def all_rows(self, problem: PhysicsProblem, function: ParametricFunction) -> Residual:
        return EquationResidual(block_rows(problem, function))

    def some_rows(self, setting: PhysicsSetting, most: int, refined_from: float) -> tuple[Residual, int]:
        total = sum(len(part.points) for part in setting.fitted)
        most = most // 2  # derivatives cost several times what values do
        parts = []
        for part in setting.fitted:
            wanted = max(1, round(len(part.points) * min(1.0, most / total)))
            parts.append(part.restricted(spread(len(part.points), wanted, part.points)))
        return EquationResidual(parts), sum(len(part.points) for part in parts)

    def mean_squares(self, summary: Summary) -> Pairs:
        return {}

    def plain_errors(self, summary: Summary) -> Pairs:
        norms = summary.residual_norm
        return {
            "residual at fitted points": (norms.base, norms.nonlinear),
            "residual at fresh points": (norms.fresh_base, norms.fresh_nonlinear),
        }

    def refined_error(self, refinement: Refinement) -> float | None:
        return finite(measured_error(refinement.summary))

    def restarting(self, problem: PhysicsProblem) -> str:
        return "that is done for data, not for equations"

    def fresh_loss(self, problem: PhysicsProblem, config: RefineConfig, delta: Tensor) -> float:
        setting = prepare(problem, config.model_copy(update=WHOLE))
        return float(true_losses(setting.fresh, delta[:, None], setting.strategy.name)[0])

    def equation(self, refinement: Refinement) -> EquationFigures:
        setting = cast(PhysicsSetting, refinement.setting)
        before, after = refinement.summary.residual_norm.base, refinement.summary.residual_norm.nonlinear
        return EquationFigures(
            true_residual=after / before if after is not None and before else None,
            solved=solved(refinement),
            jump=jump(setting.fitted, tuple(setting.problem.domain)),
            missing=missing_conditions(setting.problem),
            bare=bare_edge(setting.problem),
            no_other=why_no_other(setting.problem),
        )


KIND = EquationJudging()
