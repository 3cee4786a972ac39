"""The convex race: every optimiser on the same linearised problem at θ0, whose minimum the direct solve knows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lsr_core.errors import InputError
from lsr_core.lab import krylov
from lsr_core.lab.coordinates import ReducedProblem
from lsr_core.lab.full_space import FullProblem, has_right_factor, right_factor
from lsr_core.lab.least_squares import Course
from lsr_core.lab.methods import METHODS, Effort, run_method
from lsr_core.lab.records import CoordinateName, MethodRecord, Precision, RaceRecord, Space
from lsr_core.lab.theory import bounds
from lsr_core.problems.problem import Problem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.kinds import build_basis, prepare
from lsr_core.refinement.progress import ProgressCallback, default_callback
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.solve import planned
from lsr_core.refinement.uses import refuse_unused

ROTATION = 7  # random stream
BASIS_SHARE = 0.08  # of the whole race
SUBSPACE_ITERATIONS, FULL_ITERATIONS = 5000, 50
FULL_RATES = (1e-5, 1e-4, 1e-3, 1e-2)
RITZ_STEPS = 20
OnRecord = Callable[[RaceRecord], None]


class RaceSettings(BaseModel):
    """What a race is besides a refinement's config."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: Space = Field("subspace", description="the subspace that LSR solves in, or all parameters")
    iterations: int | None = Field(
        None, ge=1, le=1_000_000, description="of every method; 5000, or 50 in the full space"
    )
    dtype: Literal["float64", "float32", "both"] = Field("both", description="precision in which the methods compute")

    @property
    def precisions(self) -> tuple[Precision, ...]:
        return ("float64", "float32") if self.dtype == "both" else (self.dtype,)


@dataclass(frozen=True)
class _Entry:
    """One start: a method in one precision and one choice of coordinates."""

    name: str
    precision: Precision
    coordinates: CoordinateName

    @property
    def share(self) -> float:
        return METHODS[self.name].share * (1.0 if self.coordinates == "original" else 0.2)


class _Track:
    """The courses of a space, and what is said of it."""

    def __init__(
        self, problem: Problem, config: RefineConfig, settings: RaceSettings, report: ProgressCallback
    ) -> None:
        self._reduced: ReducedProblem | None = None
        self._full: FullProblem | None = None
        self.notes: list[str] = []
        if settings.space == "subspace":
            setting = planned(problem, config)
            if setting.max_rank == 0:
                raise InputError("is 0; a race needs at least one direction", key="rank")
            _refuse_without_error(setting)
            basis = build_basis(setting, lambda done: report("basis", done * BASIS_SHARE))
            self._reduced = ReducedProblem(basis.train.factor.cpu(), setting.generator(ROTATION))
            self.rank = self._reduced.rank
        else:
            setting = prepare(problem, config.model_copy(update={"rank": "auto", "max_rank": 1}))
            _refuse_without_error(setting)
            self.rank = setting.function.n_params
            if has_right_factor(setting):
                self._reduced = ReducedProblem(right_factor(setting).cpu(), None)
            else:
                self._full = FullProblem(setting)
                self.notes += _full_notes(setting)
        if self._reduced is not None and self._reduced.n_unresolved:
            self.notes.append(_unresolved_note(self._reduced))
        self.setting = setting
        self.iterations = settings.iterations or (FULL_ITERATIONS if self._full else SUBSPACE_ITERATIONS)

    @property
    def base_loss(self) -> float:
        found = self._reduced or self._full
        assert found is not None
        return found.base_loss

    @property
    def floor(self) -> float | None:
        return self._reduced.floor if self._reduced is not None and self._reduced.floor > 0 else None

    @property
    def _can_whiten(self) -> bool:
        return self._reduced is not None and self._reduced.can_whiten

    @property
    def effort(self) -> Effort:
        if self._full is None:
            return Effort(self.iterations)
        return Effort(self.iterations, points=25, rates=FULL_RATES, histories=(100,))

    def entries(self, precisions: tuple[Precision, ...]) -> list[_Entry]:
        """The direct solve in float64 first: it says where the floor is."""
        if self._full is not None:
            names = [name for name, method in METHODS.items() if method.in_full]
            return [_Entry(name, precision, "original") for precision in precisions for name in names]
        places: list[CoordinateName] = ["original", *(["whitened"] if self._can_whiten else []), "singular"]  # type: ignore[list-item]
        return [
            _Entry(name, precision, place)
            for precision in precisions
            for place in places
            for name, method in METHODS.items()
            if place in method.coordinates
        ]

    def course(self, entry: _Entry) -> Course:
        if self._reduced is not None:
            return self._reduced.course(entry.coordinates, entry.precision)
        assert self._full is not None
        return self._full.course(entry.precision)

    def condition_numbers(self) -> dict[CoordinateName, float | None]:
        if self._reduced is not None:
            kappa = self._reduced.condition_number
            whitened = self._reduced.course("whitened", "float64").condition_number if self._can_whiten else None
            return {"original": kappa, "singular": kappa, "whitened": whitened}
        assert self._full is not None
        problem = self._full.course("float64").problem
        sizes = krylov.ritz_values(problem.operator, problem.errors, min(RITZ_STEPS, self.iterations))
        return {"original": float(sizes[0] / sizes[-1]) if sizes[-1] > 0 else None}


