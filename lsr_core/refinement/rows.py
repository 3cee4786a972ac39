"""The training rows as blocks of samples, each with its Jacobian operator and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from lsr_core.linalg.reduction import ALONE, Reduction
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import JacobianOperator
from lsr_core.networks.strategies import Strategy
from lsr_core.networks.uses.network import UsedNetwork
from lsr_core.problems.splits import Split
from lsr_core.refinement.setting import in_precision_of

CHUNK = 1024


class RowBlock(NamedTuple):
    """Consecutive rows `rows` of J, the operator that applies them, and the errors q − y of their samples (b·o, 1)."""

    rows: slice
    operator: JacobianOperator
    errors: Tensor


class Rows(Protocol):
    """Rows of a least-squares problem as blocks in order, again at each pass."""

    n_rows: int

    def __len__(self) -> int:
        """Number of blocks."""
        ...

    def __iter__(self) -> Iterator[RowBlock]: ...
    def single_precision(self) -> Rows:
        """The same rows computed in float32."""
        ...


class TrainingRows:
    """Blocks in order, again at each pass; Jacobian rows are kept between passes where memory allows.

    Args:
        samples: samples a block.
        keep: keep the rows after the first pass.
        reduction: whose part of the rows these are; `n_rows` counts all.
    """

    def __init__(
        self,
        strategy: Strategy,
        function: ParametricFunction,
        split: Split,
        *,
        samples: int,
        keep: bool = False,
        reduction: Reduction = ALONE,
    ) -> None:
        self.n_rows = split.targets.numel()
        self._strategy, self._function, self._split = strategy, function, split
        self._samples, self._keep, self._reduction = samples, keep, reduction
        self._operators: dict[int, JacobianOperator] = {}

    def __len__(self) -> int:
        return self._reduction.n_blocks(len(self._split.inputs), self._samples)

    def __iter__(self) -> Iterator[RowBlock]:
        n_outputs = self._split.targets.shape[1]
        for where in self._reduction.blocks(len(self._split.inputs), self._samples):
            inputs = in_precision_of(self._function, self._split.inputs[where])
            targets = self._split.targets[where].to(self._function.dtype)
            errors = (self._function.outputs(inputs) - targets).reshape(-1, 1)
            rows = slice(where.start * n_outputs, where.stop * n_outputs)
            yield RowBlock(rows, self._operator(where.start, inputs), errors)

    def single_precision(self) -> TrainingRows:
        """The same rows of the same function in float32, for finding a basis."""
        function = self._function.single_precision()
        network = self._strategy.network
        if network is not None:
            network = UsedNetwork(function, in_precision_of(function, self._split.inputs[:2]))
        strategy = replace(self._strategy, function=function, network=network)
        return TrainingRows(strategy, function, self._split, samples=self._samples, reduction=self._reduction)

    def _operator(self, start: int, inputs: Tensor) -> JacobianOperator:
        if not self._keep:
            return self._strategy.at(inputs)
        if start not in self._operators:
            self._operators[start] = self._strategy.at(inputs, keep=True)
        return self._operators[start]


def sketch_rows(rows: slice, width: int, seed: int, like: Tensor, *, uniform: bool = False) -> Tensor:
    """Rows of a random matrix Ψ (n, width) that do not depend on how the rows are cut into blocks.

    Every 1,024 rows have a generator of their own. Gaussian, or uniform on [0, 1).
    """
    draw = torch.rand if uniform else torch.randn
    parts = []
    for chunk in range(rows.start // CHUNK, (rows.stop - 1) // CHUNK + 1):
        generator = torch.Generator().manual_seed((seed * 1_000_003 + chunk) % 2**63)
        block = draw(CHUNK, width, generator=generator, dtype=torch.float64)
        parts.append(block[max(rows.start - chunk * CHUNK, 0) : rows.stop - chunk * CHUNK])
    return torch.cat(parts).to(like)
