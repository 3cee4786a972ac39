"""The fields that a network reaches by small steps of its weights, u(θ0) + J V α, and the residuals of an equation along them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import jvp

from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import BlockRows, block_rows
from lsr_core.refinement.physics_setting import value_of
from lsr_core.refinement.response import ResponseModes, true_losses_of
from lsr_core.refinement.results import Floats

ROUTE = "row-blocks"
BLOCK_BYTES = 2**26
EXTRA = 20  # directions sketched beyond the rank
SAMPLES_A_DIRECTION = 2.0
SMALL = 1e-300


class Tangent:
    """Residual rows of a problem as functions of α, at fitted and at fresh points.

    Columns of J are scaled to one length before directions are chosen: a last layer that starts near zero makes those of the other layers
    small, and they are wanted all the same.

    Args:
        problem: its model is θ0.
        rank: directions (R); None or at least as many as there are parameters = all of them.
        seed: of the sketch.

    Attributes:
        directions: V (m, R).
    """

    def __init__(self, problem: PhysicsProblem, rank: int | None, seed: int) -> None:
        self.problem = problem
        self.function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
        self.fitted_blocks = block_rows(problem, self.function, check=False)
        self.fresh_blocks = block_rows(problem, self.function, problem.fresh, check=False)
        self.directions, self._lengths = _directions(self.function, problem, rank, seed)
        self._fitted, self._fresh = (self._modes(blocks) for blocks in (self.fitted_blocks, self.fresh_blocks))

    @property
    def rank(self) -> int:
        return self.directions.shape[1]

    def _modes(self, blocks: Sequence[BlockRows]) -> ResponseModes:
        return ResponseModes(blocks, self.directions, ROUTE, block_bytes=BLOCK_BYTES, room=2**62)

    def fitted_rows(self) -> ResponseModes:
        """The rows at the fitted points as functions of α, part by part."""
        return self._fitted

    def fresh_rows(self) -> ResponseModes:
        """The same at fresh points."""
        return self._fresh

    def linearised(self, alpha: Tensor) -> Tensor:
        """The triangle (≤ R+1, R+1) of [∂r/∂α, r] at the fitted points."""
        parts = [torch.cat(part.linearised(alpha), dim=1) for part in self._fitted]
        return torch.linalg.qr(torch.cat(parts), mode="r").R

    def losses(self, alphas: Tensor) -> Floats:
        """Σ weight·mean(r²) at the fitted points for the columns of α (R, k): (k,), NaN where it is not finite."""
        return true_losses_of(self._fitted, alphas)

    def fresh_loss(self, alpha: Tensor) -> float:
        return float(true_losses_of(self._fresh, alpha[:, None])[0])

    def fresh_fields(self, alpha: Tensor) -> list[tuple[BlockRows, Tensor]]:
        """Blocks with what they read of the field at their fresh points, (n, f)."""
        parts: dict[int, list[Tensor]] = {}
        for part in self._fresh:
            parts.setdefault(id(part.residual), []).append(part.network + (part.modes @ alpha).view_as(part.network))
        return [(block, torch.cat(parts[id(block.residual)])) for block in self.fresh_blocks]

    def coefficients(self, delta: Tensor) -> Tensor:
        """α (R,) of the direction nearest to Δθ (m,)."""
        return (self.directions * self._lengths[:, None]).T @ (self._lengths * delta)

    def delta(self, alpha: Tensor) -> Tensor:
        """Δθ (m,)."""
        return self.directions @ alpha


def read_along(block: BlockRows, delta: Tensor, chunk: int = 2048) -> Tensor:
    """What a block reads of the field u(θ0) + J Δθ at its points (n, f), as the delivered predictor gives it."""
    read, parts = block.residual.components(), []
    for points in block.points.split(chunk):
        network, moved = jvp(read.fixed(points), (read.theta0,), (delta,))[:2]
        parts.append((network + moved).detach())
    return torch.cat(parts)


def _directions(
    function: ParametricFunction, problem: PhysicsProblem, rank: int | None, seed: int
) -> tuple[Tensor, Tensor]:
    """V (m, R), and the lengths of the columns of J (m,), so that V times those is orthonormal."""
    count, outputs = function.n_params, len(problem.outputs)
    places = problem.fitted_inputs().to(function.theta0)
    generator = torch.Generator().manual_seed(seed)
    wanted = count if rank is None else min(rank, count)
    few = max(1, round(SAMPLES_A_DIRECTION * (wanted + EXTRA) / outputs))
    chosen = places[torch.randperm(len(places), generator=generator)[:few]]
    rows = value_of(function).at(chosen, outputs, ROUTE).to_dense()
    lengths = rows.norm(dim=0).clamp_min(SMALL)
    lengths = torch.maximum(lengths, 1e-12 * lengths.max())
    if wanted == count:
        return torch.diag(1 / lengths), lengths
    unknown = len(problem.unknown)
    if unknown:  # each a direction of its own, the last ones, whatever else is left out
        fields, most = count - unknown, max(0, wanted - unknown)
        others = _leading(rows[:, :fields] / lengths[:fields], most, generator) / lengths[:fields, None]
        own = torch.diag(1 / lengths[fields:])
        return torch.block_diag(others, own), lengths
    return _leading(rows / lengths, wanted, generator) / lengths[:, None], lengths


def _leading(scaled: Tensor, wanted: int, generator: torch.Generator) -> Tensor:
    """Nearly the leading right singular vectors of rows (n, m), (m, wanted)."""
    count = scaled.shape[1]
    start = torch.randn(count, wanted + EXTRA, generator=generator, dtype=torch.float64)
    spanned = torch.linalg.qr(scaled @ start).Q
    return torch.linalg.svd(scaled.T @ spanned, full_matrices=False).U[:, :wanted]
