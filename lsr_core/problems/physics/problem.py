"""Physics-informed problems: a network, and a differential equation that its field should satisfy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.deeponets import DeepONetField
from lsr_core.networks.unknowns import NAME as UNKNOWNS
from lsr_core.networks.unknowns import WithUnknowns
from lsr_core.problems.kinds import ProblemKind
from lsr_core.problems.physics.blocks import ResidualBlock, check_measured, check_points
from lsr_core.problems.physics.fields import derivative
from lsr_core.problems.physics.meeting import cut_out, parted, without
from lsr_core.problems.physics.places import places
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Architecture, Quantity, Split, check_split, existing

POINT_TOLERANCE = 1e-9  # of the extent of the domain, by which points may lie outside it
FITTED, FRESH = 1, 2  # random streams
FEWEST_FRESH = 200


class Equation(Protocol):
    """What a problem takes from the library of equations.

    Attributes:
        name: key in the registry.
        arguments: JSON values from which the registry builds this equation again.
        domain: bounds by variable; their order is the order of the coordinates.
        outputs: names of the outputs.
        blocks: the conditions.
        unknown: numbers that are to be found, the last of the outputs, with their starts.
    """

    @property
    def name(self) -> str: ...
    @property
    def arguments(self) -> Mapping[str, Any]: ...
    @property
    def domain(self) -> Mapping[str, tuple[float, float]]: ...
    @property
    def outputs(self) -> tuple[str, ...]: ...
    @property
    def blocks(self) -> tuple[ResidualBlock, ...]: ...
    @property
    def unknown(self) -> Mapping[str, float]: ...

    def test(self) -> Split | None:
        """A grid with the exact or reference solution on it, for reporting; None where none is known."""
        ...

    def plain_grid(self) -> Split | None:
        """Where none is known: points to draw fields on, with zeros for the solution."""
        ...


@dataclass(frozen=True, eq=False, repr=False)
class PhysicsProblem(Problem):
    """A network u(θ, x) and weighted residual blocks; the rows are √(weight/rows) r, block after block.

    Args:
        model: maps points (n, d) to outputs (n, o), in eval mode.
        equation: name in the library of equations.
        arguments: what the library builds it from.
        domain: bounds by variable.
        outputs: names of the outputs, as residuals read them.
        blocks: the conditions.
        points: fitted points by block, (n, d), or (n, places, d) where a point has several places.
        fresh: points by block that the solve does not see; what the rank is chosen by.
        test: points with the exact or reference solution; reported, never used to choose.
        grid: optional points to draw fields on; otherwise the test points are drawn, and without any those of `places`.
        architecture: registered name and arguments, needed to store the problem.
        seed: from which the points were drawn.
        graded_on: a sentence on the points of `test` or `grid`, where they are not a grid over the domain.
        unknown: numbers that are to be found, by name, with the values that they start from. Residuals read them as they read outputs, and
            they are the last of the outputs: where the model does not give them already it is put into a `WithUnknowns`.
        remarks: sentences on boundary data that jump where they meet; see `meeting`.

    Raises:
        InputError: an empty block, two of one name, points outside the domain, boundary data that contradict each other all over a face.
    """

    kind: ClassVar[ProblemKind] = "physics"

    name: str
    model: nn.Module
    equation: str
    arguments: Mapping[str, Any]
    domain: Mapping[str, tuple[float, float]]
    outputs: tuple[str, ...]
    blocks: tuple[ResidualBlock, ...]
    points: Mapping[str, Tensor]
    fresh: Mapping[str, Tensor]
    test: Split | None = None
    grid: Split | None = None
    title: str = ""
    description: str = ""
    input_quantities: tuple[Quantity, ...] = ()
    output_quantities: tuple[Quantity, ...] = ()
    architecture: Architecture | None = None
    seed: int = 0
    graded_on: str = ""
    remarks: tuple[str, ...] = ()
    unknown: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.unknown:
            self._take_unknown()
        if not self.blocks:
            raise InputError("there is no residual block; an equation needs at least one", key="blocks")
        names = [block.name for block in self.blocks]
        if len(set(names)) < len(names):
            raise InputError("two blocks have the same name; give each its own", key="blocks")
        check_measured(self.blocks)
        for block in self.blocks:
            for need in block.needs:
                derivative(need, self.outputs, self.variables)
            for kind, drawn in (("points", self.points), ("fresh", self.fresh)):
                if block.name not in drawn:
                    raise InputError("there are no points for this block", key=f"{kind}.{block.name}")
                check_points(block, drawn[block.name])
                self._check_inside(block, drawn[block.name])
        for name, split in self.splits().items():
            check_split(split, name)
            if split.inputs.shape[1:] != (len(self.domain),) or split.targets.shape[1:] != (len(self.outputs),):
                raise InputError(
                    f"one sample has inputs {tuple(split.inputs.shape[1:])} and targets {tuple(split.targets.shape[1:])}; "
                    f"the equation has {len(self.domain)} variables and {len(self.outputs)} outputs",
                    key=name,
                )
        self._part_meetings()
        if not self.input_quantities:
            object.__setattr__(self, "input_quantities", tuple(Quantity(name) for name in self.variables))
        if not self.output_quantities:
            object.__setattr__(self, "output_quantities", tuple(Quantity(name) for name in self.outputs))

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return tuple(self.domain)

    def splits(self) -> dict[str, Split]:
        """Points at which the field is known, or drawn, by name; where nothing is given, the grid is made here, with zeros for the solution."""
        return existing(test=self.test, grid=self._plain if self.test is None and self.grid is None else self.grid)

    @property
    def has_truth(self) -> bool:
        return self.test is not None

    def fitted_inputs(self) -> Tensor:
        return torch.cat([part.reshape(-1, part.shape[-1]) for part in self.points.values()])

    @property
    def output_shape(self) -> torch.Size:
        return torch.Size([len(self.outputs)])

    @property
    def n_rows(self) -> int:
        """Fitted points; residuals of several equations have that many rows each."""
        return sum(len(points) for points in self.points.values())

    @cached_property
    def _plain(self) -> Split:
        where, _ = places(self.domain, self.blocks)
        return Split(where, torch.zeros(len(where), len(self.outputs), dtype=torch.float64))

    def varied_input(self) -> dict[str, Any] | None:
        sees = isinstance(self.model, DeepONetField)
        return self.arguments.get("input") if sees else None

    def redrawn(self, seed: int) -> PhysicsProblem:
        """The same problem on new points."""
        points, fresh = draw_points(self.blocks, seed)
        return replace(self, points=points, fresh=fresh, seed=seed)

    def _take_unknown(self) -> None:
        """Put the unknown numbers behind the outputs of the network, where they are not there already."""
        names = tuple(self.unknown)
        for name, value in self.unknown.items():
            if not math.isfinite(value):
                raise InputError(
                    f"starts from {value}; give a finite number near what it could be", key=f"unknown.{name}"
                )
            if name in self.variables or name in self.outputs[: len(self.outputs) - len(names)]:
                raise InputError("is the name of an input or an output, too; rename one", key=f"unknown.{name}")
        if self.outputs[-len(names) :] != names:
            object.__setattr__(self, "outputs", (*self.outputs, *names))
        if isinstance(self.model, WithUnknowns):
            return
        if self.architecture is not None:
            inside = (self.architecture.name, self.architecture.arguments)
            around = Architecture(UNKNOWNS, {"network": list(inside), "values": list(self.unknown.values())})
            object.__setattr__(self, "architecture", around)
        object.__setattr__(self, "model", WithUnknowns(self.model, list(self.unknown.values())))

    def _check_inside(self, block: ResidualBlock, points: Tensor) -> None:
        flat = points.reshape(-1, points.shape[-1])
        if flat.shape[1] != len(self.domain):
            raise InputError(
                f"points have {flat.shape[1]} coordinates, the equation has {len(self.domain)} variables",
                key=f"blocks.{block.name}",
            )
        bounds = flat.new_tensor(list(self.domain.values()))
        slack = POINT_TOLERANCE * (bounds[:, 1] - bounds[:, 0])
        outside = ~((flat >= bounds[:, 0] - slack) & (flat <= bounds[:, 1] + slack)).all(dim=1)
        if bool(outside.any()):
            first = int(outside.nonzero()[0])
            raise InputError(
                f"{int(outside.sum())} of {len(flat)} points lie outside the domain {_box(self.domain)}, "
                f"the first at {place(self.variables, flat[first])}; draw them inside it",
                key=f"blocks.{block.name}",
            )

    def _part_meetings(self) -> None:
        """Leave out the points around places where two conditions ask for different values."""
        kept, remarks = parted(self.blocks, self.points, self.domain, self.outputs)
        if not kept:
            return
        blocks = tuple(cut_out(block, kept[block.name]) if block.name in kept else block for block in self.blocks)
        object.__setattr__(self, "blocks", blocks)
        for kind in ("points", "fresh"):
            drawn = getattr(self, kind)
            left = {name: without(part, kept[name]) if name in kept else part for name, part in drawn.items()}
            object.__setattr__(self, kind, left)
        object.__setattr__(self, "remarks", remarks)


def make_problem(
    equation: Equation,
    model: nn.Module,
    *,
    name: str = "",
    seed: int = 0,
    architecture: Architecture | None = None,
    title: str = "",
    description: str = "",
    grid: Split | None = None,
) -> PhysicsProblem:
    """A problem on points drawn from a seed; fitted and fresh points come from streams of their own."""
    points, fresh = draw_points(equation.blocks, seed)
    return PhysicsProblem(
        name=name or equation.name,
        model=model,
        equation=equation.name,
        arguments=dict(equation.arguments),
        domain=dict(equation.domain),
        outputs=tuple(equation.outputs),
        unknown=dict(equation.unknown),
        blocks=tuple(equation.blocks),
        points=points,
        fresh=fresh,
        test=equation.test(),
        grid=equation.plain_grid() if grid is None else grid,
        title=title,
        description=description,
        architecture=architecture,
        seed=seed,
    )


def draw_points(blocks: Sequence[ResidualBlock], seed: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Fitted and fresh points of every block; fresh ones are a third, which is enough to measure a residual."""
    drawn: list[dict[str, Tensor]] = []
    for stream, part in ((FITTED, 1), (FRESH, 3)):
        generator = torch.Generator().manual_seed((seed * 1_000_003 + stream) % 2**63)
        counts = {block.name: max(min(block.n_points, FEWEST_FRESH), block.n_points // part) for block in blocks}
        drawn.append({block.name: block.draw(generator, counts[block.name]) for block in blocks})
    return drawn[0], drawn[1]


def _box(domain: Mapping[str, tuple[float, float]]) -> str:
    return ", ".join(f"{name} in [{low:g}, {high:g}]" for name, (low, high) in domain.items())


def place(variables: Sequence[str], point: Tensor) -> str:
    """A point in words."""
    return ", ".join(f"{name} = {float(value):.6g}" for name, value in zip(variables, point, strict=True))
