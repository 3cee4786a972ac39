"""Residuals that another library writes with its own automatic differentiation, as residuals of a field.

A residual is a function of points x and of the network's outputs y there, of which it takes derivatives itself. It is given a polynomial
in their place, whose derivatives at each point are the numbers that a field has: y(x) = Σ_α y_α (x − x0)^α/α!. Which derivatives it
reads shows in its own derivatives by these numbers, and what it gives is then linear algebra on them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement
from typing import Any

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.fields import Derivative, Field, derivative

Residual = Callable[[Tensor, Tensor], Tensor]  # points (n, d) that require gradients, outputs (n, o) -> rows (n, k)
MOST_ORDER, MOST_TERMS = 4, 600
MOST_PROBES = 4096  # points at which it is looked what is read: a normal derivative reads others on each side


class BlackBox:
    """A residual of another library as the pointwise function of a `Field`.

    Args:
        call: maps points (n, d) and outputs (n, o) to rows (n, k), and differentiates the outputs by the points itself.
        outputs: names of the o outputs.
        variables: names of the d coordinates.
        near: points (n, d) at which it can be evaluated, to see what it reads.
        also: derivatives that it may read at other points.

    Attributes:
        needs: names of the derivatives that it reads.

    Raises:
        InputError: it raises, or gives no rows (n, k).
    """

    def __init__(
        self, call: Residual, outputs: Sequence[str], variables: Sequence[str], near: Tensor, also: Sequence[str] = ()
    ) -> None:
        self.call, self.outputs, self.variables = call, tuple(outputs), tuple(variables)
        self.needs: tuple[str, ...] = ()
        self.needs = tuple(dict.fromkeys([*self._read(probes(near).double()), *also]))

    def __call__(self, field: Field) -> Tensor:
        """Rows (n, k)."""
        jets = torch.stack([field[name] for name in (*self.outputs, *self.needs)], dim=-1)
        return _rows(jets, field.points, self)[0]

    def rows(self, jets: Tensor, points: Tensor) -> Tensor:
        """Rows (n, k) that can be differentiated by the numbers (n, c) of the field, values first, then what is needed."""
        return self._at(
            jets, points, [derivative(name, self.outputs, self.variables) for name in (*self.outputs, *self.needs)]
        )

    def _at(self, jets: Tensor, points: Tensor, terms: Sequence[Derivative]) -> Tensor:
        x = points.detach().clone().requires_grad_()
        away = x - points.detach()
        nothing = 0 * away.sum(dim=1).exp()  # which can be differentiated without end, as a polynomial cannot
        columns: list[Tensor] = [nothing for _ in self.outputs]
        for place, (output, by) in enumerate(terms):
            term = jets[:, place]
            for variable in by:
                term = term * away[:, variable]
            scale = math.prod(math.factorial(by.count(variable)) for variable in set(by))
            columns[output] = columns[output] + term / scale
        found = self.call(x, torch.stack(columns, dim=1))
        if not isinstance(found, Tensor) or found.ndim not in (1, 2) or len(found) != len(points):
            raise InputError("the residual gives no tensor with a row for each point", key="residual")
        return found[:, None] if found.ndim == 1 else found

    def _read(self, points: Tensor) -> tuple[str, ...]:
        """The derivatives by which it differs, found at random numbers."""
        count = len(self.variables)
        order = next(
            o for o in range(MOST_ORDER, 0, -1) if o == 1 or math.comb(count + o, o) * len(self.outputs) <= MOST_TERMS
        )
        terms = [
            Derivative(output, by)
            for size in range(order + 1) for by in combinations_with_replacement(range(count), size) for output in range(len(self.outputs))
        ]  # fmt: skip
        generator = torch.Generator().manual_seed(0)
        jets = torch.rand(len(points), len(terms), generator=generator, dtype=points.dtype).requires_grad_()
        rows = self._at(jets, points, terms)
        slope = _slope(rows.square().sum() + rows.sum(), jets)
        if not slope.any():
            raise InputError(
                f"the residual does not depend on the network, or only on derivatives beyond those of order {order}",
                key="residual",
            )
        read = [term for place, term in enumerate(terms) if slope[:, place].any()]
        return tuple(self._named(term) for term in read if term.by)

    def _named(self, term: Derivative) -> str:
        return f"{self.outputs[term.output]}_{''.join(self.variables[place] for place in term.by)}"


def _slope(value: Tensor, jets: Tensor) -> Tensor:
    """The derivative by the numbers of a field, zero where nothing is read of them."""
    if not value.requires_grad:
        return torch.zeros_like(jets)
    (found,) = torch.autograd.grad(value, jets, retain_graph=True, allow_unused=True)
    return torch.zeros_like(jets) if found is None else found


def _rows(jets: Tensor, points: Tensor, box: BlackBox) -> tuple[Tensor, Tensor]:
    """Rows (n, k) and their derivatives (n, k, c) by the numbers of the field."""
    found: tuple[Tensor, Tensor] = _Rows.apply(jets, points, box)  # type: ignore[no-untyped-call]
    return found


def probes(points: Tensor) -> Tensor:
    """At most `MOST_PROBES` of the points, spread over all."""
    return points[:: max(1, -(-len(points) // MOST_PROBES))]


class _Rows(torch.autograd.Function):
    """Rows and their derivatives by the numbers of the field, which transforms of torch need to be told."""

    @staticmethod
    def forward(jets: Tensor, points: Tensor, box: BlackBox) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            held = jets.detach().requires_grad_()
            rows = box.rows(held, points)
            slopes = [_slope(rows[:, k].sum(), held) for k in range(rows.shape[1])]
        return rows.detach(), torch.stack(slopes, dim=1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(output[1])
        ctx.save_for_forward(output[1])

    @staticmethod
    def backward(ctx: Any, given: Tensor, _: Any) -> tuple[Tensor, None, None]:
        (slopes,) = ctx.saved_tensors
        return torch.einsum("nk,nkc->nc", given, slopes), None, None

    @staticmethod
    def jvp(ctx: Any, moved: Tensor, *_: Any) -> tuple[Tensor, None]:
        (slopes,) = ctx.saved_tensors
        return torch.einsum("nc,nkc->nk", moved, slopes), None

    @staticmethod
    def vmap(
        info: Any, places: tuple[int | None, ...], jets: Tensor, points: Tensor, box: BlackBox
    ) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        many, where = (
            part.expand(info.batch_size, *part.shape) if place is None else part.movedim(place, 0)
            for part, place in ((jets, places[0]), (points, places[1]))
        )
        rows, slopes = _rows(many.flatten(0, 1), where.flatten(0, 1), box)
        return (rows.unflatten(0, many.shape[:2]), slopes.unflatten(0, many.shape[:2])), (0, 0)
