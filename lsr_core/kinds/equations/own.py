"""What a description says of an equation whose residuals are code."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.storage.bundle_schema import Name


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnBlock(_Part):
    """A residual block in words."""

    name: Name
    points: int = Field(ge=1)
    pairs: bool = False
    weight: float
    needs: tuple[Name, ...] = ()


class OwnEquation(_Part):
    """What a description says of an equation whose residuals are code."""

    domain: dict[Name, tuple[float, float]]
    outputs: tuple[Name, ...]
    blocks: tuple[OwnBlock, ...]


def in_words(problem: PhysicsProblem) -> dict[str, Any]:
    """The arguments of such an equation, as JSON values."""
    equation = OwnEquation(
        domain=dict(problem.domain),
        outputs=problem.outputs,
        blocks=tuple(
            OwnBlock(name=block.name, points=len(problem.points[block.name]), pairs=block.pairs, weight=block.weight, needs=block.needs)
            for block in problem.blocks
        ),
    )  # fmt: skip
    return equation.model_dump(mode="json")
