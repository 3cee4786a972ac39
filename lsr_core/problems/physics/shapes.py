"""Shapes: boxes, balls, ellipses, polygons and convex polyhedra, and what is made of them by union, difference and intersection.

A shape knows which points it holds and the edges that it is made of; each edge can be drawn from by its length (or area), with outward
normals. Of a combined shape those pieces of the edges count that have the shape on one side only, which needs no rule for each combination.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lsr_core.errors import InputError

BESIDE = 1e-7  # of the extent of a shape: how far beside an edge its two sides are looked at
ARCS = 4096  # pieces of an ellipse whose lengths are added


class Edge(ABC):
    """A closed curve or surface; `parameters` numbers of [0, 1) give a point, equally likely everywhere on it."""

    parameters: int
    measure: float

    @abstractmethod
    def at(self, unit: Tensor) -> tuple[Tensor, Tensor]:
        """Points (n, d) and outward unit normals (n, d) for numbers (n, parameters)."""

    @abstractmethod
    def nearest(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Distances (n,) of points (n, d), and the outward normals (n, d) nearby."""


class Shape(ABC):
    """A region of space.

    Attributes:
        bounds: (low, high) of each coordinate.
    """

    bounds: tuple[tuple[float, float], ...]

    @abstractmethod
    def holds(self, points: Tensor) -> Tensor:
        """Which of the points (n, d) lie in it, (n,)."""

    @property
    @abstractmethod
    def edges(self) -> tuple[Edge, ...]:
        """What its boundary is made of."""

    @property
    def extent(self) -> float:
        """The longest side of its bounds."""
        return max(high - low for low, high in self.bounds)

    def sides(self, points: Tensor, normals: Tensor) -> tuple[Tensor, Tensor]:
        """Whether points of an edge are on the boundary of this shape (n,), and the outward normals there (n, d)."""
        step = BESIDE * self.extent * normals
        behind, ahead = self.holds(points - step), self.holds(points + step)
        return behind != ahead, torch.where(behind[:, None], normals, -normals)

    def normals(self, points: Tensor) -> Tensor:
        """Outward unit normals (n, d) at points of the boundary."""
        found = [edge.nearest(points) for edge in self.edges]
        nearest = torch.stack([distances for distances, _ in found]).argmin(dim=0)
        normals = torch.stack([normal for _, normal in found])[nearest, torch.arange(len(points))]
        on, outward = self.sides(points, normals)
        return torch.where(on[:, None], outward, normals)

    def __add__(self, other: Shape) -> Shape:
        return Combined("union", self, other)

    def __sub__(self, other: Shape) -> Shape:
        return Combined("difference", self, other)

    def __and__(self, other: Shape) -> Shape:
        return Combined("intersection", self, other)


@dataclass(frozen=True, eq=False)
class Combined(Shape):
    """Two shapes: in one of them, in the first and not in the second, or in both."""

    how: str
    first: Shape
    second: Shape

    def __post_init__(self) -> None:
        if len(self.first.bounds) != len(self.second.bounds):
            raise InputError(
                f"a shape of {len(self.first.bounds)} coordinates and one of {len(self.second.bounds)} cannot be combined",
                key="domain",
            )

    @cached_property
    def bounds(self) -> tuple[tuple[float, float], ...]:  # type: ignore[override]
        pairs = list(zip(self.first.bounds, self.second.bounds, strict=True))
        if self.how == "union":
            return tuple((min(a[0], b[0]), max(a[1], b[1])) for a, b in pairs)
        if self.how == "difference":
            return self.first.bounds
        return tuple((max(a[0], b[0]), max(max(a[0], b[0]), min(a[1], b[1]))) for a, b in pairs)

    @property
    def edges(self) -> tuple[Edge, ...]:
        return self.first.edges + self.second.edges

    def holds(self, points: Tensor) -> Tensor:
        one, other = self.first.holds(points), self.second.holds(points)
        if self.how == "union":
            return one | other
        return one & (~other if self.how == "difference" else other)


