"""What a parameter's use adds to products with the Jacobian, from what the operation was given and the gradients of what it gave.

δ is the gradient of an output by what the operation gave, a what it was given. For z_t = W a_t at the places t of a sample the gradient by W is
Σ_t δ_t ⊗ a_t, and along a direction g ⊗ h the output changes by Σ_t (δ_t·g)(a_t·h) (Goodfellow 2015, arXiv 1510.01799, for one place).
Where numbers are complex, δ is the conjugate of what autograd gives, and the output changes by the real part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.uses.operands import Operand

CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class Use(ABC):
    """One use of a parameter, at n samples and for q of the outputs."""

    @abstractmethod
    def add_images(self, directions: FactoredDirections, images: Tensor) -> None:
        """Add what the use contributes to J Ω, (n, q, p)."""

    @abstractmethod
    def gradients(self) -> Iterator[tuple[Operand, Tensor]]:
        """Operands, and the gradients (n, q, …) by their entries."""


@dataclass(frozen=True)
class LinearUse(Use):
    """z = a W' + b' at t places of a sample, with b matrices W' side by side.

    Attributes:
        inputs: a, (n, t, b, i).
        signals: δ, (n, q, t, b, o).
        weight: W' as (b, i, o); None where it does not move.
        bias: b', (o,).
        biased: which of the places it is added at, (t,); None = all.
    """

    inputs: Tensor
    signals: Tensor
    weight: Operand | None
    bias: Operand | None = None
    biased: tuple[bool, ...] | None = None

    def add_images(self, directions: FactoredDirections, images: Tensor) -> None:
        if self.weight is None:
            self._add_bias(directions, images)
            return
        first, last = self.weight.sides((self.inputs.shape[2], self.inputs.shape[3], self.signals.shape[4]))
        name, bias = self.weight.name, self.bias
        tied = bias is not None and directions.left[bias.name] is directions.left[name]
        seen = _products(self.inputs, first.of(directions, name), self._ones() if tied else None)
        sent = _products(self.signals, last.of(directions, name))
        if sent.is_complex() or seen.is_complex():
            images.add_((sent * seen[:, None]).sum((2, 3)).real)
        elif sent.shape[2] == sent.shape[3] == 1:
            images.addcmul_(sent[:, :, 0, 0], seen[:, None, 0, 0])
        else:
            images.add_(sent.mul_(seen[:, None]).sum((2, 3)))
        if bias is not None and not tied:
            self._add_bias(directions, images)

    def gradients(self) -> Iterator[tuple[Operand, Tensor]]:
        if self.weight is not None:
            if (
                self.inputs.shape[1] == self.inputs.shape[2] == 1
            ):  # written at once in the order in which the weight lies
                found = _outer(self.inputs[:, 0, 0], self.signals[:, :, 0, 0], self.weight.flipped)
                yield from self.weight.by_parts(found)
            else:
                yield from self.weight.by_parts(torch.einsum("ntbi,nqtbo->nqbio", self.inputs, self.signals))
        if self.bias is not None:
            yield self.bias, self._bias_signals()

    def _add_bias(self, directions: FactoredDirections, images: Tensor) -> None:
        if self.bias is not None:
            images.add_(self._bias_signals() @ self.bias.written(directions).T)

    def _bias_signals(self) -> Tensor:
        if self.biased is not None:
            return self.signals[:, :, list(self.biased)].sum((2, 3))
        return self.signals[:, :, 0, 0] if self.signals.shape[2:4] == (1, 1) else self.signals.sum((2, 3))

    def _ones(self) -> Tensor:
        """One for every place where the bias is added, (t,)."""
        everywhere = (True,) * self.inputs.shape[1]
        return torch.tensor(self.biased or everywhere).to(self.inputs)


@dataclass(frozen=True)
class Convolved(Use):
    """A convolution of any number of dimensions; of a transposed one, it is the gradients that are convolved.

    Attributes:
        inputs: (n, c, channels, …), c images a sample.
        signals: (n, q, c, channels, …).
        weight: the kernel.
    """

    inputs: Tensor
    signals: Tensor
    weight: Operand
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    transposed: bool

    def add_images(self, directions: FactoredDirections, images: Tensor) -> None:
        name, kernel = self.weight.name, self.weight.whole[1:]
        left = directions.left[name]
        count = len(left)
        filters = directions.right[name].view(count, *kernel).repeat(self.groups, *[1] * len(kernel))
        outer = left.view(count, self.groups, -1).permute(1, 2, 0)  # (g, o, p)
        for output, signals in enumerate(self.signals.unbind(1)):
            moved, still = (signals, self.inputs) if self.transposed else (self.inputs, signals)
            passed = (
                self._convolved(moved.flatten(0, 1), filters, still.shape[3:])
                .unflatten(1, (self.groups, count))
                .flatten(3)
            )
            other = still.flatten(0, 1).unflatten(1, (self.groups, -1)).flatten(3)
            found = _paired(passed, other, outer)
            images[:, output].add_(found.view(len(signals), -1, count).sum(1))

    def gradients(self) -> Iterator[tuple[Operand, Tensor]]:
        found = []
        for signals in self.signals.unbind(1):
            moved, still = (signals, self.inputs) if self.transposed else (self.inputs, signals)
            patches = self._patches(moved.flatten(0, 1), still.shape[3:]).unflatten(1, (self.groups, -1)).flatten(2, 3)
            product = still.flatten(0, 1).unflatten(1, (self.groups, -1)).flatten(3) @ patches.transpose(2, 3)
            found.append(product.view(len(signals), -1, self.weight.whole.numel()).sum(1))
        yield self.weight, torch.stack(found, dim=1)

    def _convolved(self, values: Tensor, filters: Tensor, size: torch.Size) -> Tensor:
        """As many positions as the other side has: where a transposed convolution pads its outputs, there may be more."""
        convolve = CONVOLUTIONS[values.ndim - 2]
        found = convolve(values, filters, None, self.stride, self.padding, self.dilation, self.groups)
        return _cropped(found, size)

    def _patches(self, values: Tensor, positions: torch.Size) -> Tensor:
        """(N, channels, kernel entries, positions)."""
        kernel = self.weight.whole[2:]
        values = F.pad(values, [amount for amount in reversed(self.padding) for _ in range(2)])
        for axis, (size, step, gap) in enumerate(zip(kernel, self.stride, self.dilation, strict=True), start=2):
            values = values.unfold(axis, gap * (size - 1) + 1, step)[..., ::gap]
        dims = len(kernel)
        return _cropped(values, positions).flatten(2 + dims).flatten(2, 1 + dims).transpose(2, 3)


@dataclass(frozen=True)
class LookedUp(Use):
    """Rows of a table, by number.

    Attributes:
        places: (n, t) numbers.
        signals: (n, q, t, d).
        table: (entries, d).
        counted: which of the places have a gradient, (n, t); None = all.
    """

    places: Tensor
    signals: Tensor
    table: Operand
    counted: Tensor | None

    def add_images(self, directions: FactoredDirections, images: Tensor) -> None:
        entries, width = self.table.shape
        first, last = self.table.sides((1, entries, width))
        found = first.of(directions, self.table.name)[:, 0].T[self.places]
        if self.counted is not None:
            found = found * self.counted[:, :, None]
        sent = _products(self.signals[:, :, :, None], last.of(directions, self.table.name))[:, :, :, 0]
        images.add_(sent.mul_(found[:, None]).sum(2))

    def gradients(self) -> Iterator[tuple[Operand, Tensor]]:
        signals = self.signals if self.counted is None else self.signals * self.counted[:, None, :, None]
        found = signals.new_zeros(*signals.shape[:2], *self.table.shape)
        yield self.table, found.scatter_add_(2, self.places[:, None, :, None].expand(signals.shape), signals)


@dataclass(frozen=True)
class Entrywise(Use):
    """A parameter that operations take entry by entry; what is summed are its gradients themselves.

    Attributes:
        slopes: (n, q, entries).
    """

    slopes: Tensor
    operand: Operand

    def add_images(self, directions: FactoredDirections, images: Tensor) -> None:
        written = self.operand.written(directions)
        if written.is_complex():
            images.add_(self.slopes.real @ written.real.T - self.slopes.imag @ written.imag.T)
        else:
            images.add_(self.slopes.real @ written.T)

    def gradients(self) -> Iterator[tuple[Operand, Tensor]]:
        yield from self.operand.by_parts(self.slopes)


def _products(values: Tensor, factor: Tensor, ones: Tensor | None = None) -> Tensor:
    """values (n, …, t, b, d) times factor (p, b, d) along d, (n, …, t, b, p), plus p ones where `ones` (t,) says so.

    A column of ones is cheaper than another pass over the result.
    """
    both = torch.promote_types(values.dtype, factor.dtype)
    values, factor = values.to(both), factor.to(both)
    if ones is not None:
        extra = ones[:, None, None].expand(*values.shape[:-1], 1)
        values = torch.cat([values, extra], dim=-1)
        factor = torch.cat([factor, factor.new_ones(*factor.shape[:2], 1)], dim=2)
    if factor.shape[1] == 1:
        flat = torch.mm(values.reshape(-1, values.shape[-1]), factor[:, 0].T)
        return flat.view(*values.shape[:-1], len(factor))
    return torch.einsum("...bd,pbd->...bp", values, factor)


def _cropped(values: Tensor, size: torch.Size) -> Tensor:
    """The first entries along the axes behind those of images and channels."""
    for axis, length in enumerate(size, start=2):
        values = values.narrow(axis, 0, length)
    return values


def _paired(passed: Tensor, other: Tensor, outer: Tensor) -> Tensor:
    """Σ over groups, positions and channels of passed (N, g, p, s), other (N, g, o, s) and outer (g, o, p): (N, p).

    The smaller of two intermediates is made.
    """
    if passed.shape[3] < other.shape[2]:
        return ((outer.transpose(1, 2) @ other) * passed).sum((1, 3))
    return ((other @ passed.transpose(2, 3)) * outer).sum((1, 2))


def _outer(inputs: Tensor, signals: Tensor, flipped: bool) -> Tensor:
    """Outer products of inputs (n, i) and signals (n, q, o): (n, q, i, o), lying as (n, q, o, i) if flipped."""
    if flipped:
        return (signals[:, :, :, None] * inputs[:, None, None, :]).transpose(2, 3)
    return inputs[:, None, :, None] * signals[:, :, None, :]
