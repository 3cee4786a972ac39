"""A parameter as an operation sees it: as it is, transposed, or some of its entries in another shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from lsr_core.networks.directions import FactoredDirections

CODE = 2**24  # positions are read from gradients in two digits where there are more of them than float32 holds exactly


class Unruled(Exception):
    """There is no rule for what is done with a parameter; says what."""


class Side(NamedTuple):
    """The factor of an outer product that goes with one side of a matrix product.

    Attributes:
        left: whether it is that of the rows of the parameter.
        entries: which of its entries, (b, d); None = all.
        imaginary: which of them stand in imaginary parts, (b, d); None = there are none.
    """

    left: bool
    entries: Tensor | None
    imaginary: Tensor | None = None

    def of(self, directions: FactoredDirections, name: str) -> Tensor:
        """(p, b, d)."""
        factor = directions.left[name] if self.left else directions.right[name]
        if self.entries is None:
            return factor[:, None]
        real = factor[:, self.entries]
        return real if self.imaginary is None else torch.complex(real, factor[:, self.imaginary])


@dataclass(frozen=True)
class Operand:
    """Entries of a parameter in some shape.

    Attributes:
        name, whole: of the parameter, and its shape.
        shape: in which the operation takes it.
        split: how many of the axes of the parameter make the rows of its outer products; the others make the columns.
        flipped: whether it is the transpose of the whole matrix.
        index: flat position in the parameter of every entry; None = all of them in order, or those of the transpose.
        imaginary: of complex numbers, that of every imaginary part, while `index` has the real ones; None = they are real.
    """

    name: str
    whole: torch.Size
    shape: torch.Size
    split: int = 1
    flipped: bool = False
    index: Tensor | None = None
    imaginary: Tensor | None = None

    @property
    def plain(self) -> bool:
        return self.index is None and not self.flipped

    @property
    def columns(self) -> int:
        """Of the matrix that its outer products make."""
        return self.whole[self.split :].numel()

    def sides(self, seen: tuple[int, int, int]) -> tuple[Side, Side]:
        """Factors of the two sides of (b, d, d'), as which the operation takes its entries.

        Raises:
            Unruled: an outer product would be none as the operation sees it.
        """
        if len(self.whole) == 2 and self.index is None and self.split == 1:
            return Side(not self.flipped, None), Side(self.flipped, None)
        rows, columns = self._numbers(seen, rows=True), self._numbers(seen, rows=False)
        if len(rows) == len(columns) == 2:
            raise Unruled("its real and imaginary parts are of other rows and columns")
        for first, last, left in ((rows, columns, True), (columns, rows, False)):
            if not any(_along(part, 2) for part in first) and not any(_along(part, 1) for part in last):
                return Side(left, *(part[:, :, 0] for part in first)), Side(not left, *(part[:, 0] for part in last))
        raise Unruled("it is put together from several rows and columns")

    def _numbers(self, seen: tuple[int, int, int], *, rows: bool) -> list[Tensor]:
        """Of the row or column that each entry stands in, (b, d, d'); those of imaginary parts behind them where they differ."""
        found = [
            index // self.columns if rows else index % self.columns
            for index in (part.view(seen) for part in (self.positions(), self.imaginary) if part is not None)
        ]
        return found[:1] if len(found) == 2 and torch.equal(*found) else found

    def written(self, directions: FactoredDirections) -> Tensor:
        """The directions at its entries, (p, entries)."""
        left, right = directions.left[self.name], directions.right[self.name]
        if self.plain and right.shape[1] == 1:
            return left * right
        parts = [
            left[:, index // self.columns] * right[:, index % self.columns]
            for index in (part.reshape(-1) for part in (self.positions(), self.imaginary) if part is not None)
        ]
        return parts[0] if len(parts) == 1 else torch.complex(*parts)

    def by_parts(self, gradients: Tensor) -> Iterator[tuple[Operand, Tensor]]:
        """Real gradients by the entries, from products s of which the outputs change by Re(s dW)."""
        if gradients.is_complex():
            yield replace(self, imaginary=None), gradients.real
            if self.imaginary is not None:
                yield replace(self, index=self.imaginary, imaginary=None), -gradients.imag
        else:
            yield self, gradients

    def transposed(self) -> Operand:
        """With its last two axes exchanged."""
        shape = torch.Size([*self.shape[:-2], self.shape[-1], self.shape[-2]])
        if self.index is None and len(self.whole) == 2 and shape[::-1] == self.shape:
            if self.flipped:
                return replace(self, shape=shape, flipped=False)
            if self.shape == self.whole:
                return replace(self, shape=shape, flipped=True)
        index, imaginary = (
            None if part is None else part.transpose(-1, -2).contiguous() for part in (self.positions(), self.imaginary)
        )
        return replace(self, shape=shape, flipped=False, index=index, imaginary=imaginary)

    def positions(self) -> Tensor:
        if self.index is not None:
            return self.index
        every = torch.arange(self.whole.numel())
        return every.view(self.whole).T if self.flipped else every.view(self.shape)


def operand_of(name: str, whole: torch.Size, *, is_complex: bool) -> Operand:
    """A parameter as it is; `whole` has the two parts of complex numbers last."""
    if not is_complex:
        return Operand(name, whole, whole)
    shape = whole[:-1]
    index = torch.arange(0, whole.numel(), 2).view(shape)
    return Operand(name, whole, shape, index=index, imaginary=index + 1)


def operand_at(edge: GradientEdge, parameter: Tensor, name: str, whole: torch.Size) -> Operand:
    """What stands at an edge that depends on a parameter only, if it is made of entries of it, each of them once at most.

    Which entry goes where is read from gradients, so that it does not matter by what operations it was brought there.

    Raises:
        Unruled: they calculate.
    """
    metadata = edge.node._input_metadata[edge.output_nr]
    shape = torch.Size(metadata.shape)
    index = _entries_at(edge, parameter)
    if index is None:
        raise _calculated(edge)
    imaginary = _entries_at(edge, parameter, imaginary=True) if metadata.dtype.is_complex else None
    if imaginary is None and torch.equal(index.reshape(-1), torch.arange(whole.numel())):
        return Operand(name, whole, shape)
    return Operand(name, whole, shape, index=index, imaginary=imaginary)


def _entries_at(edge: GradientEdge, parameter: Tensor, *, imaginary: bool = False) -> Tensor | None:
    """Flat positions in a parameter of the entries at an edge, or of those in its imaginary parts; None where there are none.

    Raises:
        Unruled: they are not entries of it.
    """
    metadata = edge.node._input_metadata[edge.output_nr]
    shape = torch.Size(metadata.shape)
    count = shape.numel()
    places = torch.arange(1, count + 1, device=parameter.device).view(shape)
    unit = torch.tensor(1j if imaginary else 1, dtype=metadata.dtype, device=parameter.device)
    used, positions = (
        _real_gradient(edge, parameter, digit * unit) for digit in (torch.ones_like(places), places % CODE)
    )
    taken = used != 0
    if not taken.any():
        return None
    if count >= CODE:
        positions += CODE * _real_gradient(edge, parameter, places // CODE * unit)
    positions = positions[taken].round().long() - 1
    if len(positions) != count or not bool((used[taken] == 1).all()):
        raise _calculated(edge)
    if int(positions.min()) < 0 or int(positions.max()) >= count:
        raise _calculated(edge)
    index = torch.full_like(positions, -1)
    index[positions] = taken.nonzero()[:, 0]
    if int(index.min()) < 0:
        raise _calculated(edge)
    return index.view(shape).cpu()


def _real_gradient(edge: GradientEdge, parameter: Tensor, signal: Tensor) -> Tensor:
    """By the scalars of a parameter, flat."""
    (found,) = torch.autograd.grad([edge], [parameter], [signal], retain_graph=True)
    return (torch.view_as_real(found) if found.is_complex() else found).reshape(-1).double()


def _calculated(edge: GradientEdge) -> Unruled:
    return Unruled(f"it is computed with before samples come in ({edge.node.name().removesuffix('Backward0')})")


def _along(values: Tensor, axis: int) -> bool:
    """Whether values change along an axis."""
    return bool((values != values.narrow(axis, 0, 1)).any())
