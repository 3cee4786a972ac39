"""The figures of a batch of cases, in the form in which they are stored and printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class Distribution(_Record):
    """Of relative L2 errors, one for each input function; None before there is any."""

    mean: float | None = None
    median: float | None = None
    p90: float | None = None
    max: float | None = None

    @classmethod
    def of(cls, errors: Sequence[float]) -> Distribution:
        """Of finite errors."""
        if not errors:
            return cls()
        median, p90, largest = np.quantile(errors, [0.5, 0.9, 1.0]).tolist()
        return cls(mean=float(np.mean(errors)), median=median, p90=p90, max=largest)


class CaseRecord(_Record):
    """One input function.

    Attributes:
        case: its number among the test functions.
        base: relative L2 error of the network's field against the solution.
        refined: of the refined field.
        base_residual: √(Σ weight·mean(r²)) of the network's field at the fitted points.
        residual: of the refined field; the true one, not the linear model's.
        steps: Gauss-Newton steps taken.
        seconds: of this function, without what all share.
    """

    case: int
    base: float
    refined: float
    base_residual: float
    residual: float
    steps: int
    seconds: float


@dataclass(frozen=True, eq=False)
class CaseFields:
    """What one input function and its solutions look like, in single precision; a refined field is kept as its error, which keeps its digits.

    Attributes:
        axis: places of the sensors, (s,).
        given: the input function there, (s,).
        points: of the fields, (n, d).
        truth: the solution, (n,).
        network: field of the network, (n,).
        refined_error: refined field minus the solution, (n,).
    """

    axis: NDArray[np.float32]
    given: NDArray[np.float32]
    points: NDArray[np.float32]
    truth: NDArray[np.float32]
    network: NDArray[np.float32]
    refined_error: NDArray[np.float32]


class CasesRecord(_Record):
    """A batch: what all share, the distribution of errors, and the cases one by one.

    Attributes:
        ranks_tried: residual at fresh points of validation functions, by rank.
        shared_seconds: what was computed once for all functions, the choice of the rank included.
    """

    problem: str
    equation: str
    n_params: int
    n_residuals: int
    seed: int
    max_rank: int
    rank: int
    rank_choice: str
    ranks_tried: list[tuple[int, float]]
    n_cases: int
    base: Distribution = Field(default_factory=Distribution)
    refined: Distribution = Field(default_factory=Distribution)
    shared_seconds: float
    seconds_per_case: float = 0.0
    seconds: float = 0.0
    cases: list[CaseRecord] = Field(default_factory=list)

    def so_far(self, seconds: float) -> CasesRecord:
        """With the figures of the cases that there are, after so many seconds."""
        return self.model_copy(
            update={
                "base": Distribution.of([case.base for case in self.cases]),
                "refined": Distribution.of([case.refined for case in self.cases]),
                "seconds_per_case": float(np.mean([case.seconds for case in self.cases])) if self.cases else 0.0,
                "seconds": seconds,
                "cases": list(self.cases),
            }
        )
