"""Where the field of an equation of one's own is looked at: on a grid over its box, or where its own sampler puts points."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.regions import Within
from lsr_core.problems.physics.samplers import Box, Domain

LARGEST_GRID = 10_000
LONGEST_LINE = 401  # points in one dimension
SCATTERED = 5_000  # points of a domain that is known by its sampler only
LOOKING = 4  # seed of these points, the same for all draws of the others


def places(domain: Domain, blocks: Sequence[ResidualBlock]) -> tuple[Tensor, str]:
    """Points (n, d) of the domain, and a sentence where they are not those of a grid.

    A block that reads derivatives says by its region where the equation holds. Where that is the whole box, so is the domain; of a shape the
    points of the grid are taken that lie inside. Another
    region is the only thing that knows the domain, and outside of it the field means nothing: the points are then drawn by it.
    """
    inside = [block for block in blocks if block.needs and not block.together]
    if not inside or any(_fills(block, domain) for block in inside):
        return _grid(domain), ""
    shaped = [block.region for block in inside if isinstance(block.region, Within) and not block.region.fixed]
    if len(shaped) == len(inside):
        grid = _grid(domain)
        return grid[torch.stack([region.holds(grid) for region in shaped]).any(dim=0)], ""
    generator = torch.Generator().manual_seed(LOOKING)
    total = sum(block.n_points for block in inside)
    drawn = [block.draw(generator, max(1, SCATTERED * block.n_points // total)) for block in inside]
    points = torch.cat(drawn)
    if points.shape[1] != len(domain):
        raise InputError(
            f"points have {points.shape[1]} coordinates, the equation has {len(domain)} variables",
            key=f"blocks.{inside[0].name}",
        )
    names = " and ".join(repr(block.name) for block in inside)
    return points, (
        f"The domain is no box, and only the sampler of {names} knows it: what is reported and drawn of the field is at "
        f"{len(points):,} points that it gave, not on a grid."
    )


def _fills(block: ResidualBlock, domain: Domain) -> bool:
    """Whether a block's points are drawn all over the box."""
    region = block.region
    if not isinstance(region, Box) or region.fixed or set(region.domain) != set(domain):
        return False
    return all(tuple(map(float, region.domain[name])) == tuple(map(float, domain[name])) for name in domain)


def _grid(domain: Domain) -> Tensor:
    count = len(domain)
    per_axis = max(3, round(LARGEST_GRID ** (1 / count))) if count > 1 else LONGEST_LINE
    axes = [torch.linspace(low, high, per_axis, dtype=torch.float64) for low, high in domain.values()]
    return torch.cartesian_prod(*axes).reshape(-1, len(axes))
