"""`pieces`: several networks, each answering on its own part of one input; together one function."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from lsr_core.networks.architectures import Arguments, register
from lsr_core.networks.pinn import Finite, PinnMLP, PinnMLPArguments

OUTSIDE = 1e-9  # of the extent: rounding, not outside


class PiecesArguments(Arguments):
    """Arguments of `pieces`.

    Attributes:
        axis: position of the input that decides which network answers.
        edges: where the parts begin and end, rising, one more than there are networks.
        parts: arguments of a `pinn-mlp` each.
    """

    axis: int = Field(ge=0)
    edges: Annotated[list[Finite], Field(min_length=2, max_length=5001)]
    parts: Annotated[list[PinnMLPArguments], Field(min_length=1, max_length=5000)]

    @model_validator(mode="after")
    def _agree(self) -> PiecesArguments:
        if len(self.edges) != len(self.parts) + 1:
            raise ValueError(f"there are {len(self.parts)} parts and {len(self.edges)} edges; one more edge than parts")
        if not all(low < high for low, high in pairwise(self.edges)):
            raise ValueError("the edges do not rise")
        ends = {(part.layers[0], part.layers[-1]) for part in self.parts}
        if len(ends) > 1:
            raise ValueError("the parts differ in their inputs or outputs")
        if self.axis >= self.parts[0].layers[0]:
            raise ValueError(f"there is no input {self.axis}; the parts have {self.parts[0].layers[0]}")
        return self

    def parameter_count(self) -> int:
        return sum(part.parameter_count() for part in self.parts)


class Pieces(nn.Module):
    """Maps points (n, d) to (n, o): each point by the network of its part; an edge belongs to the later part.

    Every network is asked at all points, moved into its part where they lie outside, so that none is asked far from home. Outside all parts
    there is no answer: NaN.
    """

    def __init__(self, arguments: PiecesArguments) -> None:
        super().__init__()
        self.axis, self.edges = arguments.axis, list(arguments.edges)
        self.parts = nn.ModuleList(PinnMLP(part) for part in arguments.parts)

    def forward(self, inputs: Tensor) -> Tensor:
        along = inputs[:, self.axis : self.axis + 1]
        before, after = inputs[:, : self.axis], inputs[:, self.axis + 1 :]
        output: Tensor | None = None
        for place, ((low, high), part) in enumerate(zip(pairwise(self.edges), self.parts, strict=True)):
            here = part(torch.cat([before, along.clamp(low, high), after], dim=1))
            output = here if output is None else torch.where(along >= self.edges[place], here, output)
        assert output is not None
        slack = OUTSIDE * (self.edges[-1] - self.edges[0])
        known = (along >= self.edges[0] - slack) & (along <= self.edges[-1] + slack)
        return torch.where(known, output, torch.full_like(output, float("nan")))


@register("pieces", PiecesArguments)
def _pieces(arguments: PiecesArguments) -> nn.Module:
    return Pieces(arguments)
