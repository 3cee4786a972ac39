"""A problem as it stands in each round of an iteration: points, network, fields, and what is measured of them."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from lsr_core.iteration.config import IterateConfig
from lsr_core.iteration.measures import NOTHING, Measures, Seen
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.kinds import prepare
from lsr_core.refinement.predictor import RefinedPredictor


class Rounds:
    """Problems and fields by the weights θ (m,) of a round.

    Args:
        problem: its network is where the iteration begins; its fresh points never change.
        config: of the rounds.
        refine: of the solves.
    """

    def __init__(self, problem: PhysicsProblem, config: IterateConfig, refine: RefineConfig) -> None:
        self.problem = replace(problem, model=copy.deepcopy(problem.model).double())
        self._config, self._refine = config, refine
        self.measures = Measures(self.problem)

    @property
    def start(self) -> Tensor:
        """The weights that the network came with."""
        return torch.nn.utils.parameters_to_vector(self.problem.model.parameters()).detach().clone()

    @cached_property
    def _function(self) -> ParametricFunction:
        return proved_function(self.problem, self._refine)

    def function(self, theta: Tensor) -> ParametricFunction:
        """The network at θ, differentiated in the way that was proved for it."""
        return self._function.moved(theta)

    def at(self, theta: Tensor, number: int | None = None) -> PhysicsProblem:
        """The problem at θ, with the points of a round or those that it came with."""
        model = copy.deepcopy(self.problem.model)
        with torch.no_grad():
            torch.nn.utils.vector_to_parameters(theta, model.parameters())
        problem = replace(self.problem, model=model.eval())
        if number is None or number == 1 or not self._config.resample:
            return problem
        seed = (self._refine.seed * 1_000_003 + number) % 2**63
        return replace(problem.redrawn(seed), fresh=self.problem.fresh)

    def predictor(self, theta: Tensor, delta: Tensor) -> RefinedPredictor:
        """q(θ, x) + J(x) Δθ for Δθ (m,)."""
        function = self._function
        return RefinedPredictor(self.at(theta).model, function.tangent(delta), derivatives=function.derivatives)

    def seen(self, theta: Tensor, delta: Tensor | None = None) -> Seen:
        """Figures of the refined field, or of the network where there is no Δθ."""
        test = self.measures.test
        if test is None:
            return NOTHING
        inputs = test.inputs.to(theta)
        field = self._function.outputs(inputs, theta) if delta is None else self.predictor(theta, delta).predict(inputs)
        return self.measures.of(field)


def proved_function(problem: PhysicsProblem, config: RefineConfig) -> ParametricFunction:
    """The whole network in float64, differentiated in the way that a refinement of it proves right; raises as `prepare`."""
    found = prepare(problem, config).function
    whole = ParametricFunction.from_module(problem.model, dtype=torch.float64)
    return whole.by(found.derivatives, layered=found.layered)
