"""Where an iteration writes down what happens."""

from __future__ import annotations

from typing import Protocol

from lsr_core.iteration.records import BaselinePoint, Floats, IterationStep
from lsr_core.iteration.state import IterationState


class Book(Protocol):
    """Told everything that happens, so that a killed process loses half a step at most."""

    def grid(self, axes: dict[str, Floats], truth: Floats) -> None:
        """Where error fields are shown; once, before the first step."""
        ...

    def step(self, step: IterationStep, network: Floats | None, refined: Floats | None) -> None:
        """A half step with the errors of both fields on that grid."""
        ...

    def keep(self, state: IterationState) -> None:
        """Where the iteration stands; after the half step was told."""
        ...

    def baseline(self, point: BaselinePoint) -> None:
        """A look at a training beside it."""
        ...
