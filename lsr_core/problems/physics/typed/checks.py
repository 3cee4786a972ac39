"""What can be said about a typed equation before anything is solved: whether its solution solves it, whether it is linear."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.pointjets import reverse_jets_of
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.fields import Field, with_values
from lsr_core.problems.physics.residuals import fields_of, jet_spec

PROBES = 200  # points of each block
SOLVED = 1e-8  # of the largest term of a residual, up to which a solution solves it
AFFINE = 1e-9

Exact = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Fit:
    """How well a known solution solves one block.

    Attributes:
        residual: the largest one.
        size: of the terms that should cancel.
        where: the point of the largest residual, by name.
    """

    residual: float
    size: float
    where: Mapping[str, float]


def fit_of(block: ResidualBlock, exact: Exact, outputs: Sequence[str], variables: Sequence[str]) -> Fit:
    """The residual of a formula in one block, its derivatives by autograd.

    Raises:
        InputError: the formula or its derivatives are not finite somewhere.
    """
    points = block.draw(torch.Generator().manual_seed(0), PROBES)
    spec = jet_spec(block, outputs, variables)
    flat = points.reshape(-1, points.shape[-1])
    jets = reverse_jets_of(exact, flat, spec)
    bad = ~torch.isfinite(jets).flatten(1).all(dim=1)
    if bool(bad.any()):
        first = flat[int(bad.nonzero()[0])]
        raise InputError(
            f"the solution or a derivative of it is not finite at {int(bad.sum())} of {len(flat)} points of {block.name!r}, "
            f"the first at {_words(_named(variables, first))}",
            key="solution",
        )
    jets = jets.requires_grad_()
    parts = jets.unflatten(0, points.shape[:-1]) if block.together else jets[:, None]
    places = points if block.together else points[:, None]
    rows = block.residual(*fields_of(block, places, parts, outputs, variables, spec)).reshape(len(points), -1)
    slopes = torch.autograd.grad(rows.sum(), jets, allow_unused=True)[0] if rows.requires_grad else None
    terms = 0.0 if slopes is None else float((slopes * jets.detach()).abs().flatten(1).sum(dim=1).max())
    worst = int(rows.detach().abs().amax(dim=1).nan_to_num(nan=torch.inf).argmax())
    at = points[worst].reshape(-1, points.shape[-1])[0]
    return Fit(float(rows[worst].detach().abs().max()), max(terms, 1.0), _named(variables, at))


def check_solution(
    blocks: Sequence[ResidualBlock], exact: Exact, outputs: Sequence[str], variables: Sequence[str]
) -> None:
    """Refuse a known solution that does not solve its equation.

    Raises:
        InputError: naming the block, the largest residual and where it is.
    """
    for block in blocks:
        found = fit_of(block, exact, outputs, variables)
        if not found.residual <= SOLVED * found.size and not block.name.startswith("data"):
            raise InputError(
                f"does not satisfy {block.name!r}: the residual is {found.residual:.3g} at {_words(found.where)}, "
                f"where it should vanish; correct one of the two, or leave the solution out",
                key="solution",
            )


def is_linear(block: ResidualBlock, outputs: Sequence[str], variables: Sequence[str]) -> bool:
    """Whether a residual is affine in the unknown functions, by its values at random ones."""
    generator = torch.Generator().manual_seed(0)
    points = block.draw(generator, PROBES)
    names = with_values(block.needs, outputs)
    parts = [points[:, 0], points[:, 1:]] if block.nodes else points.unbind(1) if block.pairs else [points]

    def rows(draws: Sequence[Mapping[str, Tensor]]) -> Tensor:
        fields = [Field(at, variables, values) for at, values in zip(parts, draws, strict=True)]
        return block.residual(*fields).reshape(len(points), -1)

    def draw() -> list[dict[str, Tensor]]:
        return [{name: torch.randn(at.shape[:-1], generator=generator, dtype=torch.float64) for name in names} for at in parts]  # fmt: skip

    one, other = draw(), draw()
    mean = [{name: (a[name] + b[name]) / 2 for name in names} for a, b in zip(one, other, strict=True)]
    first, second, between = rows(one), rows(other), rows(mean)
    gap = (between - (first + second) / 2).abs()
    size = first.abs() + second.abs() + between.abs() + 1
    return bool((gap <= AFFINE * size).all())


def _named(variables: Sequence[str], point: Tensor) -> dict[str, float]:
    return {name: float(value) for name, value in zip(variables, point, strict=True)}


def _words(where: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {value:.4g}" for name, value in where.items())
