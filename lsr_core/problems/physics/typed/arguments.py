"""A typed equation as JSON values, bounded in every length; what the texts mean is checked when the equation is built."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lsr_core.networks.pinn import Finite
from lsr_core.problems.physics.samplers import Method

MAX_POINTS = 1_000_000  # of one block
Text = Annotated[str, Field(max_length=500)]
Short = Annotated[str, Field(max_length=40)]
BlockName = Annotated[str, Field(max_length=40, pattern=r"^([A-Za-z][A-Za-z0-9 -]*)?$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Inside(_Part):
    """An equation that holds inside the domain.

    Attributes:
        equation: `left = right`, or the residual that should vanish.
        points: how many are drawn.
        weight: of its mean square in the loss.
        name: shown to readers; empty = by its kind.
    """

    equation: Text
    points: int = Field(2000, strict=True, ge=1, le=MAX_POINTS)
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)
    name: BlockName = ""


class Condition(_Part):
    """A condition at the edge of the domain.

    Attributes:
        where: faces such as `x = 0` or `x = 0, x = 1`; `boundary` for all faces; `x periodic` for both ends of x at once.
        equation: as inside; for a periodic condition what is equal at both ends, such as `u, u_x`.
        points: how many are drawn, or pairs of them.
        weight: of its mean square in the loss.
        name: shown to readers; empty = by its kind.
    """

    where: Annotated[str, Field(max_length=200)]
    equation: Text
    points: int = Field(400, strict=True, ge=1, le=MAX_POINTS)
    weight: float = Field(10.0, gt=0, allow_inf_nan=False)
    name: BlockName = ""


class Data(_Part):
    """Values that were measured, or are known otherwise.

    Attributes:
        output: which one they belong to.
        rows: the coordinates of a place in the order of the inputs, then the value.
        weight: of their mean square in the loss.
    """

    output: Short = "u"
    rows: Annotated[
        list[Annotated[list[Finite], Field(min_length=2, max_length=5)]], Field(min_length=1, max_length=5000)
    ]
    weight: float = Field(10.0, gt=0, allow_inf_nan=False)


class TypedArguments(_Part):
    """A whole equation.

    Attributes:
        inputs: interval by name, in the order of the coordinates.
        outputs: names of the unknown functions.
        constants: numbers by name, for all expressions.
        equations: inside.
        conditions: at the edge.
        data: values at places.
        solution: known solution by output, as expressions of the inputs; empty = there is none.
        circular: whether the network is periodic by itself, so that periodic conditions need no rows.
        sampler: how regions are filled.
        title: shown to readers.
    """

    inputs: Annotated[dict[Short, tuple[Finite, Finite]], Field(min_length=1, max_length=4)]
    outputs: Annotated[list[Short], Field(min_length=1, max_length=4)] = ["u"]
    constants: Annotated[dict[Short, Finite], Field(max_length=20)] = {}
    equations: Annotated[list[Inside], Field(min_length=1, max_length=8)]
    conditions: Annotated[list[Condition], Field(max_length=16)] = []
    data: Data | None = None
    solution: Annotated[dict[Short, Text], Field(max_length=4)] = {}
    circular: bool = False
    sampler: Method = "sobol"
    title: Annotated[str, Field(max_length=200)] = ""
