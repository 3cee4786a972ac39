"""The output Jacobian J = ∂q/∂θ at θ0 as a linear operator, in three ways of applying it.

Row i·o + j of J belongs to output j of sample i. Never `torch.func.linearize`: its tangents are wrong, without an error, for functions
that differentiate inside (torch 2.13); `jvp` and `vjp` are right.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Protocol

import torch
from torch import Tensor
from torch.func import jacrev, jvp, vjp, vmap

from lsr_core.linalg.operators import LinearOperator
from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.footprints import footprint, samples_within
from lsr_core.networks.pushes import Derivatives

BLOCK_BYTES = 256 * 2**20
FEW_COLUMNS = 16
FEW_COLUMNS_SAMPLES = 4096
FEW_BYTES = 64 * 2**20  # about what a pass of few columns may take
CACHED_BYTES = 24 * 2**20  # of rows made at a time: beyond the caches each intermediate costs twice as much
FEWEST_ROWS = 64
PART_BYTES = 128 * 2**20  # of directions written out at a time
GRAPH_BYTES = 128 * 2**20  # of the passes that make rows together
# that an operation goes sample by sample is no news to a user
torch._C._functorch._set_vmap_fallback_warning_enabled(False)  # type: ignore[attr-defined]
TANGENTS = 3  # a tangent takes, beside what a sample of the value does


class Differentiable(Protocol):
    """A function of flat parameters (m,) and inputs (n, …) to rows (n, o): a network, or residuals made of its derivatives."""

    @property
    def theta0(self) -> Tensor: ...
    @property
    def n_params(self) -> int: ...
    @property
    def dtype(self) -> torch.dtype: ...
    @property
    def device(self) -> torch.device: ...
    @property
    def derivatives(self) -> Derivatives:
        """How J v is taken."""
        ...

    def __call__(self, theta: Tensor, inputs: Tensor, /) -> Tensor: ...
    def along(self, inputs: Tensor, directions: Tensor, /) -> Tensor:
        """J(x) times directions (m, k), (n·o, k), one by one in the way of this function."""
        ...

    def differential(self, inputs: Tensor, /) -> Callable[[Tensor], Tensor]:
        """A function of the parameters only, with the same derivative at θ0; what can be made ready for many calls is."""
        ...


class JacobianOperator(LinearOperator):
    """J at the given inputs; shape (n·o, m)."""

    def __init__(self, function: Differentiable, inputs: Tensor, n_outputs: int) -> None:
        self.function = function
        self.inputs = inputs
        self.n_outputs = n_outputs
        self.shape = (len(inputs) * n_outputs, function.n_params)
        self.dtype, self.device = function.dtype, function.device

    def times(self, *many: FactoredDirections) -> Tensor:
        """J Ω for several sets of directions, side by side, (n·o, Σ p): written out, some at a time."""
        image = self.function.theta0.new_empty(self.shape[0], sum(directions.count for directions in many))
        width, place = max(1, PART_BYTES // (self.shape[1] * image.dtype.itemsize)), 0
        for directions in many:
            for start in range(0, directions.count, width):
                part = directions.written(slice(start, start + width))
                image[:, place : (place := place + part.shape[1])] = self.matmat(part)
        return image


class MatrixFreeJacobian(JacobianOperator):
    """Products by forward and reverse mode, columns by chunks under vmap; one by one and by reverse mode only where the function says so.

    Args:
        block_bytes: about how much the tangents of one chunk may take.
    """

    def __init__(
        self,
        function: Differentiable,
        inputs: Tensor,
        n_outputs: int,
        *,
        block_bytes: int = BLOCK_BYTES,
        activations: int = 0,
    ) -> None:
        super().__init__(function, inputs, n_outputs)
        by_sample = activations * self.dtype.itemsize or footprint(function, inputs).live
        per_column = self.shape[1] * self.dtype.itemsize + len(inputs) * by_sample
        self.chunk = max(1, block_bytes // (TANGENTS * per_column))

    def matmat(self, block: Tensor) -> Tensor:
        if self.function.derivatives != "forward":
            return self.function.along(self.inputs, block)
        at_inputs = self.function.differential(self.inputs)

        def push(tangent: Tensor) -> Tensor:
            return jvp(at_inputs, (self.function.theta0,), (tangent,))[1]

        columns = [vmap(push, in_dims=1)(part) for part in block.split(self.chunk, dim=1)]
        return torch.cat(columns).flatten(1).T.detach()

    def rmatmat(self, block: Tensor) -> Tensor:
        if block.shape[1] <= FEW_COLUMNS or self.function.derivatives != "forward":
            return self.pull_one_by_one(block)
        pull = vjp(self.function.differential(self.inputs), self.function.theta0)[1]
        cotangents = block.T.unflatten(1, (len(self.inputs), self.n_outputs))
        return torch.cat([vmap(pull)(part)[0] for part in cotangents.split(self.chunk)]).T.detach()

    def pull_one_by_one(self, block: Tensor) -> Tensor:
        """A few columns by plain reverse mode, which spares the import of torch's compiler that vmap of vjp drags in."""
        theta = self.function.theta0.detach().requires_grad_()
        with torch.enable_grad():
            outputs = self.function.differential(self.inputs)(theta).reshape(-1)
        columns = [
            torch.autograd.grad(outputs, theta, column, retain_graph=True, materialize_grads=True)[0]
            for column in block.unbind(1)
        ]
        return torch.stack(columns, dim=1) if len(columns) > 1 else columns[0][:, None]


