"""A condition on the network at points: interior, boundary, initial, periodic or data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from lsr_core.errors import InputError

MEASURED = 1e-6  # of the loss: what a measurement counts that is one standard deviation off
FieldRow = Callable[..., Tensor]  # (field) or (field, partner) -> (n,) or (n, k)


class Region(Protocol):
    """Where the points of a block lie, and how they are drawn."""

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        """`count` points (n, d); for a block on pairs (n, 2, d), the two places of a pair side by side."""
        ...


@dataclass(frozen=True, eq=False)
class ResidualBlock:
    """One weighted block of residual rows, r(u, u_x, …) at every point of a region.

    The rows are √(weight/rows) r, so that the sum of the blocks' squared norms is the loss Σ weight · mean(r²).

    Args:
        name: shown to readers, one of its kind in a problem.
        needs: the derivatives that the residual reads, such as `("u_t", "u_xx")`; values are always there.
        residual: a pointwise function of a `Field`, in plain torch, giving (n,) or (n, k). On pairs of points, as for a
            periodic condition, it is given two fields.
        region: draws points; on pairs (n, 2, d).
        n_points: how many points (or pairs) a draw has.
        weight: of the mean square of this block in the loss.
        pairs: whether points come in pairs.
        nodes: places that come with every point for the integrals in its residual: points are (n, 1 + nodes, d), and the residual is given
            the field at the first place (n,) and the one at all others (n, nodes).
        reads: the outputs whose values it reads, where that is known.
        noise: standard deviation of what it measures, such as values with an error. Its rows are then r/noise times what one measurement counts
            in the loss (`MEASURED`), and `weight` follows from that.
        within: of values that were measured, the sum of the squares that no field can lower, as of repeated ones about their mean; None = the
            block measures nothing, unless it has a noise.
        prescribed: for a Dirichlet condition, the value (n,) or (n, o) that it asks of the outputs at points (n, d), so
            that contradictory boundary data can be found.
        prescribes: the outputs that `prescribed` is about; empty = all.
    """

    name: str
    needs: tuple[str, ...]
    residual: FieldRow
    region: Region
    n_points: int
    weight: float = 1.0
    pairs: bool = False
    prescribed: Callable[[Tensor], Tensor] | None = None
    prescribes: tuple[str, ...] = ()
    nodes: int = 0
    reads: tuple[str, ...] = ()
    noise: float | None = None
    within: float | None = None

    def __post_init__(self) -> None:
        if self.n_points < 1:
            raise InputError(
                f"the block asks for {self.n_points} points; a block needs at least one, or leave it out",
                key=f"blocks.{self.name}.n_points",
            )
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise InputError(
                f"the weight is {self.weight}; it must be a positive number, leave the block out instead of weighting it away",
                key=f"blocks.{self.name}.weight",
            )
        if self.noise is not None:
            check_noise(self.noise, f"blocks.{self.name}.noise")
            object.__setattr__(self, "weight", MEASURED * self.n_points / self.noise**2)

    @property
    def measured(self) -> bool:
        """Whether its rows are values that were measured, with an error."""
        return self.noise is not None or self.within is not None

    @property
    def places(self) -> int:
        """How many places a point of this block has."""
        return 2 if self.pairs else 1 + self.nodes

    @property
    def together(self) -> bool:
        """Whether a point has more places than one."""
        return self.places > 1

    def draw(self, generator: torch.Generator, count: int | None = None) -> Tensor:
        """Points (n, d), or (n, places, d) where a point has several places, float64.

        Raises:
            InputError: the region gave none, or not in this shape.
        """
        points = self.region(self.n_points if count is None else count, generator).double()
        check_points(self, points)
        return points


def check_noise(noise: float, key: str) -> None:
    """Refuse a standard deviation that is none.

    Raises:
        InputError: zero, negative, infinite or NaN.
    """
    if not (math.isfinite(noise) and noise > 0):
        raise InputError(
            f"the noise is {noise}; it must be a positive standard deviation, or be left out where it is not known",
            key=key,
        )


def check_measured(blocks: Sequence[ResidualBlock]) -> None:
    """Refuse measured values of which some carry their noise and some do not: they could not be weighed against each other.

    Raises:
        InputError: naming one of each.
    """
    noisy = [block.name for block in blocks if block.noise is not None]
    plain = [block.name for block in blocks if block.measured and block.noise is None]
    if noisy and plain:
        raise InputError(
            f"the values of {noisy[0]!r} have a noise and those of {plain[0]!r} have none; give it for all or for none",
            key="data",
        )


def check_points(block: ResidualBlock, points: Tensor) -> None:
    """Refuse points of a wrong shape or none.

    Raises:
        InputError: saying which block.
    """
    wanted = f"(n, {block.places}, d)" if block.together else "(n, d)"
    if points.ndim != (3 if block.together else 2) or (block.together and points.shape[1] != block.places):
        raise InputError(f"points have shape {tuple(points.shape)}; they must be {wanted}", key=f"blocks.{block.name}")
    if len(points) == 0:
        raise InputError("the block has no points; it needs at least one", key=f"blocks.{block.name}")


def dirichlet(
    name: str,
    value: Callable[[Tensor], Tensor],
    region: Region,
    n_points: int,
    *,
    weight: float = 1.0,
    output: str = "u",
) -> ResidualBlock:
    """The block `u − value(points)` for one output; value gives (n,)."""
    return ResidualBlock(
        name,
        (),
        lambda field: field[output] - value(field.points),
        region,
        n_points,
        weight,
        prescribed=value,
        prescribes=(output,),
    )
