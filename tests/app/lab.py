"""Races, planes and isolations made of plausible numbers: the course of each method follows from κ by a formula."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from lsr_core.lab.records import (
    Contender,
    CoordinateName,
    Curve,
    IsolationRecord,
    MethodRecord,
    Precision,
    RaceRecord,
    SplitErrors,
    Trial,
)
from lsr_core.lab.theory import bounds
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.results import Directions, LossPlane
from lsr_core.storage.lab import write_experiment
from lsr_core.storage.planes import write_plane
from lsr_core.storage.records import Failure, JobKind, Status, Worker
from lsr_core.storage.runs import Run, RunStore

from .synthetic import write_problem

BASE, FLOOR, KAPPA, ITERATIONS = 1e-5, 1e-15, 1e9, 5000
WHITE = 1.0000001  # whose bounds fall to the smallest numbers that there are
METHODS = ("direct", "lsqr", "lsqr-reorthogonalised", "cgls", "lbfgs", "gradient-descent", "adam")
LOST_AT = 37  # iteration at which a setting leaves all bounds


def experiment(
    store: RunStore, kind: JobKind, status: str = "complete", *, owner: str = "cli", title: str = "", settings: Any = None
) -> Run:  # fmt: skip
    """A run of the lab for the problem of `synthetic.complete`, without a result."""
    run = store.create(
        problem="sine2d", config=RefineConfig(max_rank=40), owner=owner, title=title or f"sine2d, {kind}", kind=kind,
        settings=settings or {},
    )  # fmt: skip
    write_problem(run.problem_path, 2, 1, None, None)
    set_status(run, status)
    return run


def set_status(run: Run, status: str) -> None:
    worker = Worker(host="elsewhere", pid=1, started=time.time()) if status == "running" else None
    error = Failure(message="the problem cannot be read", file="data.npz") if status == "failed" else None
    run.write_status(
        Status(
            status=status, stage="lbfgs, float64, original", fraction=1.0 if status == "complete" else 0.4, elapsed=3.0, remaining=4.5,
            heartbeat=time.time(), worker=worker, error=error,
        )  # type: ignore[arg-type]
    )  # fmt: skip


def race(store: RunStore, status: str = "complete", *, methods: int | None = None, **of_run: Any) -> Run:
    """A race, or the first methods of one."""
    run = experiment(store, "race", status, **of_run)
    if methods != 0:
        write_experiment(run.path, race_record(methods))
    return run


def race_record(methods: int | None = None, *, floor: float | None = FLOOR) -> RaceRecord:
    """All methods in both precisions and both coordinates, or the first of them."""
    every = [
        method(name, precision, coordinates, floor)
        for precision in ("float64", "float32")
        for coordinates in ("original", "whitened")
        for name in METHODS
        if coordinates == "original" or name not in ("direct", "lsqr-reorthogonalised")
    ]
    return RaceRecord(
        problem="sine2d", space="subspace" if floor else "full", rank=40, n_params=83_073, n_residuals=8000, iterations=ITERATIONS, seed=0,
        base_loss=BASE, floor=floor, condition_number={"original": KAPPA, "singular": KAPPA, "whitened": WHITE if floor else None},
        methods=every[:methods], bounds=bounds(KAPPA, BASE, ITERATIONS, "original") + bounds(WHITE, BASE, ITERATIONS, "whitened"),
        complete=methods is None, seconds=61.0,
    )  # fmt: skip


def method(name: str, precision: Precision, coordinates: CoordinateName, floor: float | None = FLOOR) -> MethodRecord:
    """Fast where coordinates are whitened; a rate of gradient descent is lost on the way."""
    count = 1 if name == "direct" else 200 if coordinates == "whitened" else ITERATIONS
    iterations = np.unique(np.concatenate([[0], np.geomspace(1, count, 20).round()])).astype(int)
    fast = coordinates == "whitened" or name.endswith("reorthogonalised") or name == "direct"
    excess = BASE * np.exp(-(iterations / count) * (26.0 if fast else 3.0))
    losses = excess + (floor or 0.0)
    lost = name == "gradient-descent"
    sweep = [Trial(settings={"rate": 0.1}, best_loss=losses[-1])]
    if lost:
        sweep.append(Trial(settings={"rate": 3.0}, best_loss=BASE, diverged_at=LOST_AT))
    return MethodRecord(
        name=name, dtype=precision, coordinates=coordinates, best_loss=losses[-1], loss_above_floor=excess[-1],
        times_floor=losses[-1] / floor if floor else None, relative_loss=losses[-1] / BASE, iterations=count, products=2 * count,
        seconds=1.5, settings={"rate": 0.1}, diverged=False, sweep=sweep,
        curve=Curve(
            iterations=iterations.tolist(), losses=losses.tolist(), excess=excess.tolist(), products=(2 * iterations).tolist(),
            seconds=(iterations / count).tolist(),
        ),
    )  # fmt: skip


def diverged(found: MethodRecord) -> MethodRecord:
    """The same as if no setting had held."""
    start = Curve(iterations=[0], losses=[BASE], excess=[BASE], products=[0], seconds=[0.0])
    return found.model_copy(
        update={
            "diverged": True, "diverged_at": LOST_AT, "best_loss": BASE, "curve": start,
            "sweep": [Trial(settings={"rate": 0.1}, best_loss=BASE, diverged_at=LOST_AT)],
        }
    )  # fmt: skip


def plane(store: RunStore, source: Run, status: str = "complete", *, side: int = 33, **of_run: Any) -> Run:
    """A plane through the step of a run; far away the network has no finite loss."""
    run = experiment(store, "plane", status, settings={"direction": "gradient", "run": source.id}, **of_run)
    if side:
        write_plane(run.path, plane_of(side))
    return run


def plane_of(side: int = 33) -> LossPlane:
    alpha, beta = np.linspace(-0.5, 1.5, side), np.linspace(-1, 1, side)
    linear = BASE * ((1 - alpha) ** 2 + 1e-6 + 5 * beta[:, None] ** 2)
    bend = 1 + 20 * (alpha**2 + beta[:, None] ** 2) ** 2
    nonlinear = linear * bend
    nonlinear[-1, -1] = np.inf
    return LossPlane(alpha, beta, nonlinear, linear, BASE, 1.0, 0.1, 8000)


def isolation(store: RunStore, status: str = "complete", *, contenders: int | None = None, **of_run: Any) -> Run:
    """An isolation, or its first results."""
    run = experiment(store, "isolate", status, **of_run)
    if contenders != 0:
        write_experiment(run.path, isolation_record(contenders))
    return run


def isolation_record(contenders: int | None = None) -> IsolationRecord:
    errors = {
        "network": 2e-3, "jacobian-subspace": 4e-6, "last-layer": 9e-4, "random-subspace": 1.7e-3, "nonlinear-lbfgs": 1.1e-3,
        "nonlinear-lbfgs-whitened": 8e-4, "nonlinear-adam": 1.5e-3,
    }  # fmt: skip
    every = [
        Contender(
            name=name, dimension=40, linear=not name.startswith("nonlinear"), seconds=1.0,
            errors=SplitErrors(train=error / 2, validation=error, test=error),
            iterations=100 if name.startswith("nonlinear") else None,
        )
        for name, error in errors.items()
    ]  # fmt: skip
    return IsolationRecord(
        problem="sine2d", rank=40, n_params=83_073, n_residuals=8000, seed=0, contenders=every[:contenders],
        complete=contenders is None, seconds=21.0,
    )  # fmt: skip


def with_directions(run: Run, *, grid: bool = True) -> Run:
    """Slow directions are fine ones; the last is infinitely slow."""
    count = 12
    steps = np.geomspace(1, 1e12, count)
    steps[-1] = np.inf
    frequency = np.linspace(1, 30, count) if grid else np.full(count, np.nan)
    layers = np.full((count, 2), 0.5)
    found = Directions(
        index=np.arange(1, count + 1), singular_value=np.sqrt(1 / steps), share=np.geomspace(0.5, 1e-9, count), steps=steps,
        frequency=frequency, layers=layers, layer_names=np.array(["linears.0", "linears.6"]),
    )  # fmt: skip
    run.write_result(found)
    return run
