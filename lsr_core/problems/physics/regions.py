"""Where points lie that fill no box: inside a shape, along its edge, on a curve, or where a condition holds.

Points are drawn from a box, or from an edge by its length, and those are kept that belong there, so that an even filling stays even.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.samplers import Box, Domain, Method, unit_points
from lsr_core.problems.physics.shapes import Edge, Shape

TRIAL = 8192  # points that tell which share of them belongs to a region
SCARCE = 1e-4  # of a trial; what is smaller counts as nothing
TRIES = 6

Keep = Callable[[Tensor], Tensor]  # points (n, d) to which of them belong (n,)


@dataclass(frozen=True, eq=False)
class Within:
    """The part of a box, or of its faces, that belongs to a shape and to all of `filters`.

    Attributes:
        domain: bounds by variable.
        shape: of the variables `space`; None = the box.
        space: names, in the order of the shape's coordinates.
        filters: what else must hold at a point (n, d).
        fixed: values by variable as functions of the points, for faces and curves.
        method: how the box is filled.
        words: how a message calls it.
    """

    domain: Domain
    shape: Shape | None = None
    space: tuple[str, ...] = ()
    filters: tuple[Keep, ...] = ()
    fixed: Mapping[str, Keep] = field(default_factory=dict)
    method: Method = "sobol"
    words: str = "the domain"

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        """Points (count, d); one where all coordinates are fixed.

        Raises:
            InputError: no point belongs to it.
        """
        count = 1 if len(self.fixed) == len(self.domain) else count
        return kept(
            lambda n, g, method: self._drawn(n, g, method), self.holds, count, self._share, generator, self.method
        )

    def holds(self, points: Tensor) -> Tensor:
        """Which points (n, d) of the box belong to it."""
        found = torch.ones(len(points), dtype=torch.bool, device=points.device)
        if self.shape is not None:
            found &= self.shape.holds(points[:, columns(self.domain, self.space)])
        bounds = points.new_tensor(list(self.domain.values()))
        slack = 1e-9 * (bounds[:, 1] - bounds[:, 0])
        found &= ((points >= bounds[:, 0] - slack) & (points <= bounds[:, 1] + slack)).all(dim=1)
        for keep in self.filters:
            found &= keep(points)
        return found

    @property
    def measure(self) -> float:
        """Its volume, area or length, by the share of points that belong to it."""
        free = [high - low for name, (low, high) in self.domain.items() if name not in self.fixed]
        return math.prod(free) * self._share

    @cached_property
    def _share(self) -> float:
        generator = torch.Generator().manual_seed(0)
        found = float(self.holds(self._drawn(TRIAL, generator, self.method)).double().mean())
        if found < SCARCE:
            raise InputError(f"no point belongs to {self.words}; look at its numbers", key="where")
        return found

    def _drawn(self, count: int, generator: torch.Generator, method: Method) -> Tensor:
        points = Box(self.domain, method, dict.fromkeys(self.fixed, 0.0))(count, generator)
        for name, value in self.fixed.items():
            points[:, list(self.domain).index(name)] = value(points)
        return points


@dataclass(frozen=True, eq=False)
class Along:
    """Edges as far as they are boundary of a shape, or lie inside it; the other variables run over their intervals.

    Attributes:
        domain: bounds by variable.
        shape: the whole domain in the variables `space`.
        edges: all of its edges, or those of one of its parts.
        filters: what else must hold at a point (n, d).
        strict: boundary only; otherwise also what lies inside the shape, as an interface does.
        words: how a message calls it.
    """

    domain: Domain
    shape: Shape
    space: tuple[str, ...]
    edges: tuple[Edge, ...]
    filters: tuple[Keep, ...] = ()
    method: Method = "sobol"
    strict: bool = True
    words: str = "the boundary"

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        """Points (count, d), on each edge by its length.

        Raises:
            InputError: no point of the edges is at the boundary of the shape.
        """
        total = sum(self._lengths)
        ends = [round(count * sum(self._lengths[: place + 1]) / total) for place in range(len(self.edges))]
        parts = []
        for place, (edge, end) in enumerate(zip(self.edges, ends, strict=True)):
            wanted = end - (ends[place - 1] if place else 0)
            if wanted > 0:
                share = self._lengths[place] / edge.measure
                parts.append(kept(self._drawing(edge), self._belongs(edge), wanted, share, generator, self.method))
        return torch.cat(parts)

    @property
    def measure(self) -> float:
        """Its length or area, times the intervals of the other variables."""
        others = [high - low for name, (low, high) in self.domain.items() if name not in self.space]
        return sum(self._lengths) * math.prod(others)

    @cached_property
    def _lengths(self) -> list[float]:
        found = []
        for edge in self.edges:
            drawn = self._drawing(edge)(TRIAL, torch.Generator().manual_seed(0), self.method)
            share = float(self._belongs(edge)(drawn).double().mean())
            found.append(edge.measure * share if share >= SCARCE else 0.0)
        if not sum(found) > 0:
            raise InputError(
                f"no point of {self.words} lies in the domain or at its edge, so nothing can hold there", key="where"
            )
        return found

    def _drawing(self, edge: Edge) -> Callable[[int, torch.Generator, Method], Tensor]:
        others = [name for name in self.domain if name not in self.space]

        def draw(count: int, generator: torch.Generator, method: Method) -> Tensor:
            unit = unit_points(count, edge.parameters + len(others), method, generator)
            points = unit.new_empty(count, len(self.domain))
            points[:, columns(self.domain, self.space)] = edge.at(unit[:, : edge.parameters])[0]
            for place, name in enumerate(others, edge.parameters):
                low, high = self.domain[name]
                points[:, list(self.domain).index(name)] = low + (high - low) * unit[:, place]
            return points

        return draw

    def _belongs(self, edge: Edge) -> Keep:
        def keep(points: Tensor) -> Tensor:
            places = points[:, columns(self.domain, self.space)]
            normals = edge.nearest(places)[1]
            found = self.shape.sides(places, normals)[0]
            if not self.strict:
                found |= self.shape.holds(places)
            for one in self.filters:
                found &= one(points)
            return found

        return keep


def columns(domain: Domain, names: tuple[str, ...]) -> list[int]:
    """Where variables stand among the coordinates."""
    return [list(domain).index(name) for name in names]


def kept(
    draw: Callable[[int, torch.Generator, Method], Tensor],
    keep: Keep,
    count: int,
    share: float,
    generator: torch.Generator,
    method: Method,
) -> Tensor:
    """The first `count` points of a draw that belong to a region, of which a share does."""
    wanted = math.ceil(1.2 * count / share) + 16
    for _ in range(TRIES):
        points = draw(wanted, generator, method)
        points = points[keep(points)]
        if len(points) >= count:
            return points[:count]
        wanted *= 2
    raise InputError("too few of the points drawn belong to a region; make it larger, or use fewer points", key="where")
