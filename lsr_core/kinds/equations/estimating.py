"""Unknown numbers of a refined equation, and how the values that were measured are met, by the linearised model at the solution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from lsr_core.linalg.joint import JointModel
from lsr_core.problems.physics.blocks import MEASURED
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import BlockRows
from lsr_core.refinement.estimating import Estimating
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.response_model import ResponseModel
from lsr_core.refinement.unknowns import MeasuredFit, UnknownNumber, in_words, misfit_in_words, number

WEAK = 1e-10  # of the largest singular value: a prior that only keeps rounding out
FIXED = "{name} was not free to move, so it stayed where it was."


class EquationEstimating(Estimating):
    """Of the linearised model at the solution."""

    def with_estimates(self, refinement: Refinement) -> Refinement:
        """With unknown numbers and what the measured values say of them; as it is where there are neither."""
        problem = cast(PhysicsProblem, refinement.problem)
        noisy = any(block.noise is not None for block in problem.blocks)
        if not (problem.unknown or noisy):
            return refinement
        found = _Estimates(refinement, cast(PhysicsSetting, refinement.setting))
        unknowns, measured = found.unknowns(), found.measured()
        sentences = [in_words(unknowns)] if unknowns else []
        sentences += [measured.sentence] if measured is not None else []
        summary = refinement.summary
        update = {"unknowns": unknowns, "measured": measured, "notes": [*sentences, *summary.notes]}
        return replace(refinement, summary=summary.model_copy(update=update))


class _Estimates:
    """The linearised model of all unknowns at the solution."""

    def __init__(self, refinement: Refinement, setting: PhysicsSetting) -> None:
        self.setting, self.problem = setting, setting.problem
        self.delta = refinement.delta
        self.blocks = [block for block in setting.fitted if block.block.measured]
        self.count = sum(block.n_rows for block in self.blocks)
        self.moved = setting.function.numbers[: refinement.subspace.rank]
        alpha = setting.function.theta0.new_zeros(refinement.subspace.rank)
        alpha[: refinement.rank] = refinement.solutions.at(refinement.rank)
        self._units = refinement.subspace.scale
        ahead = len(self.moved)
        parts = _triangles(ResponseModel(setting, refinement.subspace), alpha, self.blocks)
        measured, others = (_last(part, ahead) for part in parts)
        self.left = float(measured[:, -1].square().sum()) + _within(self.blocks)
        joint = JointModel(torch.linalg.qr(torch.cat([measured, others]), mode="r").R, torch.zeros_like(alpha), ahead)
        self._strength = WEAK * float(joint.values[0]) if len(joint.values) else 0.0
        self._joint = joint
        self.freedom = joint.freedom(measured, self._strength)
        given = all(block.block.noise is not None for block in self.blocks)
        self.given = given and bool(self.blocks)
        self.variance = MEASURED if self.given else self.left / max(self.count - self.freedom, 1.0)

    def unknowns(self) -> dict[str, UnknownNumber]:
        """By name."""
        names, start = list(self.problem.unknown), self.problem.unknown
        if not names:
            return {}
        network = self.setting.function.named(self.setting.function.theta0)["unknown.bias"].double()
        values = (network + self.delta[len(self.delta) - len(names) :].to(network)).tolist()
        if len(self.moved) < len(names):
            return {
                name: UnknownNumber(value=value, std=None, start=start[name], said=FIXED.format(name=name))
                for name, value in zip(names, values, strict=True)
            }
        units = self._units.tolist()
        scales = self._joint.flat_deviations(self._strength) * math.sqrt(self.variance)
        return {
            name: number(name, value, float(deviation) * units[place], start[name], measured=self.count > 0)
            for place, (name, value, deviation) in enumerate(zip(names, values, scales, strict=True))
        }

    def measured(self) -> MeasuredFit | None:
        """None where nothing is measured."""
        if not self.blocks:
            return None
        noise = {
            block.block.name: block.block.noise or math.sqrt(self.variance * block.n_rows / block.block.weight)
            for block in self.blocks
        }
        misfit = math.sqrt(self.left / max(self.variance * self.count, 1e-300))
        said = misfit_in_words(self.count, list(noise.values()), misfit, self.freedom, given=self.given)
        return MeasuredFit(
            values=self.count, noise=noise, noise_given=self.given, misfit=misfit, freedom=self.freedom, sentence=said
        )


def _triangles(model: ResponseModel, alpha: Tensor, blocks: Sequence[BlockRows]) -> tuple[Tensor, Tensor]:
    """Of [∂r/∂α, r] of the measured rows and of all others."""
    measured = {id(block.residual) for block in blocks}
    nothing = alpha.new_zeros(0, len(alpha) + 1)
    groups: list[Tensor] = [nothing, nothing]
    for residual, rows in model.rows_at(alpha):
        place = 0 if id(residual) in measured else 1
        groups[place] = torch.linalg.qr(torch.cat([groups[place], rows]), mode="r").R
    return groups[0], groups[1]


def _last(factor: Tensor, ahead: int) -> Tensor:
    """The same with the first columns behind the other coefficients."""
    return torch.cat([factor[:, ahead:-1], factor[:, :ahead], factor[:, -1:]], dim=1)


def _within(blocks: Sequence[BlockRows]) -> float:
    """Sum of squares of measured rows that no field can lower."""
    return sum(block.block.weight / block.n_rows * (block.block.within or 0.0) for block in blocks)


KIND = EquationEstimating()
