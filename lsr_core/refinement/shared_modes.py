"""Response modes of an operator network for many input functions: what does not depend on the function is computed once.

A field s(x) = Σ_k b_k(u) t_k(x) has the response J V = Σ_k (∂b_k V) t_k + b_k (∂t_k V) along parameter directions V. The trunk's modes t,
their responses ∂t V and the derivatives of both by x are the same for every function u; only b(u) and ∂b(u) V are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import jvp, vmap

from lsr_core.linalg.randomized import randomized_svd
from lsr_core.networks.deeponets import DeepONetField
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import RowBlockJacobian
from lsr_core.networks.jets import JetFunction
from lsr_core.networks.pointjets import JetSpec

CHUNK_BYTES = 128 * 2**20


class _Pairs(nn.Module):
    """The network as a function of an input function and a point, side by side in one row (n, s + d)."""

    def __init__(self, field: DeepONetField) -> None:
        super().__init__()
        self.branch, self.trunk = field.branch, field.trunk
        self.n_sensors = field.sensors.shape[1]

    def forward(self, pairs: Tensor) -> Tensor:
        sensors, points = pairs[:, : self.n_sensors], pairs[:, self.n_sensors :]
        return (self.trunk(points) * self.branch(sensors)).sum(dim=1, keepdim=True)


@dataclass(frozen=True, eq=False)
class TrunkModes:
    """At fixed points: jets of the trunk's modes (n, c, k), those components that are used, and of their responses to its own directions
    (n, c, r_t, k).

    Attributes:
        order: places of the directions among those of branch and trunk together.
    """

    jets: Tensor
    responses: Tensor
    order: Tensor

    def at(self, branch: Tensor, branch_responses: Tensor) -> tuple[Tensor, Tensor]:
        """Jets of the field at θ0 (n, c) and of its response modes (n, c, r), for b (k,) and ∂b V (k, r_b)."""
        along_branch = self.jets @ branch_responses
        along_trunk = self.responses @ branch
        return self.jets @ branch, torch.cat([along_branch, along_trunk], dim=2)[..., self.order]


class SharedModes:
    """A subspace V of parameter directions that serves all input functions.

    A direction moves either the branch or the trunk. For one input function the branch can give no more than the span of the trunk's
    modes, so V has that many of its directions; the rest are the trunk's. They are leading right singular vectors of the output Jacobian
    by the parameters of either net, at pairs of pool functions and points (randomized SVD), and stand in the order of their singular values.

    Args:
        field: the network; its own input function plays no part.
        pool: sensor values of some functions (f, s), not those that will be refined.
        points: where their outputs count, (n, d).
        rank: directions.
        oversampling: of the sketches.
        pairs: of functions and points that the directions come from.
        generator: of the sketches, and of the pairs.
        power_iterations: passes that sharpen the sketches.
        uniform: sketches of numbers on [0, 1) in place of Gaussian ones.
    """

    def __init__(
        self,
        field: DeepONetField,
        pool: Tensor,
        points: Tensor,
        *,
        rank: int,
        oversampling: int,
        pairs: int,
        generator: torch.Generator,
        power_iterations: int = 0,
        uniform: bool = False,
    ) -> None:
        self.branch = ParametricFunction.from_module(field.branch, dtype=torch.float64)
        self.trunk = ParametricFunction.from_module(field.trunk, dtype=torch.float64)
        self.n_params = self.branch.n_params + self.trunk.n_params
        functions = torch.randint(len(pool), (pairs,), generator=generator)
        places = torch.randint(len(points), (pairs,), generator=generator)
        rows = torch.cat([pool[functions].double(), points[places].double()], dim=1)
        modes = self.branch.outputs(pool[:1].double()).shape[1]
        from_branch = min(modes, rank // 2)
        counts = {"branch.*": from_branch, "trunk.*": rank - from_branch}
        found = []
        for layers, count in counts.items():
            function = ParametricFunction.from_module(_Pairs(field), dtype=torch.float64, layers=layers)
            operator = RowBlockJacobian(function, rows, 1, keep=True)
            svd = randomized_svd(
                operator,
                count,
                oversampling=oversampling,
                power_iterations=power_iterations,
                generator=generator,
                uniform=uniform,
            )
            found.append(svd.factors)
        self.along_branch, self.along_trunk = (factors.right for factors in found)
        values = torch.cat([factors.singular_values for factors in found])
        self.singular_values, self.order = values.sort(descending=True)

    @property
    def rank(self) -> int:
        return len(self.order)

    def trunk_modes(self, points: Tensor, spec: JetSpec, used: Sequence[int]) -> TrunkModes:
        """What all functions share at points (n, d), for some components of jets."""
        jets, components = JetFunction(self.trunk, spec), list(used)
        shared = jets.fixed(points)(self.trunk.theta0)[:, components].detach()

        def push(direction: Tensor) -> Tensor:
            return jvp(lambda theta: jets(theta, points), (self.trunk.theta0,), (direction,))[1][:, components]

        columns = max(1, CHUNK_BYTES // (8 * shared.numel() * len(self.trunk.shapes)))
        n, c, k = shared.shape
        responses = shared.new_empty(n, c, self.along_trunk.shape[1], k)
        for start in range(0, responses.shape[2], columns):
            part = self.along_trunk[:, start : start + columns]
            responses[:, :, start : start + columns] = vmap(push, in_dims=1)(part).permute(1, 2, 0, 3).detach()
        return TrunkModes(shared, responses, self.order)

    def field(
        self, points: Tensor, branch: Tensor, branch_responses: Tensor, coefficients: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The field at θ0 and the refined one at points, (n,) each, for coefficients of the first directions (r',)."""
        placed = coefficients.new_zeros(self.rank)
        placed[self.order[: len(coefficients)]] = coefficients
        count = branch_responses.shape[1]
        step = self.along_trunk @ placed[count:]
        pushed = jvp(lambda theta: self.trunk(theta, points), (self.trunk.theta0,), (step,))
        modes, moved = pushed[0], pushed[1]
        base = modes @ branch
        return base, base + modes @ (branch_responses @ placed[:count]) + moved @ branch

    def branch_modes(self, sensors: Tensor) -> tuple[Tensor, Tensor]:
        """b (f, k) and ∂b V (f, k, r_b) of functions at sensors (f, s)."""
        values = self.branch.outputs(sensors.double())
        operator = RowBlockJacobian(self.branch, sensors.double(), values.shape[1])
        return values, operator.matmat(self.along_branch).unflatten(0, values.shape)
