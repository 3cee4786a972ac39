"""Parameter directions in factored form.

In every weight matrix, kernel or table a direction is an outer product g ⊗ h. Thousands of them take the memory of a few, their Gram matrix costs no
more than that of the short vectors, and operators have ways of multiplying them that never write one out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lsr_core.linalg.operators import LinearOperator
from lsr_core.networks.functions import ParametricFunction

MOMENTS = 4  # random combinations of Jacobian rows from which the sizes of the parameters are taken
POWERS = 3  # iterations for an outer product
SPREAD = 1e3  # between the sizes of random directions in different parameters


@dataclass(frozen=True)
class DirectionForm:
    """How the outer products stand in the parameters.

    Attributes:
        splits: number of axes that make the rows, where it is not the one by which a direction is shortest.
        tied: biases by name, with the weight whose g they share: a layer's output moves by g(h·a + 1).
        still: parameters that no output depends on.
    """

    splits: Mapping[str, int] = field(default_factory=dict)
    tied: Mapping[str, str] = field(default_factory=dict)
    still: Collection[str] = ()

    def sides(self, name: str, shape: torch.Size) -> tuple[int, int]:
        """Rows and columns of a parameter; a vector has one column."""
        split = self.splits.get(name) or self.possible(shape)[0]
        return shape[:split].numel(), shape[split:].numel()

    @staticmethod
    def possible(shape: torch.Size) -> list[int]:
        """Numbers of axes that may make the rows, that of the shortest direction first."""
        return sorted(range(1, max(2, len(shape))), key=lambda split: shape[:split].numel() + shape[split:].numel())

    def length(self, shapes: Mapping[str, torch.Size]) -> int:
        """Numbers that a direction is kept in."""
        sides = {name: self.sides(name, shape) for name, shape in shapes.items()}
        return sum((name not in self.tied) * rows + columns for name, (rows, columns) in sides.items())


@dataclass(frozen=True)
class FactoredDirections:
    """p directions Ω (m × p) that are never written out together.

    Attributes:
        left, right: (p, rows) and (p, columns) of every parameter; a vector has one column, in which all is one.
    """

    left: dict[str, Tensor]
    right: dict[str, Tensor]

    @classmethod
    def random(
        cls,
        shapes: Mapping[str, torch.Size],
        count: int,
        generator: torch.Generator,
        like: Tensor,
        *,
        form: DirectionForm,
        sizes: Mapping[str, float] | None = None,
    ) -> FactoredDirections:
        """Gaussian g and h (a Khatri–Rao sketch).

        Args:
            like: has their dtype and device.
            sizes: of the entries in each parameter; without, all are one and no bias shares its g.
        """

        def gaussian(width: int, size: float) -> Tensor:
            return torch.randn(count, width, generator=generator, dtype=torch.float64).to(like) * size

        left: dict[str, Tensor] = {}
        right: dict[str, Tensor] = {}
        bias_of = {weight: bias for bias, weight in form.tied.items()} if sizes is not None else {}
        for name, shape in shapes.items():
            rows, columns = form.sides(name, shape)
            size = 0.0 if name in form.still else 1.0 if sizes is None else sizes[name]
            sent = sizes[bias_of[name]] if sizes is not None and name in bias_of else size
            seen = min(max(size / sent, 1 / SPREAD), SPREAD) if sent > 0 else 1.0
            left[name] = gaussian(rows, sent)
            drawn = columns > 1 or name in bias_of  # with one h for all, a weight and its bias would move as one
            right[name] = gaussian(columns, seen) if drawn else torch.full((count, 1), seen).to(like)
        for weight, bias in bias_of.items():
            left[bias], right[bias] = left[weight], torch.ones(count, 1).to(like)
        return cls(left, right)

    @classmethod
    def from_rows(
        cls, shapes: Mapping[str, torch.Size], rows: Iterable[Tensor], *, form: DirectionForm
    ) -> FactoredDirections:
        """Jacobian rows, flat (m,) each, cut down to one outer product in every parameter: that with the largest singular value."""
        lefts: dict[str, list[Tensor]] = {name: [] for name in shapes}
        rights: dict[str, list[Tensor]] = {name: [] for name in shapes}
        for row in rows:
            pieces = row.split([shape.numel() for shape in shapes.values()])
            for (name, shape), piece in zip(shapes.items(), pieces, strict=True):
                left, right = _leading(piece.view(form.sides(name, shape)))
                lefts[name].append(left)
                rights[name].append(right)
        return cls(
            {name: torch.stack(parts) for name, parts in lefts.items()},
            {name: torch.stack(parts) for name, parts in rights.items()},
        )

    @property
    def count(self) -> int:
        return len(next(iter(self.left.values())))

    def part(self, some: slice) -> FactoredDirections:
        """Some of them."""
        shared: dict[int, Tensor] = {}  # what is one tensor stays one
        left = {name: shared.setdefault(id(value), value[some]) for name, value in self.left.items()}
        return FactoredDirections(left, {name: value[some] for name, value in self.right.items()})

    def joined(self, other: FactoredDirections) -> FactoredDirections:
        """These, and others behind them."""
        return FactoredDirections(
            {name: torch.cat([value, other.left[name]]) for name, value in self.left.items()},
            {name: torch.cat([value, other.right[name]]) for name, value in self.right.items()},
        )

    def gram(self) -> Tensor:
        """ΩᵀΩ, (p, p), in float64 where the device has it: it squares the condition number of Ω."""
        first = next(iter(self.left.values()))
        wide = first.dtype if first.device.type == "mps" else torch.float64
        total = torch.zeros(1, dtype=wide, device=first.device)
        for left, right in self._pairs():
            left, right = left.to(wide), right.to(wide)
            total = total + (left @ left.T) * (right @ right.T)
        return total

    def combination(self, weights: Tensor) -> Tensor:
        """Ω w for one vector of weights (p,), flat (m,)."""
        return torch.cat([(left.T @ (right * weights[:, None])).flatten() for left, right in self._pairs()])

    def against(self, vector: Tensor) -> Tensor:
        """Ωᵀ v (p,) for a flat vector (m,)."""
        found, start = vector.new_zeros(self.count), 0
        for left, right in self._pairs():
            part = vector[start : (start := start + left.shape[1] * right.shape[1])].view(left.shape[1], -1)
            found += ((left @ part) * right).sum(dim=1)
        return found

    def written(self, some: slice = slice(None), names: Collection[str] | None = None) -> Tensor:
        """Some of them as vectors, (m, some), or their part in some of the parameters."""
        chosen = [name for name in self.left if names is None or name in names]
        pairs = [(self.left[name][some], self.right[name][some]) for name in chosen]
        return torch.cat([(left[:, :, None] * right[:, None, :]).flatten(1) for left, right in pairs], dim=1).T

    def shaped(self, shapes: Mapping[str, torch.Size], names: Sequence[str]) -> list[Tensor]:
        """Their part in some of the parameters, (p, …) each."""
        return [
            (self.left[name][:, :, None] * self.right[name][:, None, :]).view(self.count, *shapes[name])
            for name in names
        ]

    def _pairs(self) -> Iterator[tuple[Tensor, Tensor]]:
        return zip(self.left.values(), self.right.values(), strict=True)


def sizes_of(function: ParametricFunction, operator: LinearOperator, generator: torch.Generator) -> dict[str, float]:
    """Root mean square of the entries that Jacobian rows have in each parameter, times that of the number of rows.

    From a few random combinations of rows of the operator. They differ by a factor of `SPREAD` at most: directions of parameters that have little
    effect would else cancel when they are made orthonormal.
    """
    psi = torch.randn(operator.shape[0], MOMENTS, generator=generator, dtype=torch.float64).to(function.theta0)
    squares = torch.zeros(len(function.shapes))
    for column in psi.split(1, dim=1):  # one by one: each is as long as the parameters
        row = operator.rmatmat(column)
        squares += torch.stack([row[where].square().mean().cpu() for where in function.columns.values()]) / MOMENTS
    found = dict(zip(function.shapes, squares.sqrt().tolist(), strict=True))
    largest = max(found.values()) or 1.0
    return {name: max(size, largest / SPREAD) for name, size in found.items()}


def _leading(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """g and h of the outer product that is nearest to a matrix, by a few power iterations from its largest row."""
    if matrix.shape[1] == 1:
        return matrix[:, 0].clone(), matrix.new_ones(1)  # a view would keep the whole row
    right = matrix[matrix.square().sum(1).argmax()]
    for _ in range(POWERS):
        right = matrix.T @ (matrix @ right)
        length = right.norm()
        if length == 0:
            return matrix.new_zeros(len(matrix)), torch.ones_like(right)
        right = right / length
    return matrix @ right, right