class RowJacobian(JacobianOperator):
    """Products by materialised row blocks and matrix multiplication; each sample must stand alone.

    Args:
        block_bytes: size of the largest row block.
        keep: keep all rows after the first pass instead of computing them again.
    """

    def __init__(
        self,
        function: Differentiable,
        inputs: Tensor,
        n_outputs: int,
        *,
        block_bytes: int = BLOCK_BYTES,
        keep: bool = False,
    ) -> None:
        super().__init__(function, inputs, n_outputs)
        row_bytes = self.shape[1] * self.dtype.itemsize
        self.samples = max(1, min(len(inputs), block_bytes // (row_bytes * n_outputs)))
        self.keep = keep
        self._kept: list[tuple[slice, Tensor]] = []

    @abstractmethod
    def rows_at(self, inputs: Tensor) -> Tensor:
        """The Jacobian rows (b·o, m) of a few samples."""

    def rows_together(self, inputs: Tensor) -> int:
        """Samples whose rows are made together, so that neither they nor the passes behind them take much."""
        taken = footprint(self.function, inputs)
        samples = max(FEWEST_ROWS, CACHED_BYTES // (self.shape[1] * self.n_outputs * self.dtype.itemsize))
        return samples_within(GRAPH_BYTES, taken.kept + self.n_outputs * taken.live, samples)

    def row_blocks(self) -> Iterator[tuple[slice, Tensor]]:
        """Row ranges with their rows, in order."""
        if self._kept:
            yield from self._kept
            return
        for start in range(0, len(self.inputs), self.samples):
            part = self.inputs[start : start + self.samples]
            where = slice(start * self.n_outputs, (start + len(part)) * self.n_outputs)
            rows = self.rows_at(part)
            if self.keep:
                self._kept.append((where, rows))
            yield where, rows

    def matmat(self, block: Tensor) -> Tensor:
        if block.shape[1] <= FEW_COLUMNS and not self._kept and self.function.derivatives == "forward":
            return torch.cat([part.matmat(block) for _, part in self._parts()])
        image = block.new_empty(self.shape[0], block.shape[1])
        for where, rows in self.row_blocks():
            torch.mm(rows, block, out=image[where])
        return image

    def rmatmat(self, block: Tensor) -> Tensor:
        preimage = block.new_zeros(self.shape[1], block.shape[1])
        if block.shape[1] <= FEW_COLUMNS and not self._kept:
            for where, part in self._parts():
                preimage += part.rmatmat(block[where])
            return preimage
        for where, rows in self.row_blocks():
            preimage.addmm_(rows.T, block[where])
        return preimage

    def _parts(self) -> Iterator[tuple[slice, MatrixFreeJacobian]]:
        """The operator by ranges of samples: a few columns are cheaper by forward and reverse mode than by rows."""
        samples = samples_within(FEW_BYTES, footprint(self.function, self.inputs).kept, FEW_COLUMNS_SAMPLES)
        for start in range(0, len(self.inputs), samples):
            part = self.inputs[start : start + samples]
            where = slice(start * self.n_outputs, (start + len(part)) * self.n_outputs)
            yield where, MatrixFreeJacobian(self.function, part, self.n_outputs, block_bytes=FEW_BYTES)


class RowBlockJacobian(RowJacobian):
    """Rows by reverse mode for each sample under vmap."""

    def rows_at(self, inputs: Tensor) -> Tensor:
        def one(theta: Tensor, sample: Tensor) -> Tensor:
            return self.function(theta, sample[None])[0]

        rows = self.function.theta0.new_empty(len(inputs) * self.n_outputs, self.shape[1])
        samples = self.rows_together(inputs)
        for part, out in zip(inputs.split(samples), rows.split(samples * self.n_outputs), strict=True):
            out.copy_(vmap(jacrev(one), in_dims=(None, 0))(self.function.theta0, part).flatten(0, 1).detach())
        return rows


class PlainRowJacobian(RowBlockJacobian):
    """The same for networks of any kind: where vmap cannot follow them, by one reverse pass for each output of each sample."""

    def rows_at(self, inputs: Tensor) -> Tensor:
        try:
            return super().rows_at(inputs)
        except (RuntimeError, NotImplementedError, TypeError):
            eye = torch.eye(self.n_outputs).to(self.function.theta0)
            parts = [MatrixFreeJacobian(self.function, sample[None], self.n_outputs) for sample in inputs]
            return torch.cat([part.pull_one_by_one(eye).T for part in parts])
