"""A parameter as an operation sees it: as it is, transposed, or some of its entries in another shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from lsr_core.networks.directions import FactoredDirections

CODE = 4096  # positions are read from gradients in two digits, which float32 holds exactly


class Unruled(Exception):
    """There is no rule for what is done with a parameter; says what."""


class Side(NamedTuple):
    """The factor of an outer product that goes with one side of a matrix product.

    Attributes:
        left: whether it is that of the rows of the parameter.
        entries: which of its entries, (b, d); None = all.
    """

    left: bool
    entries: Tensor | None

    def of(self, directions: FactoredDirections, name: str) -> Tensor:
        """(p, b, d)."""
        factor = directions.left[name] if self.left else directions.right[name]
        return factor[:, None] if self.entries is None else factor[:, self.entries]


@dataclass(frozen=True)
class Operand:
    """Entries of a parameter in some shape.

    Attributes:
        name, whole: of the parameter, and its shape.
        shape: in which the operation takes it.
        split: how many of the axes of the parameter make the rows of its outer products; the others make the columns.
        flipped: whether it is the transpose of the whole matrix.
        index: flat position in the parameter of every entry; None = all of them in order, or those of the transpose.
    """

    name: str
    whole: torch.Size
    shape: torch.Size
    split: int = 1
    flipped: bool = False
    index: Tensor | None = None

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
        index = self.positions().view(seen)
        left, right = index // self.columns, index % self.columns
        if not _along(left, 2) and not _along(right, 1):
            return Side(True, left[:, :, 0]), Side(False, right[:, 0])
        if not _along(left, 1) and not _along(right, 2):
            return Side(False, right[:, :, 0]), Side(True, left[:, 0])
        raise Unruled("it is put together from several rows and columns")

    def written(self, directions: FactoredDirections) -> Tensor:
        """The directions at its entries, (p, entries)."""
        left, right = directions.left[self.name], directions.right[self.name]
        if self.plain and right.shape[1] == 1:
            return left * right
        index = self.positions().reshape(-1)
        return left[:, index // self.columns] * right[:, index % self.columns]

    def positions(self) -> Tensor:
        if self.index is not None:
            return self.index
        every = torch.arange(self.whole.numel())
        return every.view(self.whole).T if self.flipped else every.view(self.shape)


def operand_at(edge: GradientEdge, parameter: Tensor, before: Operand, shape: torch.Size) -> Operand:
    """What stands at an edge that depends on a parameter only, if it is made of entries of it, each of them once at most.

    Which entry goes where is read from gradients, so that it does not matter by what operations it was brought there.

    Args:
        before: the operand of the last of these operations.

    Raises:
        Unruled: they calculate.
    """
    if edge.node.name() == "TBackward0" and before.plain and len(before.whole) == 2 and before.shape == before.whole:
        return Operand(before.name, before.whole, shape, before.split, flipped=True)
    if edge.node._input_metadata[edge.output_nr].dtype.is_complex:
        raise Unruled("complex numbers are made of it")
    count = shape.numel()
    places = torch.arange(1, count + 1, device=parameter.device).view(shape)
    digits = [torch.ones_like(places), places // CODE, places % CODE]
    found = [
        torch.autograd.grad([edge], [parameter], [digit.to(parameter.dtype)], retain_graph=True)[0].double()
        for digit in digits
    ]
    used = found[0] != 0
    positions = (found[1] * CODE + found[2]).round().long()[used] - 1
    once = bool((found[0][used] == 1).all()) and len(positions) == count and len(positions.unique()) == count
    if not once or int(positions.min()) < 0 or int(positions.max()) >= count:
        raise Unruled(f"it is computed with before samples come in ({edge.node.name().removesuffix('Backward0')})")
    if count == before.whole.numel() and torch.equal(positions, places.reshape(-1) - 1):
        return Operand(before.name, before.whole, shape, before.split)
    index = torch.empty_like(positions)
    index[positions] = used.reshape(-1).nonzero()[:, 0]
    return Operand(before.name, before.whole, shape, before.split, index=index.view(shape).cpu())


def _along(values: Tensor, axis: int) -> bool:
    """Whether values change along an axis."""
    return bool((values != values.narrow(axis, 0, 1)).any())
