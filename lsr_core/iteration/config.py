"""What iterative LSR is asked to do, beside the settings of its refinements."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

AlignMode = Literal["supervised", "pseudo-time"]
Optimiser = Literal["auto", "lbfgs", "adam", "adam-lbfgs", "levenberg-marquardt"]


class IterateConfig(BaseModel):
    """Settings of iterative LSR; those of its solves, the seed among them, are a `RefineConfig`.

    Attributes:
        steps: rounds, each a direct solve and the alignment of the network after it.
        seconds: what the rounds may take, and each training beside them; measuring is not counted.
        align: how the network follows: supervised = it is fitted to the values of the refined field U0; pseudo-time = to the equation with the
            term (u − U0)/Δτ added to it (Cao & Zhang 2026).
        pseudo_time: Δτ; the smaller, the closer the network is held to U0.
        optimiser: of alignments; adam-lbfgs spends a third of the steps on Adam; levenberg-marquardt is for the supervised fit of small networks, and
            auto takes it there and L-BFGS elsewhere.
        align_steps: at most, in one alignment; one of Levenberg-Marquardt counts as twenty.
        learning_rate: of Adam in alignments.
        resample: draw new points in every round.
        baselines: train a plain PINN, one by pseudo time, and one by Levenberg-Marquardt beside it, for the same seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(20, ge=1, le=1000)
    seconds: float = Field(300.0, gt=0, le=30 * 86_400, allow_inf_nan=False)
    align: AlignMode = "supervised"
    pseudo_time: float = Field(1e-3, gt=0, allow_inf_nan=False)
    optimiser: Optimiser = "auto"
    align_steps: int = Field(500, ge=1, le=1_000_000)
    learning_rate: float = Field(1e-3, gt=0, allow_inf_nan=False)
    resample: bool = True
    baselines: bool = True

    @model_validator(mode="after")
    def _agree(self) -> IterateConfig:
        if self.align == "pseudo-time" and self.optimiser == "levenberg-marquardt":
            raise ValueError(
                "Levenberg-Marquardt aligns to values only; take lbfgs for pseudo time, or align supervised"
            )
        return self
