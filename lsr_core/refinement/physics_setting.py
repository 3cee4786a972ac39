"""A physics problem made ready for one refinement: residual rows at fitted and fresh points, checks, sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.linalg.reduction import ALONE, Reduction
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import JacobianOperator
from lsr_core.networks.jets import JetFunction
from lsr_core.networks.pointjets import JetSpec
from lsr_core.networks.residuals import ResidualFunction
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import BlockRows, residual_vector
from lsr_core.refinement.rows import RowBlock
from lsr_core.refinement.setting import Setting

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
    def n_samples(self) -> int:
        return sum(len(part.points) for part in self.fitted)

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
        """f and G at the fitted points of this process's part."""
        return self._blockwise([(part.residual, part.points, part.width) for part in self.fitted], keep=False)

    def source_rows(self) -> BlockwiseRows:
        """This process's part of what the basis comes from: J or G at a random part of the fitted points."""
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
        return BlockwiseRows(
            parts,
            self.strategy.name,
            self.plan.block_bytes,
            columns=self.max_rank + 1,
            keep=keep,
            reduction=self.reduction,
        )


Part = tuple[ResidualFunction, Tensor, int]


class BlockwiseRows:
    """Rows of several residual functions, each at its points, as one sequence of blocks; again at each pass.

    Args:
        parts: functions with their points and the rows a point has.
        name: how Jacobians are applied.
        block_bytes: about the size of the largest block of rows or modes.
        columns: of the modes that will be taken.
        keep: keep Jacobian rows between passes.
        reduction: whose part of each function's points is taken; `n_rows` counts all.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        name: str,
        block_bytes: int,
        *,
        columns: int,
        keep: bool,
        reduction: Reduction = ALONE,
    ) -> None:
        self.n_rows = sum(len(points) * width for _, points, width in parts)
        self._parts, self._name, self._block_bytes = list(parts), name, block_bytes
        self._columns, self._keep, self._reduction = columns, keep, reduction
        self._operators: dict[tuple[int, int], JacobianOperator] = {}

    def __len__(self) -> int:
        return sum(
            self._reduction.n_blocks(len(points), self._samples(part, width)) for part, points, width in self._parts
        )

    def __iter__(self) -> Iterator[RowBlock]:
        before = 0
        for index, (function, points, width) in enumerate(self._parts):
            samples = self._samples(function, width)
            for where in self._reduction.blocks(len(points), samples):
                some = points[where]
                errors = function.outputs(some).reshape(-1, 1)
                rows = slice(before + where.start * width, before + where.stop * width)
                yield RowBlock(rows, self._operator((index, where.start), function, some, width), errors)
            before += len(points) * width

    def single_precision(self) -> BlockwiseRows:
        """The same rows in float32, for finding a basis."""
        parts = [(function.single_precision(), points.float(), width) for function, points, width in self._parts]
        return BlockwiseRows(
            parts, self._name, self._block_bytes, columns=self._columns, keep=False, reduction=self._reduction
        )

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
