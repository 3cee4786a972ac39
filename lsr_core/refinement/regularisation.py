"""How strong a penalty was, in the form in which it is stored and printed."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Regularisation(BaseModel):
    """How strong the penalty of a smoothed refinement is.

    Attributes:
        rule: that was asked for.
        used: the rule that chose; another where auto was asked for.
        value: λ over the largest singular value of G V, as `regularise` and `damping` take it; 0 = no penalty. Of an average over strengths the
            one that spends as many degrees of freedom.
        averaged: strengths like `value` and their weights, of sum 1; empty where one strength was taken.
        noise_by: how the noise was found, in words.
        optima: further local optima of the rule.
        stretch: what standard deviations were multiplied by; 1 = as the model has them.
        n_left_out: training samples that were left out in turn to see whether it gains; 0 where they cannot be.
    """

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")

    rule: str
    used: str
    value: float
    averaged: list[tuple[float, float]] = Field(default_factory=list)
    noise_by: str
    optima: list[float] = Field(default_factory=list)
    n_left_out: int = 0
    stretch: float = 1.0
