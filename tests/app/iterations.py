"""Runs of iterative LSR made of plausible numbers: errors on a grid that shrink, their true spectra and bands."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np

from lsr_core.diagnosis.frequencies import axes_for, error_spectrum
from lsr_core.iteration.records import (
    BandPair,
    Bands,
    BaselinePoint,
    IterationStep,
    IterationSummary,
    Pair,
    SpectrumPair,
)
from lsr_core.problems.physics import equations
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.records import Failure, Status, Worker
from lsr_core.storage.runs import Run, RunStore
from lsr_core.storage.steps import FieldGrid, StepFields, StepStore

from .synthetic import DIGEST

DOMAIN = {"x": (0.0, 1.0), "y": (0.0, 1.0)}


def write_physics(folder: Path, equation: str = "poisson") -> None:
    """A description of an equation; weights and data are not there."""
    folder.mkdir(exist_ok=True)
    variables = equations.build(equation).domain
    description = {
        "format_version": 1, "kind": "physics", "name": equation, "title": "Poisson equation", "description": "A small network.",
        "network": {"architecture": "pinn-mlp", "arguments": {"layers": [2, 8, 1], "domain": {k: list(v) for k, v in variables.items()}}},
        "physics": {"equation": equation, "arguments": {}, "seed": 0}, "dtype": "float64", "seeds": {}, "training": {},
        "inputs": [{"name": name, "unit": ""} for name in variables], "outputs": [{"name": "u", "unit": ""}],
        "files": {"model.safetensors": DIGEST, "data.npz": DIGEST},
    }  # fmt: skip
    (folder / "problem.json").write_text(json.dumps(description), encoding="utf-8")


def create(store: RunStore, *, title: str = "poisson, iterative", owner: str = "cli", side: int = 33) -> Run:
    """A run that has just begun: running, with a grid and no step."""
    run = store.create(
        problem="poisson", config=RefineConfig(max_rank=40), owner=owner, title=title, kind="iterate",
        settings={"steps": 5, "seconds": 60.0},
    )  # fmt: skip
    write_physics(run.problem_path)
    axes = {name: np.linspace(low, high, side) for name, (low, high) in DOMAIN.items()}
    x, y = np.meshgrid(*axes.values(), indexing="ij")
    StepStore(run.path).write_grid(FieldGrid(axes, np.sin(np.pi * x) * np.sin(np.pi * y)))
    set_status(run, "running")
    return run


def set_status(run: Run, status: str, message: str = "") -> None:
    worker = Worker(host="elsewhere", pid=1, started=time.time()) if status == "running" else None
    error = Failure(message=message) if status == "failed" else None
    run.write_status(
        Status(status=status, stage="LSR", fraction=0.4, elapsed=3.0, remaining=4.5, heartbeat=time.time(), worker=worker, error=error)  # type: ignore[arg-type]
    )  # fmt: skip


def add_steps(run: Run, first: int, last: int, *, reference: bool = True) -> None:
    """Half steps `first` to `last`: a solve lowers the refined error, an alignment brings the network near it."""
    for index in range(first, last + 1):
        step, fields = step_of(run, index, reference=reference)
        StepStore(run.path).add(step, fields)


def step_of(run: Run, index: int, *, reference: bool = True) -> tuple[IterationStep, StepFields | None]:
    grid = StepStore(run.path).grid()
    assert grid is not None
    x, y = np.meshgrid(*grid.axes.values(), indexing="ij")
    draw = np.random.default_rng(5)
    waves = [(k, m, draw.standard_normal()) for k in range(1, 20) for m in range(1, 20)]
    shape = sum(
        a / (k * k + m * m) * np.sin(k * np.pi * x) * np.sin(m * np.pi * y) * np.exp(-0.01 * index * (20 - k))
        for k, m, a in waves
    )
    network = 0.3 * 10.0 ** (-(index // 2)) * shape
    solves = (index + 1) // 2
    refined = 0.3 * 10.0 ** (-1.5 * solves) * shape[::-1] if index else None
    kind = "start" if index == 0 else "lsr" if index % 2 else "align"
    residual = float(np.sqrt(np.mean((refined if kind == "lsr" else network) ** 2))) * 40
    step = IterationStep(
        index=index, round=solves, kind=kind, seconds=2.5 * index, residual=residual, fresh_residual=residual * 1.2
    )  # type: ignore[arg-type]  # fmt: skip
    if not reference:
        return step, None
    how = axes_for(DOMAIN, {}, ["x", "y"])
    spectra = {"network": error_spectrum(network, how)} | (
        {} if refined is None else {"refined": error_spectrum(refined, how)}
    )
    size = float(np.sqrt(np.mean(grid.truth**2)))
    errors = {"network": network} | ({} if refined is None else {"refined": refined})
    step = step.model_copy(
        update={
            "relative_l2": Pair(**{name: float(np.sqrt(np.mean(error**2))) / size for name, error in errors.items()}),
            "bands": BandPair(**{name: Bands.model_validate(found.bands) for name, found in spectra.items()}),
            "spectrum": SpectrumPair(**{name: found.energies.tolist() for name, found in spectra.items()}),
        }
    )
    return step, StepFields(network, refined)


def finish(run: Run, *, sentence: str = "LSR removed most of the low band; alignment removed little.") -> None:
    """Baselines, the summary, and the state complete."""
    steps = StepStore(run.path)
    for name, floor in (("pinn", 1e-2), ("time-stepping", 3e-3), ("levenberg-marquardt", 1e-4)):
        for count in range(1, 6):
            error = floor * 10.0 ** (1 - count / 5)
            steps.add_baseline(
                BaselinePoint(
                    name=name, stage="Adam", seconds=3.0 * count, fresh_residual=30 * error, relative_l2=error
                )
            )
    known = steps.steps()
    best = min((step for step in known if step.kind == "lsr"), key=lambda step: step.fresh_residual)
    steps.write_summary(
        IterationSummary(
            problem="poisson", best_index=best.index, best_relative_l2=best.relative_l2.refined,
            base_relative_l2=known[0].relative_l2.network, seconds=known[-1].seconds, total_seconds=4 * known[-1].seconds,
            stopped="steps", transform="sine along x: the error vanishes at both ends; sine along y: the error vanishes at both ends",
            sentence=sentence,
        )
    )  # fmt: skip
    set_status(run, "complete")


def complete(store: RunStore, *, steps: int = 6, owner: str = "cli", side: int = 33) -> Run:
    run = create(store, owner=owner, side=side)
    add_steps(run, 0, steps)
    finish(run)
    return run
