"""What a solve from scratch reports after every window that it tried."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lsr_core.refinement.unknowns import MeasuredFit, UnknownNumber

Kind = Literal["search", "whole", "window", "value"]


class SolveStep(BaseModel):
    """One attempt on a window, or on the whole.

    Attributes:
        index: from 0.
        kind: `search` for a choice of network, `whole` for all of the domain at once, `window` for a part of the time,
            `value` for one of the number that is followed.
        start, end: of the window; None for the whole.
        value: of the number that is followed; None where none is.
        newton_steps: Gauss-Newton steps taken.
        residual: √ Σ weight·mean(r²) of the delivered predictor at fitted points.
        fresh_residual: at points that the solve has not seen.
        relative_residual: at fresh points, over the sizes of the terms of the equation; what a window is kept or left by.
        block: whose relative residual that is.
        ending: how the steps ended.
        activation: of the network.
        scale: of its first layer, relative to that of the problem's own network.
        along: of the scale of the input that is taken window by window, relative to that of the others.
        rank: directions of the tangent space.
        kept: whether the window is part of the solution.
        seconds: that it took.
        note: in words, where there is something to say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int
    kind: Kind
    start: float | None = None
    end: float | None = None
    value: float | None = None
    newton_steps: int
    residual: float | None
    fresh_residual: float | None
    relative_residual: float | None
    block: str = ""
    ending: str
    activation: str
    scale: float
    along: float = 1.0
    rank: int
    kept: bool
    seconds: float
    note: str = ""


class SolveSummary(BaseModel):
    """What came of a solve.

    Attributes:
        solved: whether the predictor covers the domain with a residual that is small enough.
        sentence: the same in words, with the figures that it rests on.
        windows: networks that the predictor is made of.
        relative_residual: largest of all windows, at fresh points, over the sizes of the terms.
        relative_l2: error against the known solution; reported, never used.
        relative_l2_by_output: the same for each output.
        estimate: difference to the field of another seed, relative to the field; an estimate of the error, not a bound.
        reached: where the windows end, by the name of their input; None where there are none.
        seconds: of the whole solve.
        unknowns: numbers that were to be found, by name.
        measured: how measured values are met; None where there are none with an error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    solved: bool
    sentence: str
    windows: int
    relative_residual: float
    relative_l2: float | None
    relative_l2_by_output: list[float]
    estimate: float | None
    reached: dict[str, float] | None
    seconds: float
    unknowns: dict[str, UnknownNumber] = Field(default_factory=dict)
    measured: MeasuredFit | None = None
