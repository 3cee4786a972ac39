"""Equation and conditions of DeepXDE's data as residual blocks: the library's own code in float64, at points that the library draws."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import deepxde
import numpy as np
import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.integrations.blackbox import BlackBox, probes
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.fields import Field, derivative, with_values
from lsr_core.problems.physics.samplers import Box

SAME = 1e-6  # relative, of a residual as DeepXDE has it and as it is taken here
_BOXES = ("Interval", "Rectangle", "Cuboid", "Hypercube")


@contextmanager
def double() -> Iterator[None]:
    """DeepXDE in float64 for a while; nothing else of its settings is touched."""
    real = deepxde.config.real
    before = real.precision
    real.set_float64()
    try:
        yield
    finally:
        real.precision = before


@contextmanager
def untouched() -> Iterator[None]:
    """NumPy's own random numbers, from which DeepXDE draws, go on afterwards as if nothing had been drawn."""
    before = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


@dataclass
class DataBlocks:
    """DataBlocks, and the training points of each by its name."""

    data: Any
    net: nn.Module
    variables: tuple[str, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        self.points: dict[str, Tensor] = {}

    def all(self) -> list[ResidualBlock]:
        """The equation first, then the conditions, as the library orders its losses."""
        data = self.data
        data.train_next_batch()
        ends = np.cumsum([0, *data.num_bcs])
        found = (
            self._equation(torch.as_tensor(data.train_x[ends[-1] :], dtype=torch.float64))
            if data.pde is not None
            else []
        )
        for place, bc in enumerate(data.bcs):
            points = torch.as_tensor(data.train_x_bc[ends[place] : ends[place + 1]], dtype=torch.float64)
            found.append(self._condition(bc, f"{type(bc).__name__} {place + 1}", points))
        return found

    def _equation(self, points: Tensor) -> list[ResidualBlock]:
        parts = self.data.pde(*self._plainly(points[:2]))
        count = len(parts) if isinstance(parts, (list, tuple)) else 1
        deepxde.grad.clear()

        def part(place: int) -> Callable[[Tensor, Tensor], Tensor]:
            def call(x: Tensor, y: Tensor) -> Tensor:
                given = self.data.pde(x, y)
                found: Tensor = given[place] if isinstance(given, (list, tuple)) else given
                return found

            return call

        names = ["equation"] if count == 1 else [f"equation {place + 1}" for place in range(count)]
        return [self._block(name, part(place), points, self._inside()) for place, name in enumerate(names)]

    def _condition(self, bc: Any, name: str, points: Tensor) -> ResidualBlock:
        known = deepxde.icbc
        if isinstance(bc, known.PeriodicBC):
            return self._periodic(bc, name, points)
        if isinstance(bc, (known.PointSetBC, known.PointSetOperatorBC)):
            if bc.batch_size is not None:
                raise InputError("draws batches of its points; leave batch_size out", key=name)
            return self._block(name, self._at_points(bc), points, _Given(points))
        if not isinstance(bc, (known.DirichletBC, known.NeumannBC, known.RobinBC, known.OperatorBC, known.IC)):
            raise InputError(
                "is a condition that is not known; Dirichlet, Neumann, Robin, periodic, operator and initial ones are",
                key=name,
            )
        own = _in_double(bc)

        def call(x: Tensor, y: Tensor) -> Tensor:
            found: Tensor = own.error(x.detach().numpy(), x, y, 0, len(x))
            return found

        draw = (
            self.data.geom.random_initial_points if isinstance(bc, known.IC) else self.data.geom.random_boundary_points
        )
        normal = isinstance(bc, (known.NeumannBC, known.RobinBC))  # whose direction is another at every point
        also = [f"{self.outputs[bc.component]}_{variable}" for variable in self.variables] if normal else []
        return self._block(name, call, points, _Filtered(draw, bc.filter), also)

    def _at_points(self, bc: Any) -> Callable[[Tensor, Tensor], Tensor]:
        """Values belong to points, which come in any order here."""
        places, values = (
            torch.as_tensor(bc.points, dtype=torch.float64),
            torch.as_tensor(bc.values, dtype=torch.float64),
        )

        def call(x: Tensor, y: Tensor) -> Tensor:
            nearest = torch.cdist(x.detach(), places).argmin(dim=1)
            wanted = values if values.ndim == 0 else values[nearest]
            if isinstance(bc, deepxde.icbc.PointSetOperatorBC):
                found: Tensor = bc.func(x, y, x.detach().numpy()) - wanted
                return found
            columns = bc.component if isinstance(bc.component, list) else [bc.component]
            return y[:, columns] - wanted

        return call

    def _periodic(self, bc: Any, name: str, points: Tensor) -> ResidualBlock:
        u, by = self.outputs[bc.component], self.variables[bc.component_x]
        read = u if bc.derivative_order == 0 else f"{u}_{by}"
        half = len(points) // 2
        pairs = torch.stack([points[:half], points[half:]], dim=1)
        self.points[name] = pairs

        def draw(count: int) -> np.ndarray:
            one = _Filtered(self.data.geom.random_boundary_points, bc.filter).some(count)
            return np.stack([one, self.data.geom.periodic_point(one, bc.component_x)], axis=1)

        needs = () if read == u else (read,)
        return ResidualBlock(
            name, needs, lambda field, partner: field[read] - partner[read], _Drawn(draw), half, pairs=True
        )

    def _inside(self) -> Any:
        """Where the equation holds: a box, or whatever the geometry draws."""
        geometry = getattr(self.data.geom, "geometry", self.data.geom)
        if type(geometry).__name__ in _BOXES:
            return Box(bounds(self.data.geom))
        return _Drawn(lambda count: self.data.geom.random_points(count))

    def _block(
        self, name: str, call: Callable[[Tensor, Tensor], Tensor], points: Tensor, region: Any, also: Sequence[str] = ()
    ) -> ResidualBlock:
        if not len(points):
            raise InputError("has no training points; leave it out, or give it some", key=name)

        def clean(x: Tensor, y: Tensor) -> Tensor:
            with double():
                found = call(x, y)
            deepxde.grad.clear()  # what it remembers of derivatives, by the identity of tensors
            return found

        box = BlackBox(clean, self.outputs, self.variables, points, also)
        self._prove(name, box, clean, probes(points))
        self.points[name] = points
        return ResidualBlock(name, box.needs, box, region, len(points))

    def _plainly(self, points: Tensor) -> tuple[Tensor, Tensor]:
        x = points.clone().requires_grad_()
        return x, self.net(x)

    def _prove(self, name: str, box: BlackBox, call: Callable[[Tensor, Tensor], Tensor], points: Tensor) -> None:
        """What the library computes of its network is what comes of the derivatives that were found to matter."""
        wanted = call(*self._plainly(points)).detach()
        wanted = wanted[:, None] if wanted.ndim == 1 else wanted
        found = box(field_at(self.net, points, self.outputs, self.variables, box.needs)).detach()
        if not torch.allclose(found, wanted, rtol=SAME, atol=SAME * float(1 + wanted.abs().max())):
            raise InputError(
                f"differs by {float((found - wanted).abs().max()):.1e} from what DeepXDE computes: it may differentiate more than four times, "
                "or read what is not a function of one point", key=name,
            )  # fmt: skip


def field_at(
    net: nn.Module, points: Tensor, outputs: Sequence[str], variables: Sequence[str], needs: Sequence[str]
) -> Field:
    """Values and derivatives of a network at points by plain reverse mode."""
    x = points.clone().requires_grad_()
    y = net(x)
    values = {}
    for name in with_values(needs, outputs):
        output, by = derivative(name, outputs, variables)
        value = y[:, output]
        for variable in by:
            value = torch.autograd.grad(value.sum(), x, create_graph=True)[0][:, variable]
        values[name] = value.detach()
    return Field(points, variables, values)


def bounds(geom: Any) -> dict[str, tuple[float, float]]:
    """Bounds by variable: x, y, z, or x1, x2, … where there are more; time comes last and is called t."""
    space = getattr(geom, "geometry", geom)
    low, high = (np.atleast_1d(np.asarray(bound, dtype=float)).ravel() for bound in space.bbox)
    names = list("xyz"[: len(low)]) if len(low) <= 3 else [f"x{place + 1}" for place in range(len(low))]
    found = {name: (float(a), float(b)) for name, a, b in zip(names, low, high, strict=True)}
    if hasattr(geom, "timedomain"):
        found["t"] = (float(geom.timedomain.t0), float(geom.timedomain.t1))
    return found


def names_of_outputs(net: nn.Module, data: Any) -> tuple[str, ...]:
    with torch.no_grad():
        count = net(torch.as_tensor(data.geom.random_points(2), dtype=torch.float64)).shape[1]
    return ("u",) if count == 1 else tuple(f"u{place + 1}" for place in range(count))


def weighted(blocks: Sequence[ResidualBlock], weights: Any) -> list[ResidualBlock]:
    """With the weights of the losses, which stand in the same order."""
    if weights is None:
        return list(blocks)
    given = [float(weight) for weight in np.atleast_1d(weights)]
    if len(given) != len(blocks):
        raise InputError(f"are {len(given)} for {len(blocks)} losses", key="loss_weights")
    return [replace(block, weight=weight) for block, weight in zip(blocks, given, strict=True) if weight > 0]


def _in_double(bc: Any) -> Any:
    """The condition with its functions of points as they were given, which neither round to single precision nor remember points by identity."""
    own = copy.copy(bc)
    for name in ("func", "boundary_normal"):
        plain: Any = getattr(bc, name, None)
        if hasattr(plain, "__wrapped__"):
            while hasattr(plain, "__wrapped__"):
                plain = plain.__wrapped__
            setattr(own, name, _Plain(plain))
    return own


@dataclass(frozen=True)
class _Plain:
    call: Callable[[np.ndarray], Any]

    def __call__(self, x: np.ndarray, beg: int, end: int, _: Any) -> Tensor:
        return torch.as_tensor(np.asarray(self.call(x[beg:end])), dtype=torch.float64)


@dataclass(frozen=True)
class _Drawn:
    """Points that the library draws, from a seed of the generator; its own random numbers go on as before."""

    draw: Callable[[int], np.ndarray]

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        with untouched(), double():
            np.random.seed(int(torch.randint(2**31, (), generator=generator)))  # noqa: NPY002  # the library draws from it
            return torch.as_tensor(np.asarray(self.draw(count)), dtype=torch.float64)


class _Filtered:
    """Points of the boundary, or of the start, that belong to one condition."""

    def __init__(self, draw: Callable[..., np.ndarray], keep: Callable[[np.ndarray], np.ndarray]) -> None:
        self.draw, self.keep = draw, keep

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        return _Drawn(self.some)(count, generator)

    def some(self, count: int) -> np.ndarray:
        """So many points; raises InputError where the condition holds nowhere that is drawn."""
        found: list[np.ndarray] = []
        for _ in range(50):
            found.append(np.asarray(self.keep(np.asarray(self.draw(4 * count + 8, random="pseudo")))))
            if sum(map(len, found)) >= count:
                return np.concatenate(found)[:count]
        raise InputError("holds at no point that its geometry draws", key="condition")


@dataclass(frozen=True)
class _Given:
    """Points that were measured, again and again in their order."""

    points: Tensor

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        return self.points[torch.arange(count) % len(self.points)]
