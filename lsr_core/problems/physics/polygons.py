"""Shapes with flat sides: boxes, polygons, convex polyhedra."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.shapes import Edge, Shape

FLAT = 1e-12  # of the square of the extent, up to which an area is none


@dataclass(frozen=True, eq=False)
class Sides(Edge):
    """Flat pieces: (k, d, d) corners of each, that is segments in the plane and triangles in space, with normals (k, d)."""

    corners: Tensor
    outward: Tensor

    @property
    def parameters(self) -> int:  # type: ignore[override]
        return self.corners.shape[1]

    @cached_property
    def _sizes(self) -> Tensor:
        along = self.corners[:, 1:] - self.corners[:, :1]
        return torch.linalg.det(along @ along.transpose(1, 2)).clamp_min(0).sqrt() / math.factorial(along.shape[1])

    @property
    def measure(self) -> float:  # type: ignore[override]
        return float(self._sizes.sum())

    def at(self, unit: Tensor) -> tuple[Tensor, Tensor]:
        ends = (self._sizes.cumsum(dim=0) / self._sizes.sum()).contiguous()
        piece = torch.searchsorted(ends, unit[:, 0].double().contiguous(), right=True).clamp_max(len(ends) - 1)
        inside = unit[:, 1:].double()
        if inside.shape[1] == 2:  # a square folded onto a triangle
            inside = torch.where((inside.sum(dim=1) > 1)[:, None], 1 - inside, inside)
        first = self.corners[piece, 0]
        along = self.corners[piece, 1:] - self.corners[piece, :1]
        return first + (inside[:, :, None] * along).sum(dim=1), self.outward[piece]

    def nearest(self, points: Tensor) -> tuple[Tensor, Tensor]:
        distances = torch.stack([_distance(points, corners.to(points)) for corners in self.corners])
        found, piece = distances.min(dim=0)
        return found, self.outward.to(points)[piece]


def _distance(points: Tensor, corners: Tensor) -> Tensor:
    """From points (n, d) to a segment, or to a triangle: to its plane where the foot is inside, else to its edges."""
    if len(corners) == 2:
        along = corners[1] - corners[0]
        share = ((points - corners[0]) @ along / along.square().sum()).clamp(0, 1)
        return (points - corners[0] - share[:, None] * along).norm(dim=1)
    basis = corners[1:] - corners[0]
    shares = torch.linalg.lstsq(basis.T, (points - corners[0]).T).solution.T
    foot = (points - corners[0] - shares @ basis).norm(dim=1)
    edges = torch.stack([_distance(points, corners[[i, (i + 1) % 3]]) for i in range(3)]).amin(dim=0)
    return torch.where((shares >= 0).all(dim=1) & (shares.sum(dim=1) <= 1), foot, edges)


@dataclass(frozen=True, eq=False)
class BoxEdge(Edge):
    """All faces of a box, of any dimension."""

    bounds: tuple[tuple[float, float], ...]

    @property
    def parameters(self) -> int:  # type: ignore[override]
        return max(1, len(self.bounds))

    @cached_property
    def _areas(self) -> Tensor:
        sides = torch.tensor([high - low for low, high in self.bounds], dtype=torch.float64)
        return (sides.prod() / sides).repeat_interleave(2)

    @property
    def measure(self) -> float:  # type: ignore[override]
        return float(self._areas.sum())

    def at(self, unit: Tensor) -> tuple[Tensor, Tensor]:
        ends = (self._areas.cumsum(dim=0) / self._areas.sum()).contiguous()
        face = torch.searchsorted(ends, unit[:, 0].double().contiguous(), right=True).clamp_max(len(ends) - 1)
        axis, upper = face // 2, face % 2
        low, high = torch.tensor(self.bounds, dtype=torch.float64).T
        free = torch.zeros(len(unit), len(self.bounds), dtype=torch.float64)
        for place in range(len(self.bounds)):  # the other coordinates take the remaining numbers in turn
            column = torch.where(axis < place, place, place + 1).clamp_max(unit.shape[1] - 1)
            free[:, place] = unit.double().gather(1, column[:, None])[:, 0]
        points = low + (high - low) * free
        rows = torch.arange(len(unit))
        points[rows, axis] = torch.where(upper == 1, high[axis], low[axis])
        normals = torch.zeros_like(points)
        normals[rows, axis] = 2.0 * upper.double() - 1
        return points, normals

    def nearest(self, points: Tensor) -> tuple[Tensor, Tensor]:
        low, high = points.new_tensor(self.bounds).T
        outside = (torch.maximum(low - points, points - high)).clamp_min(0)
        gaps = torch.stack([(points - low).abs(), (points - high).abs()], dim=2).flatten(1)
        found, face = gaps.min(dim=1)
        normals = torch.zeros_like(points)
        normals[torch.arange(len(points)), face // 2] = (2.0 * (face % 2) - 1).to(points)
        far = outside.norm(dim=1)
        return torch.where(far > 0, far, found), normals


@dataclass(frozen=True, eq=False)
class Rectangle(Shape):
    """A box of any dimension."""

    bounds: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        for low, high in self.bounds:
            if not low < high:
                raise InputError(
                    f"a box runs from {low:g} to {high:g}; the first must be smaller. Its numbers are from and to for each coordinate: "
                    "x from, x to, y from, y to",
                    key="domain",
                )

    @property
    def edges(self) -> tuple[Edge, ...]:
        return (BoxEdge(self.bounds),)

    def holds(self, points: Tensor) -> Tensor:
        low, high = points.new_tensor(self.bounds).T
        return ((points >= low) & (points <= high)).all(dim=1)


@dataclass(frozen=True, eq=False)
class Polygon(Shape):
    """A polygon by its corners, in either direction around it.

    Raises:
        InputError: fewer than three corners, no area, or sides that cross.
    """

    corners: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if len(self.corners) < 3:
            raise InputError(f"a polygon has {len(self.corners)} corners; three are needed at least", key="domain")
        self._check_crossings()
        if abs(self.area) <= FLAT * self.extent**2:
            raise InputError("a polygon has no area; its corners lie on one line", key="domain")

    @cached_property
    def area(self) -> float:
        """Positive where the corners run against the clock."""
        following = (*self.corners[1:], self.corners[0])
        return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(self.corners, following, strict=True)) / 2

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:  # type: ignore[override]
        return tuple((min(values), max(values)) for values in zip(*self.corners, strict=True))

    @cached_property
    def _segments(self) -> Tensor:
        start = torch.tensor(self.corners, dtype=torch.float64)
        return torch.stack([start, start.roll(-1, dims=0)], dim=1)

    @property
    def edges(self) -> tuple[Edge, ...]:
        along = self._segments[:, 1] - self._segments[:, 0]
        normals = torch.stack([along[:, 1], -along[:, 0]], dim=1) * (1.0 if self.area > 0 else -1.0)
        return (Sides(self._segments, normals / normals.norm(dim=1, keepdim=True)),)

    def holds(self, points: Tensor) -> Tensor:
        """By how often a ray to the right crosses the sides; points on a side count as held."""
        inside = torch.zeros(len(points), dtype=torch.bool, device=points.device)
        on = torch.zeros_like(inside)
        x, y = points.T
        for (ax, ay), (bx, by) in self._segments.tolist():
            between = (y < ay) != (y < by)
            crossing = ax + (y - ay) / (by - ay if by != ay else 1.0) * (bx - ax)
            inside ^= between & (x < crossing)
            on |= _distance(points, points.new_tensor([[ax, ay], [bx, by]])) <= 1e-12 * self.extent
        return inside | on

    def _check_crossings(self) -> None:
        sides = self._segments.tolist()
        for i, (a, b) in enumerate(sides):
            if a == b:
                raise InputError(f"a polygon has the corner ({a[0]:g}, {a[1]:g}) twice in a row", key="domain")
            for j, (c, d) in enumerate(sides[i + 1 :], i + 1):
                neighbours = j == i + 1 or (i == 0 and j == len(sides) - 1)
                if not neighbours and _turn(a, b, c) * _turn(a, b, d) <= 0 and _turn(c, d, a) * _turn(c, d, b) <= 0:
                    raise InputError(
                        f"the sides of a polygon cross or touch: the one from ({a[0]:g}, {a[1]:g}) and the one from ({c[0]:g}, {c[1]:g}); "
                        "list the corners in their order around it",
                        key="domain",
                    )


def _turn(a: list[float], b: list[float], c: list[float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@dataclass(frozen=True, eq=False)
class Hull(Shape):
    """The convex polyhedron around points of space.

    Raises:
        InputError: points that span no volume.
    """

    corners: tuple[tuple[float, float, float], ...]

    def __post_init__(self) -> None:
        self._hull  # noqa: B018  # refuses what has no volume now

    @cached_property
    def _hull(self) -> tuple[Tensor, Tensor, Tensor]:
        """Triangles (k, 3, 3), outward normals (k, 3) and offsets (k,)."""
        from scipy.spatial import ConvexHull, QhullError  # takes a moment to load

        try:
            hull = ConvexHull(np.array(self.corners))
        except (QhullError, ValueError):
            raise InputError(
                f"{len(self.corners)} corners span no volume; four that do not lie in a plane are needed at least",
                key="domain",
            ) from None
        equations = torch.from_numpy(hull.equations)
        triangles = torch.from_numpy(np.array(self.corners, dtype=float)[hull.simplices])
        return triangles, equations[:, :3], equations[:, 3]

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:  # type: ignore[override]
        return tuple((min(values), max(values)) for values in zip(*self.corners, strict=True))

    @property
    def edges(self) -> tuple[Edge, ...]:
        triangles, normals, _ = self._hull
        return (Sides(triangles, normals),)

    def holds(self, points: Tensor) -> Tensor:
        _, normals, offsets = self._hull
        return (points @ normals.to(points).T + offsets.to(points) <= 1e-12 * self.extent).all(dim=1)
