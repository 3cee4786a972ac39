"""A typed equation as JSON values, bounded in every length; what the texts mean is checked when the equation is built."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lsr_core.networks.pinn import Finite
from lsr_core.problems.physics.samplers import Method

MAX_POINTS = 1_000_000  # of one block
MANY = 64  # inputs, outputs, equations or conditions; memory ends sooner
Text = Annotated[str, Field(max_length=500)]
Short = Annotated[str, Field(max_length=40)]
Place = Annotated[str, Field(max_length=300)]
BlockName = Annotated[str, Field(max_length=40, pattern=r"^([A-Za-z][A-Za-z0-9 -]*)?$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Inside(_Part):
    """An equation that holds inside the domain, or in a part of it.

    Attributes:
        equation: `left = right`, or the residual that should vanish.
        where: the part, such as `y < 0.5` or `inside core`; empty = everywhere.
        points: how many are drawn.
        weight: of its mean square in the loss.
        name: shown to readers; empty = by its kind.
    """

    equation: Text
    points: int = Field(2000, strict=True, ge=1, le=MAX_POINTS)
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)
    name: BlockName = ""
    where: Place = ""


class Condition(_Part):
    """A condition at the edge of the domain, at a place inside it, or on the whole of it.

    Attributes:
        where: faces such as `x = 0` or `x = 0, x = 1`; `boundary` for all of them; a named shape for the part of the boundary that it makes;
            `x periodic` for both ends of x at once; places inside such as `x = 0.3` or `x = 0 and y = 0`; parts by `and y > 0.5`.
        equation: as inside; for a periodic condition what is equal at both ends, such as `u, u_x`.
        points: how many are drawn, or pairs of them.
        weight: of its mean square in the loss.
        name: shown to readers; empty = by its kind.
    """

    where: Place
    equation: Text
    points: int = Field(400, strict=True, ge=1, le=MAX_POINTS)
    weight: float = Field(10.0, gt=0, allow_inf_nan=False)
    name: BlockName = ""


Rows = Annotated[
    list[Annotated[list[Finite], Field(min_length=2, max_length=MANY + 1)]], Field(min_length=1, max_length=50_000)
]


class Data(_Part):
    """Values that were measured, or are known otherwise.

    Attributes:
        output: which one they belong to.
        rows: the coordinates of a place in the order of the inputs, then the value.
        weight: of their mean square in the loss; 10 if neither it nor the noise is given.
        noise: standard deviation of each value, which says what the values weigh.
    """

    output: Short = "u"
    rows: Rows
    weight: float | None = Field(None, gt=0, allow_inf_nan=False)
    noise: float | None = Field(None, gt=0, allow_inf_nan=False)


class CoefficientData(_Part):
    """A coefficient or a forcing that is known by its values: on a grid, or at scattered places.

    Attributes:
        inputs: which it depends on.
        grid: rising coordinates along each of them, from end to end.
        values: on the grid, the last input fastest.
        rows: instead of both, places with the value behind the coordinates.
        interpolation: between them. Linear between scattered places is linear on the triangles of Delaunay.
    """

    inputs: Annotated[list[Short], Field(min_length=1, max_length=3)]
    grid: Annotated[list[Annotated[list[Finite], Field(max_length=10_000)]], Field(max_length=3)] | None = None
    values: Annotated[list[Finite], Field(max_length=1_000_000)] | None = None
    rows: Rows | None = None
    interpolation: Literal["linear", "cubic", "nearest"] = "linear"


class TypedArguments(_Part):
    """A whole equation.

    Attributes:
        inputs: interval by name, in the order of the coordinates.
        outputs: names of the unknown functions.
        unknown: numbers that are to be found, by name, with the values that they start from.
        constants: numbers by name, for all expressions.
        coefficients: functions of the inputs that are known by data, by name.
        shapes: by name, such as `disk(0.5, 0.5, 0.2)`; of the inputs that are no time, in their order.
        domain: made of shapes, such as `box - hole`, where `box` is that of the inputs; empty = the box.
        equations: inside.
        conditions: at the edge.
        data: values at places, of one output or of several.
        solution: known solution by output, as expressions of the inputs; empty = there is none.
        circular: whether the network is periodic by itself, so that periodic conditions need no rows.
        sampler: how regions are filled.
        title: shown to readers.
    """

    inputs: Annotated[dict[Short, tuple[Finite, Finite]], Field(min_length=1, max_length=MANY)]
    outputs: Annotated[list[Short], Field(min_length=1, max_length=MANY)] = ["u"]
    unknown: Annotated[dict[Short, Finite], Field(max_length=MANY)] = {}
    constants: Annotated[dict[Short, Finite], Field(max_length=MANY)] = {}
    coefficients: Annotated[dict[Short, CoefficientData], Field(max_length=MANY)] = {}
    shapes: Annotated[dict[Short, Annotated[str, Field(max_length=4000)]], Field(max_length=MANY)] = {}
    domain: Annotated[str, Field(max_length=4000)] = ""
    equations: Annotated[list[Inside], Field(min_length=1, max_length=MANY)]
    conditions: Annotated[list[Condition], Field(max_length=MANY)] = []
    data: Data | Annotated[list[Data], Field(max_length=MANY)] | None = None
    solution: Annotated[dict[Short, Text], Field(max_length=MANY)] = {}
    circular: bool = False
    sampler: Method = "sobol"
    title: Annotated[str, Field(max_length=200)] = ""

    @property
    def measured(self) -> list[Data]:
        """The data, one entry for each output that has some."""
        return self.data if isinstance(self.data, list) else [self.data] if self.data is not None else []
