"""The integral of a given function: the simplest operator that is learnt from an equation."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from torch import Tensor

from lsr_core.problems.physics.blocks import ResidualBlock, dirichlet
from lsr_core.problems.physics.equations.definition import PDE, EquationArguments, interior, registered
from lsr_core.problems.physics.input_functions import InputArguments
from lsr_core.problems.physics.samplers import Box

DOMAIN = {"x": (0.0, 1.0)}


class AntiderivativeArguments(EquationArguments):
    """The start is a row of its own; `input` says which function is integrated."""

    constraints: Literal["soft"] = "soft"
    n_interior: int = Field(1000, strict=True, ge=1, le=10_000_000)
    n_initial: int = Field(1, strict=True, ge=1, le=1)
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)
    input: InputArguments = InputArguments()


@registered("antiderivative", AntiderivativeArguments)
def equation(options: AntiderivativeArguments) -> PDE:
    """s′ = u on [0, 1], s(0) = 0."""
    given = options.input.function()

    def residual(field: Any) -> Tensor:
        total: Tensor = field["s_x"] - given(field.x("x"))
        return total

    def solution(points: Tensor) -> Tensor:
        return given.integral(points[:, 0])[:, None]

    start = Box(DOMAIN, options.sampler, {"x": 0.0})
    blocks: tuple[ResidualBlock, ...] = (
        interior(DOMAIN, ("s_x",), residual, options),
        dirichlet(
            "start", lambda points: 0 * points[:, 0], start, options.n_initial, weight=options.weight, output="s"
        ),
    )
    return PDE(
        name="antiderivative",
        title="Antiderivative",
        formula="s′ = u(x) on [0, 1], s(0) = 0, with u from a Gaussian process",
        arguments=options.model_dump(),
        domain=DOMAIN,
        blocks=blocks,
        grid=(1001,),
        exact=solution,
        outputs=("s",),
        given=given,
        source="Wang, Wang & Perdikaris (2021): a Gaussian process of length 0.2",
    )
