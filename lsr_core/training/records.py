"""What an optimiser reports: a record for each step, the weights it ended with, and why it stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from lsr_core.errors import InputError

Reason = Literal["steps", "deadline", "converged", "stalled", "diverged"]
GROWTH = 1e6  # times the first loss, from which a loss counts as lost


@dataclass(frozen=True)
class Step:
    """One step of an optimiser.

    Attributes:
        index: from 1.
        seconds: since the start.
        loss: after the step, on the points of that step.
        accepted: whether the weights moved.
        damping: of Levenberg-Marquardt, else 0.
        redrawn: whether the points are new since the step before, so that the losses of the two do not compare.
    """

    index: int
    seconds: float
    loss: float
    accepted: bool = True
    damping: float = 0.0
    redrawn: bool = False


OnStep = Callable[[Step], None]


@dataclass(frozen=True, eq=False)
class Training:
    """The end of a training.

    Attributes:
        theta: flat weights (m,).
        steps: one record each.
        reason: why it stopped.
        sentence: the same for readers.
    """

    theta: Tensor
    steps: list[Step]
    reason: Reason
    sentence: str

    @property
    def loss(self) -> float:
        """After the last step; NaN without one."""
        return self.steps[-1].loss if self.steps else math.nan


@dataclass
class Journal:
    """Collects records, tells the caller, and watches clock and loss.

    Attributes:
        on_step: told about each record; may raise `Cancelled`.
        seconds: the deadline, from the making of the journal; None = none.
        first: the loss at the start.
    """

    on_step: OnStep | None
    seconds: float | None
    first: float
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.seconds is not None and not self.seconds > 0:
            raise InputError(f"the deadline is {self.seconds} s; it must be positive", key="seconds")
        if not math.isfinite(self.first):
            raise InputError(
                "the loss is NaN or infinite before the first step; check the weights, the points and the equation",
                key="model",
            )
        self._start = time.perf_counter()

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self._start

    @property
    def late(self) -> bool:
        """Whether the deadline has passed."""
        return self.seconds is not None and self.elapsed >= self.seconds

    def add(self, loss: float, *, accepted: bool = True, damping: float = 0.0, redrawn: bool = False) -> Step:
        """Record a step."""
        step = Step(len(self.steps) + 1, self.elapsed, loss, accepted, damping, redrawn)
        self.steps.append(step)
        if self.on_step is not None:
            self.on_step(step)
        return step

    def lost(self, loss: float) -> bool:
        """Whether a loss has left what can be worked with."""
        return not (math.isfinite(loss) and loss <= GROWTH * max(self.first, 1e-30))

    def end(self, theta: Tensor, reason: Reason, what: str) -> Training:
        """The result.

        Args:
            what: name of the optimiser.
        """
        count, last = len(self.steps), self.steps[-1].loss if self.steps else self.first
        sentences: dict[Reason, str] = {
            "steps": f"{what}: {count} steps, loss {self.first:.2e} to {last:.2e}.",
            "deadline": f"{what}: stopped by the deadline of {self.seconds or 0:g} s after {count} steps, loss {last:.2e}.",
            "converged": f"{what}: nothing left to gain after {count} steps, loss {last:.2e}.",
            "stalled": f"{what}: no step lowers the loss any further; stopped after {count} steps at {last:.2e}.",
            "diverged": f"{what} diverged after {count} steps: the loss went from {self.first:.2e} to {last:.2e}; "
            "the best weights before that are kept. A smaller rate, or weights closer to the solution, would help.",
        }
        return Training(theta.detach().clone(), self.steps, reason, sentences[reason])
