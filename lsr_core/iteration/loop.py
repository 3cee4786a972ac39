"""Iterative LSR: resample, solve, align, again (Cao & Zhang 2026, arXiv 2601.13989)."""

from __future__ import annotations

from dataclasses import replace

from lsr_core.errors import InputError, NumericalError
from lsr_core.iteration.alignment import align, refuse
from lsr_core.iteration.baselines import NAMES, Baseline
from lsr_core.iteration.book import Book
from lsr_core.iteration.clock import Clock
from lsr_core.iteration.config import IterateConfig
from lsr_core.iteration.measures import NOTHING, Seen, fitted_residual, fresh_residual
from lsr_core.iteration.records import (
    BandPair,
    IterationStep,
    Pair,
    SpectrumPair,
)
from lsr_core.iteration.rounds import Rounds
from lsr_core.iteration.solve import Solve, solve
from lsr_core.iteration.state import Best, IterationProgress, IterationState, Stopped
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.progress import ProgressCallback, silent
from lsr_core.refinement.uses import refuse_unused
from lsr_core.training.records import Step

PATIENCE = 3  # rounds in a row that gain less than a tenth before it counts as stagnation
GAIN = 0.9


class Iteration:
    """Iterative LSR of one problem, half step by half step.

    Args:
        problem: its network is where it begins; its fresh points choose, and never change.
        config: of the rounds.
        refine: of the solves.
        book: is told everything.
        state: to go on from; None = from the beginning.
        report: progress; may raise `Cancelled` to stop, and the book then has everything up to the last half step.

    Raises:
        InputError: an optimiser that the network is too large for.
    """

    def __init__(
        self,
        problem: PhysicsProblem,
        config: IterateConfig,
        refine: RefineConfig,
        book: Book,
        *,
        state: IterationState | None = None,
        report: ProgressCallback = silent,
    ) -> None:
        self._config, self._refine, self._book, self._report = config, refine, book, report
        self._rounds = Rounds(problem, config, refine)
        self.transform = self._rounds.measures.transform
        start = self._rounds.start
        refuse(config, len(start))
        refuse_unused(refine, "iterate", problem.kind)
        self.state = state or IterationState(start, IterationProgress())
        self._refined: Seen | None = None

    def run(self) -> None:
        """Rounds until one of the limits, then the trainings beside them."""
        if self.state.progress.round == 0:
            self._begin()
        self.state = self._reopened(self.state)
        self._clock = Clock(self.state.progress.seconds)
        while self.state.progress.stopped is None:
            if (reason := self._reason()) is not None:
                self._keep(self.state.counted(stopped=reason))
            elif self.state.progress.next == "lsr":
                self._solve()
            else:
                self._align()
        if self._config.baselines:
            self._train()

    def _reopened(self, state: IterationState) -> IterationState:
        """A finished iteration that is given more rounds or more time goes on."""
        progress = state.progress
        more = (progress.stopped == "steps" and progress.round < self._config.steps) or (
            progress.stopped == "seconds" and progress.seconds + progress.solve_seconds < self._config.seconds
        )
        return state.counted(stopped=None) if more else state

    def _reason(self) -> Stopped | None:
        """Why no further half step is begun."""
        progress, config = self.state.progress, self._config
        if progress.round == 0:
            return None
        if progress.next == "lsr" and progress.round >= config.steps:
            return "steps"
        if progress.idle >= PATIENCE:
            return "stagnation"
        return "seconds" if progress.seconds + self._reserve >= config.seconds else None

    @property
    def _reserve(self) -> float:
        """Seconds for the next solve: an alignment is of use if one follows, but the last one is for the network itself."""
        progress = self.state.progress
        return 0.0 if progress.next == "align" and progress.round >= self._config.steps else progress.solve_seconds

    def _begin(self) -> None:
        """The network as it came is half step 0."""
        if (kept := self._rounds.measures.thinned) is not None:
            self._book.grid(*kept)
        theta, problem = self.state.theta, self._rounds.problem
        function = self._rounds.function(theta)
        self._tell(
            IterationStep(
                index=0,
                round=0,
                kind="start",
                seconds=0.0,
                residual=fitted_residual(problem, function),
                fresh_residual=fresh_residual(problem, function),
            ),
            self._rounds.seen(theta),
            None,
        )

    def _solve(self) -> None:
        progress = self.state.progress
        number = progress.round + 1
        self._say(f"round {number}: solve", 0.0)
        began = self._clock.seconds
        problem = self._rounds.at(self.state.theta, number)
        try:
            found = solve(problem, self._refine, lambda done: self._say(f"round {number}: solve", 0.0))
        except (InputError, NumericalError) as error:
            if number == 1:
                raise
            note = f"Round {number}: the solve failed ({error}); what there was is kept."
            self._keep(self.state.counted(stopped="stagnation", notes=[*progress.notes, note]))
            return
        spent = self._clock.seconds
        with self._clock.standing():
            index = progress.index + 1
            network, refined = self._rounds.seen(self.state.theta), self._rounds.seen(self.state.theta, found.delta)
            best = progress.best is None or found.fresh_residual < progress.best.fresh_residual
            reference = progress.reference
            gained = reference is None or found.fresh_residual < GAIN * reference
            note = (
                ""
                if found.rank > 0
                else "No rank lowers the residual at fresh points: the refined field is that of the network."
            )
            state = self.state.counted(
                index=index,
                round=number,
                next="align",
                seconds=spent,
                total_seconds=progress.total_seconds + spent - began,
                solve_seconds=spent - began,
                idle=0 if gained else progress.idle + 1,
                reference=found.fresh_residual if gained else reference,
                best=_best(found, index, number, network, refined) if best else progress.best,
            )
            if best:
                state = replace(state, best_theta=self.state.theta, best_delta=found.delta)
                self._refined = refined
            step = IterationStep(
                index=index,
                round=number,
                kind="lsr",
                seconds=spent,
                residual=found.residual,
                fresh_residual=found.fresh_residual,
                note=note,
            )
            self._tell(step, network, refined)
            self._keep(state)

    def _align(self) -> None:
        progress = self.state.progress
        assert self.state.best_theta is not None
        assert self.state.best_delta is not None
        stage = f"round {progress.round}: alignment"
        began = self._clock.seconds
        problem = self._rounds.at(self.state.theta, progress.round)
        predictor = self._rounds.predictor(self.state.best_theta, self.state.best_delta)
        left = self._config.seconds - began - self._reserve

        def on_step(step: Step) -> None:
            self._say(stage, step.index / self._config.align_steps)

        self._say(stage, 0.0)
        found = align(
            problem,
            self._rounds.function(self.state.theta),
            predictor.predict,
            self._config,
            seconds=max(left, 1e-3),
            on_step=on_step,
        )
        spent = self._clock.seconds
        with self._clock.standing():
            index = progress.index + 1
            notes = [*progress.notes, f"Round {progress.round}: {found.note}"] if found.note else progress.notes
            state = replace(self.state, theta=found.theta).counted(
                index=index,
                next="lsr",
                seconds=spent,
                total_seconds=progress.total_seconds + spent - began,
                notes=notes,
            )
            if self._refined is None:  # after a resume
                self._refined = self._rounds.seen(self.state.best_theta, self.state.best_delta)
            function = self._rounds.function(found.theta)
            step = IterationStep(
                index=index,
                round=progress.round,
                kind="align",
                seconds=spent,
                residual=fitted_residual(problem, function),
                fresh_residual=fresh_residual(problem, function),
                note=found.note,
            )
            self._tell(step, self._rounds.seen(found.theta), self._refined)
            self._keep(state)

    def _train(self) -> None:
        """The trainings beside it, for the seconds that the rounds took."""
        for name in NAMES:
            progress = self.state.progress
            if name in progress.trained:
                continue
            seconds = min(self._config.seconds, progress.seconds)

            def on_seconds(spent: float, name: str = name, seconds: float = seconds) -> None:
                self._report(name, self._fraction(NAMES.index(name) + 1, spent / seconds))

            clock = Clock()
            note = Baseline(
                name,
                self._rounds,
                seconds=seconds,
                seed=self._refine.seed,
                on_point=self._book.baseline,
                on_seconds=on_seconds,
            ).run()
            self._keep(
                self.state.counted(
                    trained=[*progress.trained, name],
                    total_seconds=progress.total_seconds + clock.seconds,
                    notes=[*progress.notes, note] if note else progress.notes,
                )
            )

    def at_best(self, state: IterationState) -> PhysicsProblem | None:
        """The problem whose network the best predictor is linearised at, on the points that it was solved on."""
        best, theta = state.progress.best, state.best_theta
        return None if best is None or theta is None else self._rounds.at(theta, best.round)

    def _tell(self, step: IterationStep, network: Seen, refined: Seen | None) -> None:
        known = refined or NOTHING
        full = step.model_copy(
            update={
                "relative_l2": Pair(network=network.relative_l2, refined=known.relative_l2),
                "bands": BandPair(network=network.bands, refined=known.bands),
                "spectrum": SpectrumPair(network=network.energies, refined=known.energies),
            }
        )
        self._book.step(full, network.error, known.error)

    def _keep(self, state: IterationState) -> None:
        self.state = state
        self._book.keep(state)

    def _say(self, stage: str, part: float) -> None:
        progress, config = self.state.progress, self._config
        rounds = (progress.round + (0.5 * part if progress.next == "align" else 0.0)) / config.steps
        self._report(stage, self._fraction(0, max(rounds, self._clock.seconds / config.seconds)))

    def _fraction(self, position: int, part: float) -> float:
        parts = 1 + len(NAMES) if self._config.baselines else 1
        return (position + min(part, 1.0)) / parts


def _best(found: Solve, index: int, number: int, network: Seen, refined: Seen) -> Best:
    return Best(
        index=index,
        round=number,
        rank=found.rank,
        fresh_residual=found.fresh_residual,
        residual=found.norms,
        base_relative_l2=network.relative_l2,
        relative_l2=refined.relative_l2,
        notes=list(found.setting.notes),
        **found.method.model_dump(),
    )
