"""Integrals in typed rows: nodes beside every point, and weights of the sum (Gauss-Legendre along axes, even filling of other shapes)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.blocks import Region
from lsr_core.problems.physics.regions import Within, columns
from lsr_core.problems.physics.typed.domains import Ground
from lsr_core.problems.physics.typed.expressions import Expression
from lsr_core.problems.physics.typed.names import Names, Summed

ALONG = {1: 32, 2: 12, 3: 7}  # nodes along each axis, by how many there are
ALONE = {1: 128, 2: 48, 3: 16}  # the same of a row that is there once
SCATTERED, SCATTERED_ALONE = 256, 4096  # nodes in a domain that is no box
SEED = 11


@dataclass(frozen=True, eq=False)
class Quadrature:
    """The nodes of one integral.

    Attributes:
        one: what is integrated.
        ground: the domain.
        names: of the equation.
        alone: whether the row is there once.
        key: what an error names.
    """

    one: Summed
    ground: Ground
    names: Names
    alone: bool
    key: str

    @cached_property
    def rule(self) -> tuple[Tensor, Tensor]:
        """Nodes (q, k) and weights (q,), over [0, 1] in each input where it has bounds, else over the domain."""
        over = self.one.over
        shaped = self.ground.shape is not None and any(name in self.ground.space for name in over)
        if shaped:
            return self._scattered()
        sizes = ALONE if self.alone else ALONG
        if len(over) not in sizes:
            raise InputError(
                f"integrates over {len(over)} inputs; at most {max(sizes)} are done by nodes", key=self.key
            )
        axis, weights = np.polynomial.legendre.leggauss(sizes[len(over)])
        axes = torch.from_numpy((axis + 1) / 2)
        nodes = torch.cartesian_prod(*[axes] * len(over)).reshape(-1, len(over))
        along = torch.from_numpy(weights / 2)
        product = torch.cartesian_prod(*[along] * len(over)).reshape(-1, len(over)).prod(dim=1)
        if self.one.bounds is not None:
            return nodes, product
        low, high = torch.tensor([self.ground.domain[name] for name in over], dtype=torch.float64).T
        return low + (high - low) * nodes, product * (high - low).prod()

    def _scattered(self) -> tuple[Tensor, Tensor]:
        if self.one.over != self.ground.space or self.one.bounds is not None:
            raise InputError(
                f"integrates over {', '.join(self.one.over)} of a domain that is no box; integral(…) without bounds runs over all of it",
                key=self.key,
            )
        box = {name: self.ground.domain[name] for name in self.ground.space}
        region = Within(box, self.ground.shape, self.ground.space)
        nodes = region(SCATTERED_ALONE if self.alone else SCATTERED, torch.Generator().manual_seed(SEED))
        return nodes, torch.full((len(nodes),), region.measure / len(nodes), dtype=torch.float64)

    def beside(self, points: Tensor) -> Tensor:
        """The nodes (n, q, d) of points (n, d)."""
        nodes = self.rule[0].to(points)
        found = points[:, None].expand(-1, len(nodes), -1).clone()
        if self.one.bounds is not None:
            low, high = (self._end(end, points) for end in self.one.bounds)
            found[..., columns(self.ground.domain, self.one.over)] = (
                low[:, None, None] + (high - low)[:, None, None] * nodes
            )
        else:
            found[..., columns(self.ground.domain, self.one.over)] = nodes
        return found

    def summed(self, values: Tensor, points: Tensor) -> Tensor:
        """The integral (n,) from what is integrated at the nodes (n, q)."""
        total = (values * self.rule[1].to(values)).sum(dim=-1)
        if self.one.bounds is None:
            return total
        low, high = (self._end(end, points) for end in self.one.bounds)
        return total * (high - low)

    def _end(self, end: Expression, points: Tensor) -> Tensor:
        values = {name: points[:, place] for place, name in enumerate(self.names.inputs)}
        return torch.as_tensor(end(values)).to(points) + torch.zeros_like(points[:, 0])


@dataclass(frozen=True, eq=False)
class Noded:
    """A region whose points have the nodes of integrals beside them: (n, 1 + nodes, d)."""

    region: Region
    quadratures: Sequence[Quadrature]

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        points = self.region(count, generator).double()
        return torch.cat([points[:, None], *(one.beside(points) for one in self.quadratures)], dim=1)

    @property
    def nodes(self) -> int:
        """How many there are beside a point."""
        return sum(len(one.rule[1]) for one in self.quadratures)
