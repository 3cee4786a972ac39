"""A physics problem made ready for one refinement: residual rows at fitted and fresh points, checks, sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.checks import check_outputs
from lsr_core.networks.footprints import footprint
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import JacobianOperator
from lsr_core.networks.jets import JetFunction, JetSpec
from lsr_core.networks.layered import chain_of
from lsr_core.networks.probe import examine
from lsr_core.networks.residuals import ResidualFunction
from lsr_core.networks.strategies import choose_strategy
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import BlockRows, block_rows, residual_vector
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.peaks import MAX_DISPLAY_POINTS, Sizes
from lsr_core.refinement.physics_proving import first_with_jets, proved_physics
from lsr_core.refinement.plan import make_plan
from lsr_core.refinement.proving import note_of, precision_of
from lsr_core.refinement.routed import routed
from lsr_core.refinement.rows import RowBlock
from lsr_core.refinement.setting import (
    Outline,
    Setting,
    clamp_rank,
    converted,
    function_of,
    rcond_of,
    refuse_other_answers,
    with_strategy,
)
from lsr_core.refinement.uses import Route, refuse_unused_on

HEALTH_SAMPLES = 64

FULL_SPACE = 2500  # parameters up to which the whole space is taken by default
MAX_RANK = 1400  # otherwise
SOURCE_EXTRA = 600  # points beyond the rank that the basis comes from
SUBSET = 3  # random stream


@dataclass(frozen=True, eq=False)
class PhysicsSetting(Setting):
    """The residual blocks of a problem, and points to look at its field on; `splits` has no training rows.

    Attributes:
        fitted: what is solved.
        fresh: what the rank is chosen by.
    """

    problem: PhysicsProblem
    fitted: tuple[BlockRows, ...]
    fresh: tuple[BlockRows, ...]

    @property
    def n_residuals(self) -> int:
        return sum(part.n_rows for part in self.fitted)

    @property
    def n_outputs(self) -> int:
        return len(self.problem.outputs)

    @property
    def weight(self) -> float:
        return 1.0  # the blocks carry their own

    @property
    def mean_square_target(self) -> float:
        return float("nan")  # a residual should be zero: there is nothing to be relative to

    def errors(self) -> Tensor:
        return residual_vector(self.fitted)

    def rows(self) -> BlockwiseRows:
        """f and G at the fitted points."""
        return self._blockwise([(part.residual, part.points, part.width) for part in self.fitted], keep=False)

    def source_rows(self) -> BlockwiseRows:
        """What the basis comes from: J or G at a random part of the fitted points."""
        places = [part.points if self.config.source == "residuals" else part.places() for part in self.fitted]
        total = sum(len(part) for part in places)
        wanted = self.config.basis_points or self.max_rank + SOURCE_EXTRA
        chosen = torch.randperm(total, generator=self.generator(SUBSET))[: min(wanted, total)].sort().values
        start, parts = 0, []
        for block, points in zip(self.fitted, places, strict=True):
            inside = chosen[(chosen >= start) & (chosen < start + len(points))] - start
            start += len(points)
            if len(inside) == 0:
                continue
            if self.config.source == "residuals":
                some = block.restricted(inside.to(points.device))
                parts.append((some.residual, some.points, some.width))
            else:
                parts.append((value_of(self.function), points[inside.to(points.device)], self.n_outputs))
        return self._blockwise(parts, keep=self.plan.keep_rows)

    def _blockwise(self, parts: Sequence[Part], *, keep: bool) -> BlockwiseRows:
        return BlockwiseRows(parts, self.strategy.name, self.plan.block_bytes, columns=self.max_rank + 1, keep=keep)


Part = tuple[ResidualFunction, Tensor, int]


class BlockwiseRows:
    """Rows of several residual functions, each at its points, as one sequence of blocks; again at each pass.

    Args:
        parts: functions with their points and the rows a point has.
        name: how Jacobians are applied.
        block_bytes: about the size of the largest block of rows or modes.
        columns: of the modes that will be taken.
        keep: keep Jacobian rows between passes.
    """

    def __init__(self, parts: Sequence[Part], name: str, block_bytes: int, *, columns: int, keep: bool) -> None:
        self.n_rows = sum(len(points) * width for _, points, width in parts)
        self._parts, self._name, self._block_bytes = list(parts), name, block_bytes
        self._columns, self._keep = columns, keep
        self._operators: dict[tuple[int, int], JacobianOperator] = {}

    def __len__(self) -> int:
        return sum(-(-len(points) // self._samples(part, width)) for part, points, width in self._parts)

    def __iter__(self) -> Iterator[RowBlock]:
        before = 0
        for index, (function, points, width) in enumerate(self._parts):
            samples = self._samples(function, width)
            for start in range(0, len(points), samples):
                some = points[start : start + samples]
                errors = function.outputs(some).reshape(-1, 1)
                rows = slice(before, before + len(errors))
                before += len(errors)
                yield RowBlock(rows, self._operator((index, start), function, some, width), errors)

    def single_precision(self) -> BlockwiseRows:
        """The same rows in float32, for finding a basis."""
        parts = [(function.single_precision(), points.float(), width) for function, points, width in self._parts]
        return BlockwiseRows(parts, self._name, self._block_bytes, columns=self._columns, keep=False)

    def _samples(self, function: ResidualFunction, width: int) -> int:
        return max(1, self._block_bytes // (self._columns * width * function.dtype.itemsize))

    def _operator(
        self, key: tuple[int, int], function: ResidualFunction, points: Tensor, width: int
    ) -> JacobianOperator:
        if key not in self._operators:
            found = function.at(points, width, self._name, block_bytes=self._block_bytes, keep=self._keep)
            if not self._keep:
                return found
            self._operators[key] = found
        return self._operators[key]


def value_of(function: ParametricFunction) -> ResidualFunction:
    """The outputs of a network as rows: J is their Jacobian."""
    return ResidualFunction(JetFunction(function, JetSpec()), lambda points, jets: jets[:, 0, 0])


def outline_physics(problem: PhysicsProblem, config: RefineConfig) -> Outline:
    """Function, strategy and plan; the residuals are called at two points of each block to count their rows.

    Raises:
        InputError: a device this machine does not have, a rank beyond min(n, m), the factored route, a setting that the way to the basis does
            not use, or a residual that cannot be evaluated.
    """
    if config.strategy == "factored" and chain_of(problem.model) is None:
        raise InputError(
            "the network is not a chain of layers through which derivatives are carried; use row-blocks, matrix-free or auto",
            key="strategy",
        )
    function = function_of(problem.model, config)
    few = {name: points[:2] for name, points in problem.points.items()}
    example = next(iter(few.values())).to(function.theta0)
    example = example.reshape(-1, example.shape[-1])
    refuse_other_answers(function, example, (len(problem.outputs),))
    findings = examine(function, example)
    function, widths = first_with_jets(problem, function, few, findings)
    n_residuals = sum(len(problem.points[name]) * width for name, width in widths.items())
    sizes = _sizes(problem, function, n_residuals, block_rows(problem, function, few, check=False))
    default = sizes.n_params if sizes.n_params <= FULL_SPACE else MAX_RANK
    max_rank, notes = clamp_rank(config, n_residuals, sizes.n_params, default)
    name = "row-blocks" if config.strategy == "auto" else config.strategy
    strategy = choose_strategy(
        function, example, n_residuals, len(problem.outputs), width=max_rank + config.oversampling, wanted=name
    )
    if config.strategy == "auto":
        layered = function.layered and chain_of(function.module) is not None
        reason = "derivatives are carried through the layers" if layered else "rows by differentiation point by point"
        strategy = replace(strategy, reason=reason)
    whole: Route = "equation-whole" if max_rank == sizes.n_params else "equation-sketch"
    refuse_unused_on(config, "equation-factored" if strategy.name == "factored" else whole)
    sizes = routed(sizes, strategy)
    plan = make_plan(sizes, config, strategy.name, max_rank)
    strategy = replace(strategy, block_bytes=plan.block_bytes)
    return Outline(function, strategy, sizes, plan, max_rank, tuple(notes), findings)


def prepare_physics(problem: PhysicsProblem, config: RefineConfig) -> PhysicsSetting:
    """Check and convert.

    Raises:
        InputError: see `outline_physics`; residuals that are not finite; a network whose points influence each other.
    """
    seen = outline_physics(problem, config)
    function = seen.function
    splits = {name: converted(split, function.dtype, function.device) for name, split in problem.splits().items()}
    eps = precision_of(seen.findings, function.dtype)
    every = [points.to(function.theta0) for points in (*problem.points.values(), *problem.fresh.values())]
    places = [points.reshape(-1, points.shape[-1])[:HEALTH_SAMPLES] for points in every]
    everywhere = torch.cat([*places, *(split.inputs for split in splits.values())])
    if not check_outputs(
        function, everywhere, len(problem.outputs), precision=eps
    ):  # together: where u = 0 is met, outputs are rounding only
        raise InputError(
            "outputs at one point depend on the points beside it, so they have no derivatives of their own; "
            "leave out what mixes a batch",
            key="model",
        )
    proved = proved_physics(problem, seen, config, everywhere)
    seen = with_strategy(seen, proved.strategy, config)
    fitted = tuple(block_rows(problem, seen.function))
    fresh = tuple(block_rows(problem, seen.function, problem.fresh))
    return PhysicsSetting(
        config=config,
        function=seen.function,
        strategy=seen.strategy,
        sizes=seen.sizes,
        plan=seen.plan,
        sample_wise=True,
        splits=splits,
        display=problem.display[0],
        max_rank=seen.max_rank,
        rcond=rcond_of(config, sum(part.n_rows for part in fitted), eps),
        adjoint_error=proved.defect,
        routes_left=proved.left,
        notes=(
            *seen.notes,
            *note_of(seen.findings, function.dtype),
            *([problem.graded_on] if problem.graded_on else []),
        ),
        problem=problem,
        fitted=fitted,
        fresh=fresh,
    )


def _sizes(
    problem: PhysicsProblem, function: ParametricFunction, n_residuals: int, blocks: Sequence[BlockRows]
) -> Sizes:
    taken = [footprint(part.residual, part.points) for part in blocks]
    tensors = [*problem.points.values(), *problem.fresh.values()]
    tensors += [values for split in problem.splits().values() for values in split]
    matrices = [shape for shape in function.shapes.values() if len(shape) == 2]
    return Sizes(
        n_params=function.n_params,
        n_outputs=1,
        n_train=n_residuals,
        n_other=0,
        data_bytes=2 * sum(tensor.numel() * tensor.dtype.itemsize for tensor in tensors),
        signals=sum(sum(shape) for shape in matrices),
        layers=len(matrices),
        row_entries=sum(shape.numel() for shape in function.shapes.values()),
        live=max(one.live for one in taken),
        kept=max(one.kept for one in taken),
        total=function.n_total,
        equation=True,
        shown=min(len(problem.display[1].inputs), MAX_DISPLAY_POINTS),
    )
