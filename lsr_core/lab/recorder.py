"""What a race keeps of runs that go side by side: thinned curves, and when one has left all bounds."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from lsr_core.lab.least_squares import Course
from lsr_core.lab.records import Curve
from lsr_core.refinement.basis import OnFraction

LIMIT = 1e12  # times the loss at the start, from which a run has diverged; a first step of Adam may overshoot by 1e8 and come back
TICK_SECONDS = 0.2


def marks(iterations: int, count: int) -> frozenset[int]:
    """About `count` iterations from 0 to the last, in geometric progression."""
    spread = np.geomspace(1, max(1, iterations), max(2, count)).round().astype(int)
    return frozenset({0, iterations, *spread.tolist()})


class Recorder:
    """Curves of `width` runs in the columns of y.

    Args:
        iterations: at most.
        points: about how many to record.
        on_fraction: told how far the runs are; may raise `Cancelled`.
    """

    def __init__(self, course: Course, iterations: int, width: int, points: int, on_fraction: OnFraction) -> None:
        self.iterations = iterations
        self.width = width
        self.diverged_at: list[int | None] = [None] * width
        self.curves = [Curve() for _ in range(width)]
        self.finished = False
        self._course, self._on_fraction = course, on_fraction
        self._marks = marks(iterations, points)
        self._started = self._told = time.perf_counter()
        self._away = 0.0

    def tick(self, iteration: int) -> None:
        """Say now and then how far it is, so that progress moves and cancelling takes hold between records."""
        now = time.perf_counter()
        if now - self._told > TICK_SECONDS:
            self._told = now
            self._on_fraction(iteration / max(1, self.iterations))

    def due(self, iteration: int) -> bool:
        """Whether this iteration is recorded."""
        return iteration in self._marks

    def next_mark(self, iteration: int) -> int:
        """The first recorded iteration after this one."""
        return min((mark for mark in self._marks if mark > iteration), default=self.iterations)

    def lost(self, iteration: int, losses: Tensor) -> Tensor:
        """Note which runs have left all bounds by their own losses (width,) relative to the start; returns them as booleans."""
        lost = ~(losses <= LIMIT)
        if bool(lost.any()):
            for column in torch.nonzero(lost)[:, 0].tolist():
                self._end(column, iteration)
        return lost

    def record(self, iteration: int, y: Tensor, products: int) -> None:
        """Judge the columns of y (columns, width) in float64; the judging is not counted as time of the run."""
        paused = time.perf_counter()
        seconds = paused - self._started - self._away
        excess = self._course.excess(y).tolist()
        for column, (curve, value) in enumerate(zip(self.curves, excess, strict=True)):
            if self.diverged_at[column] is not None or (curve.iterations and curve.iterations[-1] == iteration):
                continue
            if not value <= LIMIT:
                self._end(column, iteration)
                continue
            curve.iterations.append(iteration)
            curve.excess.append(value)
            curve.losses.append(value + self._course.floor)
            curve.products.append(products)
            curve.seconds.append(seconds)
        alive = [value for value, end in zip(excess, self.diverged_at, strict=True) if end is None]
        self.finished = not alive or min(alive) <= self._course.enough
        self._on_fraction(iteration / max(1, self.iterations))
        self._away += time.perf_counter() - paused

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started - self._away

    def _end(self, column: int, iteration: int) -> None:
        if self.diverged_at[column] is None:
            self.diverged_at[column] = iteration