@dataclass(frozen=True, eq=False)
class Ball(Shape, Edge):
    """A disk, a ball, or one in more dimensions."""

    centre: tuple[float, ...]
    radius: float

    def __post_init__(self) -> None:
        if not self.radius > 0:
            raise InputError(f"a disk or ball has the radius {self.radius:g}; it must be positive", key="domain")

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:  # type: ignore[override]
        return tuple((at - self.radius, at + self.radius) for at in self.centre)

    @property
    def edges(self) -> tuple[Edge, ...]:
        return (self,)

    @property
    def parameters(self) -> int:  # type: ignore[override]
        return {1: 1, 2: 1, 3: 2}.get(len(self.centre), len(self.centre))

    @property
    def measure(self) -> float:  # type: ignore[override]
        d = len(self.centre)
        return 2 * math.pi ** (d / 2) / math.gamma(d / 2) * self.radius ** (d - 1)

    def holds(self, points: Tensor) -> Tensor:
        return (points - points.new_tensor(self.centre)).norm(dim=1) <= self.radius

    def at(self, unit: Tensor) -> tuple[Tensor, Tensor]:
        d = len(self.centre)
        if d == 1:
            normals = torch.where(unit < 0.5, -1.0, 1.0).to(unit)
        elif d == 2:
            angle = 2 * math.pi * unit[:, 0]
            normals = torch.stack([angle.cos(), angle.sin()], dim=1)
        elif d == 3:
            height, angle = 2 * unit[:, 0] - 1, 2 * math.pi * unit[:, 1]
            flat = (1 - height.square()).clamp_min(0).sqrt()
            normals = torch.stack([flat * angle.cos(), flat * angle.sin(), height], dim=1)
        else:
            normal = torch.special.ndtri(unit.clamp(1e-12, 1 - 1e-12))
            normals = normal / normal.norm(dim=1, keepdim=True)
        return unit.new_tensor(self.centre) + self.radius * normals, normals

    def nearest(self, points: Tensor) -> tuple[Tensor, Tensor]:
        away = points - points.new_tensor(self.centre)
        size = away.norm(dim=1)
        return (size - self.radius).abs(), away / size.clamp_min(1e-300)[:, None]


@dataclass(frozen=True, eq=False)
class Ellipse(Shape, Edge):
    """An ellipse with the half axes `axes`, turned by `angle` (radians, against the clock)."""

    centre: tuple[float, float]
    axes: tuple[float, float]
    angle: float = 0.0
    parameters = 1

    def __post_init__(self) -> None:
        if not min(self.axes) > 0:
            raise InputError(
                f"an ellipse has the half axes {self.axes[0]:g} and {self.axes[1]:g}; both must be positive",
                key="domain",
            )

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:  # type: ignore[override]
        (a, b), c, s = self.axes, math.cos(self.angle), math.sin(self.angle)
        wide, tall = math.hypot(a * c, b * s), math.hypot(a * s, b * c)
        (x, y) = self.centre
        return ((x - wide, x + wide), (y - tall, y + tall))

    @property
    def edges(self) -> tuple[Edge, ...]:
        return (self,)

    @cached_property
    def _lengths(self) -> Tensor:
        angle = torch.linspace(0, 2 * math.pi, ARCS + 1, dtype=torch.float64)
        places = torch.stack([self.axes[0] * angle.cos(), self.axes[1] * angle.sin()], dim=1)
        return torch.cat([torch.zeros(1, dtype=torch.float64), places.diff(dim=0).norm(dim=1).cumsum(dim=0)])

    @property
    def measure(self) -> float:  # type: ignore[override]
        return float(self._lengths[-1])

    @property
    def _turn(self) -> Tensor:
        c, s = math.cos(self.angle), math.sin(self.angle)
        return torch.tensor([[c, s], [-s, c]], dtype=torch.float64)

    def _own(self, points: Tensor) -> Tensor:
        """Coordinates in which it is the unit circle."""
        return (points - points.new_tensor(self.centre)) @ self._turn.to(points).T / points.new_tensor(self.axes)

    def holds(self, points: Tensor) -> Tensor:
        return self._own(points).norm(dim=1) <= 1

    def at(self, unit: Tensor) -> tuple[Tensor, Tensor]:
        along = unit[:, 0].double().contiguous() * self._lengths[-1]
        place = torch.searchsorted(self._lengths, along, right=True).clamp(1, ARCS)
        low, high = self._lengths[place - 1], self._lengths[place]
        angle = 2 * math.pi / ARCS * (place - 1 + (along - low) / (high - low))
        circle = torch.stack([angle.cos(), angle.sin()], dim=1)
        points = (circle * circle.new_tensor(self.axes)) @ self._turn + circle.new_tensor(self.centre)
        return points, self._normals(circle)

    def nearest(self, points: Tensor) -> tuple[Tensor, Tensor]:
        own = self._own(points)
        size = own.norm(dim=1)
        slope = (own / own.new_tensor(self.axes)).norm(dim=1) / size.clamp_min(1e-300)
        return (size - 1).abs() / slope.clamp_min(1e-300), self._normals(own)

    def _normals(self, own: Tensor) -> Tensor:
        across = (own / own.new_tensor(self.axes)) @ self._turn.to(own)
        return across / across.norm(dim=1, keepdim=True).clamp_min(1e-300)
