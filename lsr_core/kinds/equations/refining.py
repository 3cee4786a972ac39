"""How equations are refined."""

from __future__ import annotations

from lsr_core.kinds.equations import preparing
from lsr_core.kinds.equations.basis import build_physics
from lsr_core.kinds.equations.evaluation import PhysicsEvaluation
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.refinement.basis import Basis, OnFraction
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.kinds import Refining
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.rows import Rows
from lsr_core.refinement.setting import Outline


class EquationRefining(Refining[PhysicsProblem, PhysicsSetting]):
    """The rows are the weighted residuals; the basis may come from other rows than those that are solved."""

    evaluation = PhysicsEvaluation

    def outline(self, problem: PhysicsProblem, config: RefineConfig) -> Outline:
        return preparing.outline(problem, config)

    def prepare(self, problem: PhysicsProblem, config: RefineConfig) -> PhysicsSetting:
        return preparing.prepare(problem, config)

    def build_basis(self, setting: PhysicsSetting, on_fraction: OnFraction) -> Basis:
        return build_physics(setting, on_fraction)

    def rows(self, setting: PhysicsSetting) -> Rows:
        return setting.rows()


KIND = EquationRefining()
