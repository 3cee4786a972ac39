"""Residual blocks of a problem as functions of a network's parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jets import JetFunction
from lsr_core.networks.pointjets import JetSpec
from lsr_core.networks.residuals import ResidualFunction
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.fields import Field, derivative, with_values
from lsr_core.problems.physics.problem import PhysicsProblem, place


@dataclass(frozen=True, eq=False)
class BlockRows:
    """The rows of one block at its points: √(weight/rows) r, (n·k,).

    Attributes:
        block: the condition.
        points: (n, d), or (n, 2, d) for pairs.
        residual: maps (θ, points) to the scaled rows (n, k).
        width: k.
    """

    block: ResidualBlock
    points: Tensor
    residual: ResidualFunction
    width: int

    @property
    def n_rows(self) -> int:
        return len(self.points) * self.width

    def places(self) -> Tensor:
        """All points of the block one by one, (n·s, d)."""
        return self.points.reshape(-1, self.points.shape[-1])

    def restricted(self, chosen: Tensor) -> BlockRows:
        """The same block at some of its points, with the weight that the whole block had."""
        factor = math.sqrt(len(self.points) / max(1, len(chosen)))
        return BlockRows(self.block, self.points[chosen], self.residual.scaled(factor), self.width)


def block_rows(
    problem: PhysicsProblem,
    function: ParametricFunction,
    points: Mapping[str, Tensor] | None = None,
    *,
    check: bool = True,
) -> list[BlockRows]:
    """The rows of all blocks, at the fitted points or at others, in the dtype and on the device of the function.

    Args:
        check: refuse residuals that are not finite, which takes evaluating them.

    Raises:
        InputError: residuals that are not (n,) or (n, k), or not finite at some points; higher derivatives of a network without any.
    """
    given = problem.points if points is None else points
    rows = []
    for block in problem.blocks:
        at = given[block.name].to(dtype=function.dtype, device=function.device)
        jets = JetFunction(function, jet_spec(block, problem.outputs, problem.variables))
        pointwise = _Pointwise(block, problem.outputs, problem.variables, jets.spec)
        read = {derivative(name, problem.outputs, problem.variables) for name in block.needs}
        used = sorted({0, *(jets.spec.position(item.by) for item in read)})
        residual = ResidualFunction(jets, pointwise, used=used)
        width = _width(block, residual, at)
        found = BlockRows(block, at, residual.scaled(math.sqrt(block.weight / (len(at) * width))), width)
        if check:
            _check_finite(found, problem.variables)
        rows.append(found)
    return rows


def residual_vector(rows: Sequence[BlockRows], theta: Tensor | None = None) -> Tensor:
    """f: the rows of all blocks (N,), at θ0 or at `theta`; their squared norm is the loss."""
    return torch.cat([part.residual.outputs(part.points, theta).reshape(-1) for part in rows])


def jet_spec(block: ResidualBlock, outputs: Sequence[str], variables: Sequence[str]) -> JetSpec:
    """The jet that a block needs."""
    asked = [derivative(name, outputs, variables) for name in block.needs]
    return JetSpec.of(*(item.by for item in asked))


def field_of(
    points: Tensor, jets: Tensor, names: Sequence[str], outputs: Sequence[str], variables: Sequence[str], spec: JetSpec
) -> Field:
    """A field from jets (…, c, o) at points (…, d), with the named derivatives."""
    values = {}
    for name in with_values(names, outputs):
        item = derivative(name, outputs, variables)
        values[name] = jets[..., spec.position(item.by), item.output]
    return Field(points, variables, values)


def fields_of(
    block: ResidualBlock, points: Tensor, jets: Tensor, outputs: Sequence[str], variables: Sequence[str], spec: JetSpec
) -> list[Field]:
    """What a block's residual is given, from places (n, s, d) and jets (n, s, c, o)."""
    if block.nodes:
        parts = [(points[:, 0], jets[:, 0]), (points[:, 1:], jets[:, 1:])]
    else:
        parts = list(zip(points.unbind(1), jets.unbind(1), strict=True))
    return [field_of(at, jet, block.needs, outputs, variables, spec) for at, jet in parts]


class _Pointwise:
    """A block's residual as a function of jets."""

    def __init__(self, block: ResidualBlock, outputs: Sequence[str], variables: Sequence[str], spec: JetSpec) -> None:
        self.block, self.outputs, self.variables, self.spec = block, outputs, variables, spec

    def __call__(self, places: Tensor, jets: Tensor) -> Tensor:
        return self.block.residual(*fields_of(self.block, places, jets, self.outputs, self.variables, self.spec))


def _width(block: ResidualBlock, residual: ResidualFunction, points: Tensor) -> int:
    """Rows that a point has, from one point and from two."""
    widths = [_width_at(block, residual, points[:count]) for count in (1, 2)]
    if widths[0] != widths[1]:
        raise InputError(
            f"the residual has {widths[0]} rows a point at one point and {widths[1]} at two: values (n,) and a column (n, 1) were combined, "
            "which pairs every point with every other; write points[:, 0] where it has points[:, :1]",
            key=f"blocks.{block.name}",
        )
    return widths[1]


def _width_at(block: ResidualBlock, residual: ResidualFunction, few: Tensor) -> int:
    pairs = few[:, None] if few.ndim == 2 else few
    with torch.no_grad():
        jets = residual.jets.fixed(pairs.flatten(0, 1))(residual.theta0).unflatten(0, pairs.shape[:2])
        try:
            raw: object = residual.pointwise(pairs, jets)
        except (RuntimeError, IndexError, TypeError, AttributeError) as error:
            raise InputError(f"the residual cannot be evaluated: {error}", key=f"blocks.{block.name}") from error
    if not isinstance(raw, Tensor):
        raise InputError(
            f"the residual gives a {type(raw).__name__}; it must be a tensor (n,) or (n, k), several equations by torch.stack([…], dim=1)",
            key=f"blocks.{block.name}",
        )
    if raw.ndim not in (1, 2) or len(raw) != len(few):
        raise InputError(
            f"the residual has shape {tuple(raw.shape)} at {len(few)} points; it must be (n,) or (n, k)",
            key=f"blocks.{block.name}",
        )
    return 1 if raw.ndim == 1 else raw.shape[1]


def _check_finite(rows: BlockRows, variables: Sequence[str]) -> None:
    values = rows.residual.outputs(rows.points)
    bad = ~torch.isfinite(values).all(dim=1)
    if bool(bad.any()):
        first = int(bad.nonzero()[0])
        where = rows.places()[first * (len(rows.places()) // len(rows.points))]
        raise InputError(
            f"the residual is NaN or infinite at {int(bad.sum())} of {len(bad)} points, the first at {place(variables, where)}; "
            "check the equation, the weights, and what is divided by or what a root or a logarithm is taken of there",
            key=f"blocks.{rows.block.name}",
        )
