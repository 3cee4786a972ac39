"""What a solve from scratch is asked to do: one frozen, validated value that travels with every run."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SolveConfig(BaseModel):
    """Settings of a solve from scratch; the defaults are chosen by the problem and by residuals alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows: Literal["auto", "none"] | int = Field(
        "auto",
        description="windows of time with a network each: as many as the residual asks for (auto), none, or a number of equal ones to begin with",
    )
    tolerance: float = Field(
        1e-9,
        gt=0,
        lt=1,
        description="residual at fresh points, relative to the terms of the equation, from which a window counts as solved",
    )
    enough: float = Field(
        1e-3,
        gt=0,
        lt=1,
        description="the same, up to which a window is kept whose residual no longer falls as the window shrinks",
    )
    search: bool = Field(
        True, description="try activations and first-layer scales on the first window, by the residual at fresh points"
    )
    steps: int = Field(25, ge=1, le=500, description="Gauss-Newton steps in one window, at most")
    rank: int | None = Field(
        None,
        ge=1,
        description="directions of a window's tangent space; all of its parameters up to 600, else 600, if not given",
    )
    most_windows: int = Field(2000, ge=1, le=5000, description="windows, at most")
    seconds: float | None = Field(None, gt=0, description="time after which no further step is taken")
    along: str | None = Field(
        None,
        description="a number of the equation that is followed from `begin`, where it is easier, to its own value, each solve from the field before",
    )
    begin: float | None = Field(None, allow_inf_nan=False, description="value from which that number is followed")
    second: bool = Field(
        False, description="solve once more from another seed and report the difference as an estimate of the error"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="seed of weights, points and sketches")

    @model_validator(mode="after")
    def _followed(self) -> Self:
        if (self.along is None) != (self.begin is None):
            raise ValueError("along and begin belong together: which number is followed, and the value it begins with")
        return self
