"""Trainings beside iterative LSR, from the same weights and for the same seconds.

Plain PINN: Adam, then L-BFGS begun anew on new points whenever it has made its steps. Time stepping: the equation with the pseudo-time term
(u − U0)/Δτ, U0 the network itself as the last step left it (Cao & Zhang 2026, where Δτ = 0.3). Levenberg-Marquardt: damped Gauss-Newton steps on
the weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.iteration.alignment import HISTORY, LARGEST, PseudoTimeAlignment
from lsr_core.iteration.clock import Clock
from lsr_core.iteration.measures import fresh_residual
from lsr_core.iteration.records import BaselinePoint
from lsr_core.iteration.rounds import Rounds
from lsr_core.problems.residual import NormalEquations
from lsr_core.training.adam import adam
from lsr_core.training.lbfgs import lbfgs
from lsr_core.training.levenberg_marquardt import levenberg_marquardt
from lsr_core.training.objective import Draw, LeastSquares, Objective, PhysicsObjective
from lsr_core.training.records import Step, Training

NAMES = ("pinn", "time-stepping", "levenberg-marquardt")
ADAM_SHARE = 1 / 3  # of the seconds of the plain PINN
LBFGS_STEPS = 500  # before new points
PSEUDO_TIME = 0.3
PSEUDO_STEPS = 100  # L-BFGS steps in one step of pseudo time
LOOKS = 40  # measurements in the whole time, at about equal distances
UNIFORM = Draw(driven=0.0)

OnPoint = Callable[[BaselinePoint], None]
OnSeconds = Callable[[float], None]


class Baseline:
    """One training, looked at along the way.

    Args:
        name: one of `NAMES`.
        rounds: network at its start, points, and measures of errors.
        seconds: that it may take, measuring not counted.
        seed: of the points.
        on_point: told about each look.
        on_seconds: told often how many seconds are spent; may raise `Cancelled`.
    """

    def __init__(
        self,
        name: str,
        rounds: Rounds,
        *,
        seconds: float,
        seed: int,
        on_point: OnPoint,
        on_seconds: OnSeconds,
    ) -> None:
        self._name, self._problem, self._measures, self._limit = name, rounds.problem, rounds.measures, seconds
        self._generator = torch.Generator().manual_seed(seed)
        self._on_point, self._on_seconds = on_point, on_seconds
        self._function = rounds.function(rounds.start)
        self._looks = 0

    def run(self) -> str:
        """Train until the time is up; returns a sentence where it ended for another reason."""
        if self._name == "levenberg-marquardt" and len(self._function.theta0) > LARGEST:
            return (
                f"Levenberg-Marquardt was left out: its normal equations for {len(self._function.theta0):,} parameters are too large, "
                f"it is offered up to {LARGEST:,}."
            )
        self._clock = Clock()
        self._look("start", self._function.theta0)
        try:
            return {"pinn": self._pinn, "time-stepping": self._stepping, "levenberg-marquardt": self._damped}[
                self._name
            ]()
        except _TimeIsUp:
            return ""
        except InputError as error:
            return f"{self._name} ended early: {error.message}"

    def _pinn(self) -> str:
        watched = Watched(PhysicsObjective(self._problem, UNIFORM, function=self._function))
        theta = self._function.theta0
        try:
            adam(watched, theta, steps=10**9, on_step=self._follow(watched, "Adam", ADAM_SHARE))
        except _TimeIsUp:
            pass
        else:
            return "The plain PINN diverged under Adam."
        theta = watched.best
        while True:
            theta = self._searched(watched, theta, LBFGS_STEPS)
            watched.redraw(theta, self._generator)

    def _stepping(self) -> str:
        theta = self._function.theta0
        objective = PhysicsObjective(self._problem, UNIFORM, function=self._function)
        while True:
            problem, function = replace(self._problem, points=objective.points), self._function.moved(theta)
            watched = Watched(PseudoTimeAlignment(problem, function, function.outputs, PSEUDO_TIME))
            theta = self._searched(watched, theta, PSEUDO_STEPS)
            objective.redraw(theta, self._generator)

    def _damped(self) -> str:
        watched = WatchedLeastSquares(PhysicsObjective(self._problem, UNIFORM, function=self._function))
        theta = self._function.theta0
        while True:
            training = levenberg_marquardt(
                watched,
                theta,
                steps=10**6,
                generator=self._generator,
                on_step=self._follow(watched, "Levenberg-Marquardt"),
            )
            self._restart(training)
            theta = training.theta

    def _searched(self, watched: Watched, theta: Tensor, steps: int) -> Tensor:
        """Where so many steps of L-BFGS end."""
        training = lbfgs(watched, theta, steps=steps, history=HISTORY, on_step=self._follow(watched, "L-BFGS"))
        self._restart(training)
        return training.theta

    def _restart(self, training: Training) -> None:
        """Go on after an optimiser has ended; one that makes no steps any more is at its end."""
        if training.reason == "diverged" or not training.steps:
            raise InputError(training.sentence)
        self._on_seconds(self._clock.seconds)
        if self._clock.seconds >= self._limit:
            raise _TimeIsUp

    def _follow(self, watched: Watched, stage: str, share: float = 1.0) -> Callable[[Step], None]:
        def on_step(step: Step) -> None:
            spent = self._clock.seconds
            late = spent >= share * self._limit
            if late or spent >= self._looks * self._limit / LOOKS:
                self._look(stage, watched.best)
            self._on_seconds(spent)
            if late:
                raise _TimeIsUp

        return on_step

    def _look(self, stage: str, theta: Tensor) -> None:
        spent = self._clock.seconds
        self._looks = 1 + int(spent * LOOKS / self._limit)
        with self._clock.standing():
            residual = fresh_residual(self._problem, self._function.moved(theta))
            if not math.isfinite(residual):
                return
            test = self._measures.test
            seen = self._measures.of(None if test is None else self._function.outputs(test.inputs, theta))
            self._on_point(
                BaselinePoint(
                    name=self._name,
                    stage=stage,
                    seconds=spent,
                    fresh_residual=residual,
                    relative_l2=seen.relative_l2,
                )
            )


class _TimeIsUp(Exception):
    """Leaves an optimiser from its callback."""


class Watched:
    """An objective that remembers the weights of its smallest loss since the last draw of points, for looks along the way."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._best: Tensor | None = None
        self._lowest = math.inf

    @property
    def theta0(self) -> Tensor:
        return self._objective.theta0

    @property
    def best(self) -> Tensor:
        """The weights (m,); those at the start before there was a loss."""
        return self.theta0 if self._best is None else self._best

    def loss(self, theta: Tensor) -> Tensor:
        found = self._objective.loss(theta)
        value = float(found.detach())
        if value < self._lowest:
            self._best, self._lowest = theta.detach().clone(), value
        return found

    def redraw(self, theta: Tensor, generator: torch.Generator) -> None:
        self._objective.redraw(theta, generator)
        self._best, self._lowest = theta.detach().clone(), math.inf


class WatchedLeastSquares(Watched):
    """The same with normal equations."""

    def __init__(self, objective: LeastSquares) -> None:
        super().__init__(objective)
        self._squares = objective

    def normal_equations(self, theta: Tensor) -> NormalEquations:
        return self._squares.normal_equations(theta)
