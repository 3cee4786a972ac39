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
from lsr_core.solver.found import said
from lsr_core.solver.march import March, Window
from lsr_core.solver.measuring import is_inverse
from lsr_core.solver.networks import NetworkForm, check_pattern, own_form, window_network
from lsr_core.solver.records import Kind, SolveStep
from lsr_core.solver.solution import JoinedSolution, Residuals, difference, errors, joined, predictor_of, residuals
from lsr_core.solver.windows import time_of

FORMS = (NetworkForm("sin", 1.0), NetworkForm("tanh", 2.0), NetworkForm("sin", 0.5), NetworkForm("sin", 2.0))
OnStep = Callable[[SolveStep], None]
SEARCH_RANK = 300  # directions with which the forms of a network are compared
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
    try:
        other = again.run()
    except InputError as error:
        return _without_second(found, str(error), late=again.late())
    if (found.problem.domain, found.problem.arguments) != (other.problem.domain, other.problem.arguments):
        return _without_second(found, other.sentence, late=again.late())
    apart = difference(found, other)
    better = " It had the smaller residual, and is kept." if other.relative_residual < found.relative_residual else ""
    if better:
        found = replace(other, steps=(*found.steps, *other.steps))
    agrees = apart <= config.enough
    words = f" A second solve from another seed differs by {apart:.1e} of the field: an estimate of the error, not a bound.{better}"
    if agrees:
        return replace(found, estimate=apart, sentence=found.sentence + words)
    said = found.sentence.replace("Solved with", "Not shown to be solved, with", 1).removesuffix(
        " Do not rely on the field."
    )
    doubt = " The two disagree: the equation has several solutions, or is not solved. Do not rely on the field."
    return replace(found, estimate=apart, solved=False, sentence=said + words + doubt)


def _without_second(found: JoinedSolution, reason: str, *, late: bool) -> JoinedSolution:
    """The solution where another seed did not get as far: no doubt where the time was up, else a failure."""
    if late:
        words = " The time was up before a second solve had ended, so there is no estimate of the error."
        return replace(found, sentence=found.sentence + words)
    words = f" A second solve from another seed failed ({reason}). Do not rely on the field."
    return replace(found, solved=False, sentence=found.sentence + words)


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
        return JoinedSolution(
            problem=problem,
            delta=delta,
            steps=tuple(self.steps),
            windows=len(self.windows),
            relative_residual=relative,
            solved=good and not bare,
            sentence=" ".join([self._sentence(stopped, relative, good, bare), *said(self.windows[0].found)]),
            relative_l2=error,
            by_output=by_output,
            found=self.windows[0].found,
            residuals=Residuals(*(residuals(problem, self.axis, self.windows, moved=moved) for moved in (False, True))),
        )

    def _sentence(self, stopped: str, relative: float, good: bool, bare: str) -> str:
        many = f"{len(self.windows):,} windows of {self.axis}" if len(self.windows) > 1 else "one network"
        worst = f"at fresh points the residual is at most {relative:.1e} of the terms of the equation"
        if bare:
            return f"Not shown to be solved: {bare}, so that other fields satisfy what is written as well. With {many}, {worst}."
        if good:
            return f"Solved with {many}: {worst}."
        if stopped:
            return f"Not solved to the end: {stopped}. What is there, {many}, is kept; {worst}."
        return f"Not solved: {worst}, more than {self.config.enough:.0e}. Do not rely on the field."

    def _add(self, step: SolveStep) -> None:
        step = step.model_copy(update={"index": len(self.steps)})
        self.steps.append(step)
        self._told(step)

    def late(self) -> bool:
        """Whether the time that the config allows is up."""
        return self.config.seconds is not None and time.perf_counter() - self._began > self.config.seconds

    def _form(self, problem: PhysicsProblem) -> NetworkForm:
        """The form of the networks: that of the problem's own, or of the one with the smallest residual among several."""
        own = own_form(problem)
        if not self.config.search or len(self.problem.domain) == 1 or self.windows:
            return own
        tried = {own: self._try(problem, own)}
        for form in FORMS:
            if (not self.noisy and min(tried.values()) <= self.config.tolerance) or self.late():
                break
            if form not in tried:
                tried[form] = self._try(problem, form)
        return min(tried, key=lambda form: tried[form])

    def _try(self, problem: PhysicsProblem, form: NetworkForm) -> float:
        """What a form is compared by on the whole, with a part of the directions."""
        few = self.config.model_copy(update={"rank": min(SEARCH_RANK, self.config.rank or SEARCH_RANK), "steps": 6})
        made = self._at_once(problem, form, few, "search")
        return -made.evidence if math.isfinite(made.evidence) else made.relative

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
        network = window_network(problem, dict(problem.domain), form, start, config.seed)
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
                kept=kind != "search" and good,
                seconds=time.perf_counter() - began,
                **made.figures(),
            )
        )
        return made


def _alone(made: Attempt) -> Window:
    """A solution that is one network."""
    return Window(0.0, 0.0, made.arguments, made.model, made.delta, made.relative, made.found)
