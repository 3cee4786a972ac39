"""A problem on a window of one of its inputs, most often time: its blocks there, and what joins it to the window before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from lsr_core.problems.physics.blocks import Region, ResidualBlock
from lsr_core.problems.physics.problem import PhysicsProblem, draw_points

TIMES = ("t", "time")
NEAR = 1e-9  # of the extent
JOINED = 400  # points at which windows are joined, where there is more than time
Known = Callable[[Tensor], Tensor]


def time_of(problem: PhysicsProblem) -> str | None:
    """The input along which the problem may be taken window by window; None where there is none.

    It is called t or time (or is the only input), and all that is known at one of its values alone is known at its lowest: a condition at the
    end, or a pair of points at two times, ties the whole span together.
    """
    if problem.model is not None and _hard(problem.model):
        return None
    names = [name for name in problem.variables if name.lower() in TIMES] or list(problem.variables)[:1]
    if len(problem.variables) > 1 and names[0].lower() not in TIMES:
        return None
    ties = [_tie(problem, block, names[0]) for block in problem.blocks]
    return names[0] if "start" in ties and "end" not in ties else None


def orders(problem: PhysicsProblem, axis: str) -> dict[str, int]:
    """How many derivatives by time, value included, a window hands on to the next, by output: the order of its equation."""
    found = dict.fromkeys(problem.outputs, 0)
    for block in problem.blocks:
        if _tie(problem, block, axis) == "inside":
            for name in block.needs:
                head, _, tail = name.rpartition("_")
                if head in found:
                    found[head] = max(found[head], tail.count(axis))
    return found


@dataclass(frozen=True, eq=False)
class Join:
    """What the window before hands on: values of the named quantities at points (n, k)."""

    names: tuple[str, ...]
    values: Known
    weight: float


def on_window(
    problem: PhysicsProblem,
    axis: str,
    span: tuple[float, float],
    model: nn.Module,
    join: Join | None,
    *,
    counts: Mapping[str, int],
    seed: int,
) -> PhysicsProblem:
    """The problem on a part of its time, with another network.

    Args:
        problem: of the whole time.
        span: of the window.
        model: of the window.
        join: to the window before; None at the start, where the conditions of the problem hold.
        counts: points by block.
        seed: of the points.
    """  # fmt: skip
    place, whole = problem.variables.index(axis), problem.domain[axis]
    blocks = []
    for block in problem.blocks:
        tie = _tie(problem, block, axis)
        if tie == "start":
            if join is None:
                blocks.append(block)
        elif tie == "given":
            inside = _within(problem.points[block.name], place, span)
            if len(inside):
                blocks.append(replace(block, region=_Given(inside), n_points=len(inside)))
        else:
            count = counts.get(block.name, block.n_points)
            blocks.append(replace(block, region=_Squeezed(block.region, place, whole, span), n_points=count))
    if join is not None:
        interior = next(block for block in problem.blocks if _tie(problem, block, axis) == "inside")
        blocks.append(_joined(join, _Slice(interior.region, place, span[0]), len(problem.variables)))
    points, fresh = draw_points(blocks, seed)
    return replace(
        problem,
        model=model,
        domain={**problem.domain, axis: span},
        blocks=tuple(blocks),
        points=points,
        fresh=fresh,
        test=None,
        grid=None,
        architecture=None,
        seed=seed,
    )


def _joined(join: Join, region: Region, dimension: int) -> ResidualBlock:
    known = _Remembered(join.values)

    def residual(field: object) -> Tensor:
        values = torch.stack([field[name] for name in join.names], dim=1)  # type: ignore[index]
        return values - known(field.points)  # type: ignore[attr-defined]

    needs = tuple(name for name in join.names if "_" in name)
    return ResidualBlock("window", needs, residual, region, 1 if dimension == 1 else JOINED, join.weight)


class _Remembered:
    """A function of points whose last answers are kept, since the same points are asked about at every step."""

    def __init__(self, function: Known) -> None:
        self._function, self._seen = function, dict[bytes, Tensor]()

    def __call__(self, points: Tensor) -> Tensor:
        key = points.detach().cpu().numpy().tobytes()
        if key not in self._seen:
            if len(self._seen) > 16:
                self._seen.clear()
            self._seen[key] = self._function(points.detach())
        return self._seen[key]


def _tie(problem: PhysicsProblem, block: ResidualBlock, axis: str) -> str:
    """How a block lies in time: `start`, `end`, `given` places, or `inside`, all along it."""
    place, (low, high) = problem.variables.index(axis), problem.domain[axis]
    points = problem.points[block.name]
    along = points[..., place]
    near = NEAR * (high - low)
    if block.pairs and bool(((along[:, 0] - along[:, 1]).abs() > near).any()):
        return "end"
    early, late = ((along - end).abs() <= near for end in (low, high))
    if bool(early.all()):
        return "start"
    if bool(early.any()) or bool(late.any()):
        return "end"
    return "inside" if _is_drawn(block, place) else "given"


def _is_drawn(block: ResidualBlock, place: int) -> bool:
    """Whether a region gives other times to another generator; measured values lie where they lie."""
    first, second = (
        set(block.draw(torch.Generator().manual_seed(seed)).select(-1, place).reshape(-1).tolist()) for seed in (1, 2)
    )
    return not first & second


def _hard(model: nn.Module) -> bool:
    """Whether the network's output is made to meet conditions that would be asked at the start of every window."""
    arguments = getattr(model, "arguments", None)
    return getattr(arguments, "output", None) is not None


def _within(points: Tensor, place: int, span: tuple[float, float]) -> Tensor:
    along = points[..., place].reshape(len(points), -1)
    return points[((along >= span[0]) & (along <= span[1])).all(dim=1)]


@dataclass(frozen=True, eq=False)
class _Given:
    """Points that are what they are."""

    points: Tensor

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        return self.points[:count]


@dataclass(frozen=True, eq=False)
class _Squeezed:
    """A region over all of time, moved into a window."""

    region: Region
    place: int
    whole: tuple[float, float]
    span: tuple[float, float]

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        points = self.region(count, generator).clone()
        (low, high), (start, end) = self.whole, self.span
        points[..., self.place] = start + (points[..., self.place] - low) * ((end - start) / (high - low))
        return points


@dataclass(frozen=True, eq=False)
class _Slice:
    """A region at one moment."""

    region: Region
    place: int
    at: float

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        points = self.region(count, generator).clone()
        points[..., self.place] = self.at
        return points
