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

from lsr_core.errors import InputError
from lsr_core.linalg.randomized import randomized_svd
from lsr_core.networks.deeponets import DeepONetField
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import JacobianOperator, MatrixFreeJacobian, RowBlockJacobian
from lsr_core.networks.jets import JetFunction
from lsr_core.networks.pointjets import JetSpec
from lsr_core.refinement.config import RefineConfig

CHUNK_BYTES = 128 * 2**20
SEED_STREAM = 11


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
        like: the network as a function that was proved: its precision, and the way in which derivatives are taken.
        config: of the sketches, the share of the parameters that moves, and the seed.
        rank: directions.
        pairs: of functions and points that the directions come from.

    Raises:
        InputError: forward mode was not proved for the network.
    """

    def __init__(
        self,
        field: DeepONetField,
        pool: Tensor,
        points: Tensor,
        like: ParametricFunction,
        config: RefineConfig,
        *,
        rank: int,
        pairs: int,
    ) -> None:
        if like.derivatives != "forward":
            raise InputError(
                "forward mode does not serve this network, and many input functions need it; refine them one by one",
                key="model",
            )
        generator = torch.Generator().manual_seed((config.seed * 1_000_003 + SEED_STREAM) % 2**63)
        self._like, self._config = like, config
        self.branch, self.trunk = self._part(field.branch), self._part(field.trunk)
        self.n_params = self.branch.n_params + self.trunk.n_params
        functions = torch.randint(len(pool), (pairs,), generator=generator)
        places = torch.randint(len(points), (pairs,), generator=generator)
        rows = torch.cat([pool[functions], points[places]], dim=1).to(like.theta0)
        from_branch = min(self.branch.outputs(rows[:1, : pool.shape[1]]).shape[1], rank // 2)
        counts = {"branch.*": from_branch, "trunk.*": rank - from_branch}
        found = []
        for layers, count in counts.items():
            function = self._part(_Pairs(field), layers)
            svd = randomized_svd(
                self._operator(function, rows, 1, keep=True),
                count,
                oversampling=config.oversampling,
                power_iterations=config.power_iterations,
                generator=generator,
                uniform=config.sketch == "uniform",
            )
            found.append(svd.factors)
        self.along_branch, self.along_trunk = (factors.right for factors in found)
        values = torch.cat([factors.singular_values for factors in found])
        self.singular_values, self.order = values.sort(descending=True)

    def _part(self, module: nn.Module, layers: str | None = None) -> ParametricFunction:
        """A net as a function of the scalars of its own that may move; the same ones of it wherever it is found."""
        function = ParametricFunction.from_module(
            module,
            dtype=self._like.dtype,
            layers=layers,
            fraction=self._config.parameter_fraction,
            generator=torch.Generator().manual_seed(self._config.seed),
        )
        return function.by(self._like.derivatives, layered=self._like.layered)

    def _operator(
        self, function: ParametricFunction, inputs: Tensor, width: int, *, keep: bool = False
    ) -> JacobianOperator:
        if self._config.strategy == "matrix-free":
            return MatrixFreeJacobian(function, inputs, width)
        return RowBlockJacobian(function, inputs, width, keep=keep)

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

    def refined(
        self, points: Tensor, modes: Tensor, branch: Tensor, branch_responses: Tensor, coefficients: Tensor
    ) -> Tensor:
        """The refined field at points (n, d), (n,), for the trunk's modes there (n, k) and coefficients of the first directions (r',)."""
        placed = coefficients.new_zeros(self.rank)
        placed[self.order[: len(coefficients)]] = coefficients
        count = branch_responses.shape[1]
        moved = self.trunk.along(points, (self.along_trunk @ placed[count:])[:, None]).view_as(modes)
        return modes @ branch + modes @ (branch_responses @ placed[:count]) + moved @ branch

    def branch_modes(self, sensors: Tensor) -> tuple[Tensor, Tensor]:
        """b (f, k) and ∂b V (f, k, r_b) of functions at sensors (f, s)."""
        given = sensors.to(self._like.theta0)
        values = self.branch.outputs(given)
        operator = self._operator(self.branch, given, values.shape[1])
        return values, operator.matmat(self.along_branch).unflatten(0, values.shape)
