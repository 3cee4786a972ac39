"""What iterative LSR reports after every half step, and what the trainings beside it report."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

StepKind = Literal["start", "lsr", "align"]
Floats = NDArray[np.float64]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class Pair(_Record):
    """A figure of the network and of the refined field; the refined one is absent before the first solve, either without a reference."""

    network: float | None = None
    refined: float | None = None


class Bands(_Record):
    """Mean square of an error by frequency band; the bands are those of `lsr_core.diagnosis.frequencies`."""

    low: float
    middle: float
    high: float


class BandPair(_Record):
    """Bands of both errors."""

    network: Bands | None = None
    refined: Bands | None = None


class SpectrumPair(_Record):
    """Energy by radial frequency 0, 1, 2, … half waves, of both errors."""

    network: list[float] | None = None
    refined: list[float] | None = None


class IterationStep(_Record):
    """A half step.

    Attributes:
        index: 0 for the start, then counted over solves and alignments.
        round: 0 for the start, then one for each solve and the alignment after it.
        kind: start, lsr (a solve) or align (the network follows).
        seconds: spent on iterative LSR so far; the trainings beside it and the measuring of errors are not counted.
        residual: √ of the weighted loss at the points of this round, of the refined field after a solve, else of the network.
        fresh_residual: the same at the fresh points, which never change.
        relative_l2: errors against the reference, if there is one.
        bands: error energies by band.
        spectrum: error energies by frequency.
        note: a sentence, where there is something to say.
    """

    index: int
    round: int
    kind: StepKind
    seconds: float
    residual: float
    fresh_residual: float
    relative_l2: Pair = Field(default_factory=Pair)
    bands: BandPair = Field(default_factory=BandPair)
    spectrum: SpectrumPair = Field(default_factory=SpectrumPair)
    note: str = ""


class BaselinePoint(_Record):
    """One look at a training that runs beside iterative LSR.

    Attributes:
        name: pinn, time-stepping or levenberg-marquardt.
        stage: such as Adam or L-BFGS.
        seconds: spent on it so far.
        fresh_residual: √ of the loss at the fresh points.
        relative_l2: against the reference, if there is one.
    """

    name: str
    stage: str
    seconds: float
    fresh_residual: float
    relative_l2: float | None = None


class IterationSummary(_Record):
    """The figures of `lsr iterate --json`, beside steps and baselines.

    Attributes:
        problem: name.
        best_index: half step whose linear predictor is the result: smallest residual at the fresh points.
        best_relative_l2: its error, if there is a reference.
        base_relative_l2: error of the network that was loaded.
        seconds: of iterative LSR.
        total_seconds: with the baselines.
        stopped: why it ended: steps, seconds, stagnation, or asked.
        transform: how each axis was transformed for the spectra, in words; empty without a grid.
        sentence: what solves removed and what alignments removed, by band, from the figures of the steps.
        notes: such as an alignment that gained nothing or diverged.
    """

    problem: str
    best_index: int
    best_relative_l2: float | None = None
    base_relative_l2: float | None = None
    seconds: float
    total_seconds: float
    stopped: Literal["steps", "seconds", "stagnation", "asked"]
    transform: str = ""
    sentence: str = ""
    notes: list[str] = Field(default_factory=list)
