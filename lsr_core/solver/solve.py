"""An equation solved from scratch: all of it at once if that is possible, else window after window of its time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.typed.bare_edge import bare_edge
from lsr_core.solver.allowance import Allowance
from lsr_core.solver.attempt import Attempt, attempt, rank_of
from lsr_core.solver.config import SolveConfig
from lsr_core.solver.continuation import Path
from lsr_core.solver.forms import FORMS, best_form, best_in_time
from lsr_core.solver.found import said
from lsr_core.solver.march import March, Window
from lsr_core.solver.measuring import is_inverse
from lsr_core.solver.networks import NetworkForm, check_pattern, own_form, window_network
from lsr_core.solver.records import Kind, SolveStep
from lsr_core.solver.second import compared
from lsr_core.solver.solution import (
    JoinedSolution,
    Residuals,
    errors,
    joined,
    outcome,
    predictor_of,
    residuals,
)
from lsr_core.solver.windows import time_of

OnStep = Callable[[SolveStep], None]
SEARCH_RANK, SEARCH_STEPS = 300, 6  # with which the forms of a network are compared
UP = "the time is up"
SECOND_SEED = 101  # added to the seed, for the solve that an estimate of the error comes from


def solve(
    problem: PhysicsProblem,
    config: SolveConfig | None = None,
    *,
    on_step: OnStep = lambda step: None,
    tick: Callable[[], None] = lambda: None,
) -> JoinedSolution:
    """Solve an equation with networks that nobody trained, choosing all that is to be chosen by residuals.

    Args:
        problem: its network is the pattern for those that are made; its weights are not used.
        config: settings.
        on_step: told about every attempt as it ends.
        tick: called between Gauss-Newton steps; may raise to stop.

    Raises:
        InputError: no window at all could be kept; windows of a problem that has no time, or whose network meets conditions by its form.

    Reference: W. Cao, W. Zhang (2026), arXiv 2601.13989, for the tangent space.
    """
    given = config or SolveConfig()
    solving = Solving(problem, given, on_step, tick)
    return with_second(solving, solving.run())


def with_second(solving: Solving, found: JoinedSolution) -> JoinedSolution:
    """The solution with the difference to that of another seed, where the config asks for it and the time allows it."""
    config = solving.config
    if not config.second:
        return found
    again = solving.again(config.seed + SECOND_SEED)
    return compared(found, again.run, again.late, config.enough)


class Solving:
    """A solve under way.

    Args:
        problem: to be solved.
        config: settings.
        on_step: told about every attempt.
        tick: called between steps; may raise to stop.
        windows: that are there already, from an earlier solve that was stopped.

    Attributes:
        axis: the input that is taken window by window; None where there is none.
        noisy: whether values carry their noise.
        windows: that are kept so far.
    """

    def __init__(
        self,
        problem: PhysicsProblem,
        config: SolveConfig,
        on_step: OnStep,
        tick: Callable[[], None],
        windows: list[Window] | None = None,
    ) -> None:
        check_pattern(problem)
        self.path = None if config.along is None or config.begin is None else Path(problem, config.along, config.begin)
        self.problem, self.config, self.tick = problem, config, tick
        self.allowance = Allowance(tick, lambda: self.late())
        self._told, self.steps = on_step, list[SolveStep]()
        self.noisy = any(block.noise is not None for block in problem.blocks)
        whole = config.windows == "none" or is_inverse(problem) or self.path is not None
        if whole and config.windows not in ("auto", "none"):
            raise InputError(
                "is a number, but unknown numbers, measured values and a number that is followed belong to all of the time at once; "
                "leave it at auto",
                key="windows",
            )
        self.axis = None if whole else time_of(problem)
        if config.windows not in ("auto", "none") and self.axis is None:
            raise InputError("there is no input t or time at whose start alone conditions are given", key="windows")
        self.windows: list[Window] = list(windows or [])
        self._began = time.perf_counter()

    def again(self, seed: int) -> Solving:
        """The same from another seed, in the time that is left."""
        other = Solving(
            self.path.problem if self.path else self.problem,
            self.config.model_copy(update={"seed": seed}),
            self._told,
            self.tick,
        )
        other._began = self._began
        return other

    def run(self) -> JoinedSolution:
        """To the end, or as far as it goes.

        Raises:
            InputError: nothing was kept.
        """
        form = self._form(self.problem if self.path is None else self.path.at(self.path.begin))
        if self.path is not None and self.allowance.goes_on():
            return self._along(form, self.path)
        if self.axis is None:
            if self.allowance.goes_on():
                self._whole(form)
            return self.solution(UP if not self.windows or self.steps[-1].ending == "time" else "")
        march = March(self.problem, self.axis, self.config, form, self._add, self.allowance, self.windows)
        low, high = self.problem.domain[self.axis]
        count = self.config.windows if isinstance(self.config.windows, int) else 1
        length = (high - low) / count
        if self.windows:
            length = self.windows[-1].end - self.windows[-1].start
        return self.solution(march.run(length))

    def solution(self, stopped: str) -> JoinedSolution:
        """What there is, in one predictor.

        Raises:
            InputError: nothing was kept.
        """
        if not self.windows:
            raise InputError(f"nothing was solved: {stopped or 'no window was kept'}", key="windows")
        problem, delta = joined(self.problem, self.axis, self.windows)
        relative = max(window.relative for window in self.windows)
        good = stopped in ("", UP) and relative <= max(self.config.tolerance, self.config.enough)
        error, by_output = errors(problem, predictor_of(problem, delta))
        bare = bare_edge(self.problem) if error is None else ""
        many = f"{len(self.windows):,} windows of {self.axis}" if len(self.windows) > 1 else "one network"
        sentence = outcome(many, relative, self.config.enough, stopped=stopped, good=good, bare=bare)
        return JoinedSolution(
            problem=problem,
            delta=delta,
            steps=tuple(self.steps),
            windows=len(self.windows),
            relative_residual=relative,
            solved=good and not bare,
            sentence=" ".join([sentence, *said(self.windows[0].found)]),
            relative_l2=error,
            by_output=by_output,
            found=self.windows[0].found,
            residuals=Residuals(*(residuals(problem, self.axis, self.windows, moved=moved) for moved in (False, True))),
        )

    def _add(self, step: SolveStep) -> None:
        step = step.model_copy(update={"index": len(self.steps)})
        self.steps.append(step)
        self._told(step)

    def late(self) -> bool:
        """Whether the time that the config allows is up."""
        return self.config.seconds is not None and time.perf_counter() - self._began > self.config.seconds

    def _form(self, problem: PhysicsProblem) -> NetworkForm:
        """The form of the networks: that of the problem's own, or of the one with the smallest residual among several.

        On the whole, or on a first stretch of the time where no form comes near the whole.
        """
        own = own_form(problem)
        if not self.config.search or len(self.problem.domain) == 1 or self.windows:
            return own
        small = -math.inf if self.noisy else self.config.tolerance
        form, left = best_form(own, FORMS, lambda form: self._try(problem, form), small=small, late=self.late)
        if self.axis is None or left <= self.config.enough or self.late():
            return form
        return best_in_time(own, self._stretch, small=small, enough=self.config.enough, late=self.late)

    def _try(self, problem: PhysicsProblem, form: NetworkForm) -> float:
        """What a form is compared by on the whole, with a part of the directions."""
        made = self._at_once(problem, form, self._few, "search")
        return -made.evidence if math.isfinite(made.evidence) else made.relative

    def _stretch(self, form: NetworkForm, share: float) -> float:
        """The same on the first share of the time."""
        assert self.axis is not None
        march = March(self.problem, self.axis, self._few, form, self._add, self.allowance)
        low, high = self.problem.domain[self.axis]
        return march.trial(low, low + share * (high - low)).relative

    @property
    def _few(self) -> SolveConfig:
        rank = min(SEARCH_RANK, self.config.rank or SEARCH_RANK)
        return self.config.model_copy(update={"rank": rank, "steps": SEARCH_STEPS})

    def _whole(self, form: NetworkForm) -> None:
        made = self._at_once(self.problem, form, self.config, "whole")
        if math.isfinite(made.relative):
            self.windows.append(_alone(made))

    def _along(self, form: NetworkForm, path: Path) -> JoinedSolution:
        """Follow a number of the equation; what is solved on the way is kept as it is found."""

        def attempted(problem: PhysicsProblem, value: float, begin: Tensor | None) -> Attempt:
            at_end = value == path.end
            config = self.config if at_end else self.config.model_copy(update={"tolerance": self.config.enough})
            made = self._at_once(problem, form, config, "value", value=value, begin=begin)
            if made.relative <= self.config.enough:
                self.problem, self.windows = problem, [_alone(made)]
            return made

        reached = path.follow(attempted, self.config.enough, self.allowance.goes_on)
        self.problem, self.windows = reached.problem, [_alone(reached.attempt)]
        return self.solution(reached.stopped)

    def _at_once(
        self,
        problem: PhysicsProblem,
        form: NetworkForm,
        config: SolveConfig,
        kind: Kind,
        *,
        value: float | None = None,
        begin: Tensor | None = None,
    ) -> Attempt:
        """One network for all of a problem; a search leaves out what only the numbers of the chosen one need."""
        began = time.perf_counter()
        fields = len(problem.outputs) - len(problem.unknown)
        start = torch.zeros(fields, dtype=torch.float64)
        network = window_network(problem, dict(problem.domain), self.axis, form, start, config.seed)
        made = attempt(
            replace(problem, model=network.model, architecture=None, seed=config.seed),
            network,
            rank_of(config, len(network.silent), problem),
            config,
            self.allowance,
            weights=kind != "search",
            begin=begin,
        )
        good = made.relative <= config.enough if kind == "value" else math.isfinite(made.relative)
        self._add(
            SolveStep(
                index=0,
                kind=kind,
                value=value,
                activation=form.activation,
                scale=form.scale,
                along=form.along,
                kept=kind != "search" and good,
                seconds=time.perf_counter() - began,
                **made.figures(),
            )
        )
        return made


def _alone(made: Attempt) -> Window:
    """A solution that is one network."""
    return Window(0.0, 0.0, made.arguments, made.model, made.delta, made.relative, made.found)