def race(
    problem: Problem,
    config: RefineConfig | None = None,
    settings: RaceSettings | None = None,
    *,
    progress: ProgressCallback | None = None,
    on_record: OnRecord | None = None,
) -> RaceRecord:
    """Run every method on min ‖f(θ0) + G V y‖² and record how far it gets.

    Args:
        problem: network and data, or equations.
        config: of the refinement whose subspace is raced in; `max_rank` is the dimension, and the precision is float64 throughout.
        settings: space, iterations, precisions of the methods.
        progress: called with (stage, fraction done); may raise `Cancelled` to stop.
        on_record: called with the race so far after each method, so that it can be kept.

    Raises:
        InputError: the problem or a setting cannot be used; a network without an error, where there is nothing to race for.
    """
    settings = settings or RaceSettings()
    config = config or RefineConfig()
    refuse_unused(config, "race-full" if settings.space == "full" else "race", problem.kind)
    report, keep = progress or default_callback(), on_record or (lambda record: None)
    started = time.perf_counter()
    report("preparing", 0.0)
    track = _Track(problem, config, settings, report)
    record = _begun(track, problem.name, settings.space, config.seed)
    keep(record)
    entries = track.entries(settings.precisions)
    total, before = sum(entry.share for entry in entries), 0.0
    for entry in entries:

        def on_fraction(done: float, entry: _Entry = entry, before: float = before) -> None:
            share = BASIS_SHARE + (1 - BASIS_SHARE) * (before + done * entry.share) / total
            report(f"{entry.name}, {entry.precision}, {entry.coordinates}", share)

        on_fraction(0.0)
        record.methods.append(_run(track, entry, on_fraction))
        record.seconds = time.perf_counter() - started
        before += entry.share
        keep(record)
    record.complete = True
    keep(record)
    return record


def _begun(track: _Track, problem: str, space: Space, seed: int) -> RaceRecord:
    """The record before any method has run."""
    kappas = track.condition_numbers()
    return RaceRecord(
        problem=problem,
        space=space,
        rank=track.rank,
        n_params=track.setting.function.n_params,
        n_residuals=track.setting.n_residuals,
        iterations=track.iterations,
        seed=seed,
        base_loss=track.base_loss,
        floor=track.floor,
        condition_number=kappas,
        bounds=[
            bound
            for name in ("original", "whitened")
            if (kappa := kappas.get(name)) is not None
            for bound in bounds(kappa, track.base_loss - (track.floor or 0.0), track.iterations, name)
        ],
        notes=track.notes,
    )


def _run(track: _Track, entry: _Entry, on_fraction: Callable[[float], None]) -> MethodRecord:
    return run_method(
        entry.name,
        track.course(entry),
        coordinates=entry.coordinates,
        precision=entry.precision,
        base_loss=track.base_loss,
        effort=track.effort,
        on_fraction=on_fraction,
    )


def _refuse_without_error(setting: Setting) -> None:
    if not float(setting.errors().norm()) > 0:
        raise InputError("the network has no error on its training rows, so there is nothing to lower", key="problem")


def _unresolved_note(reduced: ReducedProblem) -> str:
    note = f"{reduced.n_unresolved:,} directions have singular values below rounding and count to the floor"
    return note + ("." if reduced.can_whiten else "; without them there is no right triangular factor to whiten by.")


def _full_notes(setting: Setting) -> list[str]:
    m, n = setting.function.n_params, setting.n_residuals
    notes = ["The condition number is a lower bound: Ritz values after a few steps lie inside the spectrum."]
    if m > n:
        notes.insert(
            0,
            f"There are more parameters ({m:,}) than rows ({n:,}): the floor is rounding, so losses are relative to the base, and "
            "there is no right triangular factor to whiten by.",
        )
    else:
        notes.insert(
            0,
            f"Whitened coordinates are left out: the right triangular factor of G would be {m:,} × {m:,}; race in the subspace instead.",
        )
    return notes
