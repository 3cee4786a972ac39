"""What an equation of the library consists of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from lsr_core.problems.physics.blocks import FieldRow, ResidualBlock, dirichlet
from lsr_core.problems.physics.input_functions import InputFunction
from lsr_core.problems.physics.samplers import Box, Method, Pairs, boundary
from lsr_core.problems.splits import Split

OnGrid = Callable[[Sequence[Tensor]], Tensor]
Exact = Callable[[Tensor], Tensor]


class EquationArguments(BaseModel):
    """What every equation takes; JSON values, so a bundle holds no code.

    Attributes:
        constraints: hard = initial and boundary conditions are in the network's formula and need no rows, soft = they are blocks.
        sampler: how regions are filled.
        n_interior: points inside.
        n_initial: points at the start.
        n_boundary: points, or pairs of points, on the boundary.
        weight: of the mean squares of initial and boundary blocks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    constraints: Literal["hard", "soft"] = "hard"
    sampler: Method = "sobol"
    n_interior: int = Field(6000, strict=True, ge=1, le=10_000_000)
    n_initial: int = Field(500, strict=True, ge=1, le=10_000_000)
    n_boundary: int = Field(500, strict=True, ge=1, le=10_000_000)
    weight: float = Field(10.0, gt=0, allow_inf_nan=False)


@dataclass(frozen=True, eq=False)
class PDE:
    """An equation with its conditions and its exact or reference solution; see `Equation` for what a problem takes from it.

    Attributes:
        formula: in plain text, for readers.
        unknown: numbers that are to be found, by name, with the values that they start from; the last of the outputs.
        transform: name and arguments of the output transform that meets the hard conditions; None where constraints are soft.
        periods: variables in which the solution is periodic, with their periods.
        grid: points by variable, end points included, of the test grid.
        on_grid: values (n_1, n_2, …, o) on axes, one for each variable, from `exact` by default; None where no solution is known.
        exact: the solution at points (n, d) as (n, o), in torch functions of them, where there is a formula.
        looked_at: points (n, d) to report at instead of the grid, where the domain is no box or has too many coordinates for one.
        given: the input function of an equation that has one; networks see it at equally spaced sensors.
        source: where the set-up is published.
    """

    name: str
    title: str
    formula: str
    arguments: Mapping[str, Any]
    domain: Mapping[str, tuple[float, float]]
    blocks: tuple[ResidualBlock, ...]
    grid: tuple[int, ...]
    on_grid: OnGrid | None = None
    exact: Exact | None = None
    outputs: tuple[str, ...] = ("u",)
    transform: tuple[str, Mapping[str, Any]] | None = None
    periods: Mapping[str, float] = field(default_factory=dict)
    looked_at: Tensor | None = None
    given: InputFunction | None = None
    source: str = ""
    unknown: Mapping[str, float] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """Outputs that depend on the point."""
        return self.outputs[: len(self.outputs) - len(self.unknown)]

    def __post_init__(self) -> None:
        if self.on_grid is None and self.exact is not None:
            object.__setattr__(self, "on_grid", on_grid_of(self.exact))

    def axes(self, grid: Sequence[int] | None = None) -> list[Tensor]:
        """Equally spaced coordinates by variable, end points included."""
        sizes = self.grid if grid is None else grid
        bounds = self.domain.values()
        return [torch.linspace(low, high, n, dtype=torch.float64) for (low, high), n in zip(bounds, sizes, strict=True)]

    def test(self, grid: Sequence[int] | None = None) -> Split | None:
        """The solution on a grid, the last variable fastest; None where none is known."""
        if self.on_grid is None:
            return None
        if self.looked_at is not None and self.exact is not None and grid is None:
            return Split(self.looked_at, self.exact(self.looked_at))
        axes = self.axes(grid)
        return Split(points_of(axes), self.on_grid(axes).reshape(-1, len(self.outputs)))

    def plain_grid(self) -> Split | None:
        """Points to draw the field of an unknown solution on, with zeros in place of it; None where there is a reference."""
        if self.on_grid is not None:
            return None
        points = points_of(self.axes()) if self.looked_at is None else self.looked_at
        return Split(points, points.new_zeros(len(points), len(self.outputs)))


@dataclass(frozen=True)
class Entry:
    """Arguments and factory of an equation."""

    arguments: type[BaseModel]
    factory: Callable[[Any], PDE]


EQUATIONS: dict[str, Entry] = {}
_Arguments = TypeVar("_Arguments", bound=EquationArguments)
_Factory = Callable[[_Arguments], PDE]


def registered(name: str, arguments: type[_Arguments]) -> Callable[[_Factory[_Arguments]], _Factory[_Arguments]]:
    """Decorator: make `factory(arguments)` an equation of the library."""

    def add(factory: _Factory[_Arguments]) -> _Factory[_Arguments]:
        EQUATIONS[name] = Entry(arguments, factory)
        return factory

    return add


def points_of(axes: Sequence[Tensor]) -> Tensor:
    """All points (n, d) of a grid, the last variable fastest."""
    return torch.cartesian_prod(*axes).reshape(-1, len(axes))


def on_grid_of(exact: Exact) -> OnGrid:
    """A formula at points, taken on a grid."""

    def values(axes: Sequence[Tensor]) -> Tensor:
        return exact(points_of(axes)).reshape(*(len(axis) for axis in axes), -1)

    return values


def interior(
    domain: Mapping[str, tuple[float, float]], needs: tuple[str, ...], residual: FieldRow, options: EquationArguments
) -> ResidualBlock:
    """The equation itself, inside the domain."""
    return ResidualBlock("interior", needs, residual, Box(domain, options.sampler), options.n_interior)


def at_first(
    domain: Mapping[str, tuple[float, float]], values: Exact, options: EquationArguments, output: str = "u"
) -> ResidualBlock:
    """The values (n,) of an output at t = 0."""
    start = Box(domain, options.sampler, {"t": 0.0})
    return dirichlet("initial", values, start, options.n_initial, weight=options.weight, output=output)


def zero_at_ends(
    domain: Mapping[str, tuple[float, float]], across: tuple[str, ...], options: EquationArguments, output: str = "u"
) -> ResidualBlock:
    """An output is zero at both ends of the variables named."""
    sides = boundary(domain, across, options.sampler)
    return dirichlet("boundary", _zero, sides, options.n_boundary, weight=options.weight, output=output)


def _zero(points: Tensor) -> Tensor:
    return points.new_zeros(len(points))


def periodic(
    domain: Mapping[str, tuple[float, float]], across: str, options: EquationArguments, *, slopes: bool
) -> ResidualBlock:
    """Equal values, and if asked equal slopes, at both ends of a variable."""
    slope = f"u_{across}"

    def residual(low: Any, high: Any) -> Tensor:
        jump: Tensor = high["u"] - low["u"]
        return torch.stack([jump, high[slope] - low[slope]], dim=1) if slopes else jump

    return ResidualBlock(
        "periodic",
        (slope,) if slopes else (),
        residual,
        Pairs(domain, across, options.sampler),
        options.n_boundary,
        options.weight,
        pairs=True,
    )
