"""What refining along a training leaves: plain values that go to JSON as they are, every number finite."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from lsr_core.refinement.summary import Verdict


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class CheckpointRecord(_Record):
    """LSR at one checkpoint; relative L2 errors on test data, of an equation against its reference.

    Attributes:
        epoch: complete passes over the training data.
        base_error: of the network.
        refined_error: of the refined predictor at the rank that validation data chose.
        condition_number: κ(G V) at that rank; None if it is not finite.
        modes: numbers, from 1, of the singular values that are kept, close at the beginning and far apart at the end.
        singular_values: σ_i of the Jacobian at these numbers.
        verdict: what limits the network at this moment of its training.
        seconds: of refinement and verdict.
    """

    epoch: int
    base_error: FiniteFloat | None
    refined_error: FiniteFloat | None
    rank: int
    max_rank: int
    condition_number: FiniteFloat | None
    modes: list[int]
    singular_values: list[FiniteFloat]
    verdict: Verdict
    seconds: FiniteFloat


class TrainingRecord(_Record):
    """The checkpoints so far, by epoch.

    Attributes:
        epochs: of all checkpoints that will be refined.
        sentence: whether more training helps LSR, from the checkpoints so far; empty before the second.
        complete: whether all are through.
    """

    problem: str
    n_params: int
    seed: int
    epochs: list[int]
    checkpoints: list[CheckpointRecord] = Field(default_factory=list)
    sentence: str = ""
    complete: bool = False
    seconds: FiniteFloat = 0.0
