"""Runs made of plausible numbers, for tests of the pages that need no engine."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.results import Fields, LossPaths, Spectrum, Sweep
from lsr_core.refinement.summary import GaussNewtonStep, OneShot, Quantiles
from lsr_core.storage.records import Errors, Failure, ResidualNorms, Status, Summary, Worker
from lsr_core.storage.runs import Run, RunStore

DIGEST = {"sha256": "0" * 64, "bytes": 1}


def complete(
    store: RunStore,
    *,
    title: str = "sine2d, all ranks",
    owner: str = "cli",
    dimension: int = 2,
    outputs: int = 1,
    side: int = 100,
    max_rank: int = 1000,
    validation: bool = True,
    interpolated: bool = False,
    names: list[tuple[str, str]] | None = None,
    output_names: list[tuple[str, str]] | None = None,
    rank: int | None = None,
    fraction: float = 1.0,
    layers: str | None = None,
    seed: int = 0,
) -> Run:
    """A complete run in the style of sine2d: mean square error from 7.6e-6 at rank 0 to 1e-13 at the largest."""
    generator = np.random.default_rng(seed)
    config = RefineConfig(max_rank=max_rank, parameter_fraction=fraction, layers=layers)
    run = store.create(problem="sine2d", config=config, owner=owner, title=title)
    sweep = _sweep(max_rank, validation, interpolated)
    knee = max_rank // 3
    chosen = rank if rank is not None else int(np.nanargmin(sweep.val_mse)) if validation else max_rank
    ranks = _ladder(max_rank, chosen, knee)
    fields = _fields(generator, ranks, sweep, dimension, outputs, side)
    run.write_result(sweep)
    spectrum = Spectrum(40 * np.exp(-np.linspace(0, 22, max_rank + 20)), 1e-7)
    run.write_result(spectrum)
    run.write_result(fields)
    run.write_result(_paths(ranks, sweep))
    run.write_summary(_summary(run, sweep, chosen, knee, validation))
    write_problem(run.problem_path, dimension, outputs, names, output_names)
    run.write_status(Status(status="complete", fraction=1.0, heartbeat=time.time(), elapsed=21.0))
    return run


def physics(store: RunStore, *, stepped: bool = False, **shape: Any) -> Run:
    """A complete run of an equation: losses in place of data errors, three norms, a reference in place of test data.

    With `stepped` Gauss-Newton steps follow.
    """
    from .iterations import write_physics

    run = complete(store, title="poisson", names=[("x", ""), ("y", "")], output_names=[("u", "")], **shape)
    write_physics(run.problem_path)
    run.write_result(replace(run.fields, split="test"))
    none = np.full(run.sweep.max_rank + 1, np.nan)
    run.write_result(replace(run.sweep, train_relative_l2=none, val_relative_l2=none))
    summary, sweep = run.summary, run.sweep
    norms = ResidualNorms(
        base=4.1e-3, linear=2.3e-7, nonlinear=3.2e-7, fresh_base=5.4e-3, fresh_nonlinear=float(np.sqrt(sweep.val_mse[summary.rank]))
    )  # fmt: skip
    summary = summary.model_copy(update={"residual_norm": norms, "base_quantiles": None, "refined_quantiles": None})
    run.write_summary(_stepped(summary) if stepped else summary)
    return Run(run.path)


def unfinished(store: RunStore, status: str, *, owner: str = "cli", title: str = "", message: str = "") -> Run:
    """A queued, running, cancelled or failed run."""
    run = store.create(
        problem="sine2d", config=RefineConfig(max_rank=200, seed=7), owner=owner, title=title or f"a {status} run"
    )
    write_problem(run.problem_path, 2, 1, None, None)
    worker = Worker(host="elsewhere", pid=1, started=time.time()) if status == "running" else None
    error = Failure(message=message or "the worker stopped without a word") if status == "failed" else None
    run.write_status(
        Status(
            status=status, stage="sketching the Jacobian", fraction=0.4 if status != "queued" else 0.0, elapsed=3.0,
            remaining=4.5, heartbeat=time.time(), worker=worker, error=error,
        )  # type: ignore[arg-type]
    )  # fmt: skip
    run.append_log("started")
    return run


def write_problem(
    folder: Path,
    dimension: int,
    outputs: int,
    names: list[tuple[str, str]] | None,
    output_names: list[tuple[str, str]] | None,
) -> None:
    folder.mkdir(exist_ok=True)
    names = names or [(name, "m") for name in ("x", "y", "z", "w")[:dimension]]
    output_names = output_names or [(f"u{index + 1}" if outputs > 1 else "u", "m/s") for index in range(outputs)]
    description: dict[str, Any] = {
        "format_version": 1, "kind": "supervised", "name": "sine2d", "title": "Sine in two dimensions",
        "description": "A smooth function on the unit square, learnt by a small network.",
        "network": {"architecture": "mlp", "arguments": {"layers": [dimension, *[128] * 6, outputs], "activation": "tanh"}},
        "dtype": "float64", "seeds": {}, "training": {},
        "inputs": [{"name": name, "unit": unit} for name, unit in names],
        "outputs": [{"name": name, "unit": unit} for name, unit in output_names],
        "files": {"model.safetensors": DIGEST, "data.npz": DIGEST},
    }  # fmt: skip
    (folder / "problem.json").write_text(json.dumps(description), encoding="utf-8")


def _sweep(max_rank: int, validation: bool, interpolated: bool) -> Sweep:
    rank = np.arange(max_rank + 1)
    share = rank / max(1, max_rank)
    fall = 10 ** (np.log10(7.6e-6) + (np.log10(1e-13) - np.log10(7.6e-6)) * np.minimum(1, share * 1.15) ** 0.8)
    wiggle = 1 + 0.05 * np.sin(rank / 7)
    train, val, test = fall * 0.8 * wiggle, fall * 1.05 * wiggle, fall * wiggle
    val[-1] *= 1.01
    solved = np.ones(max_rank + 1, dtype=bool)
    if interpolated:
        solved[max_rank // 2 :] = (rank[max_rank // 2 :] % 20) == 0
        solved[-1] = True
    kappa = np.concatenate([[1.0], np.exp(np.linspace(0, 24, max_rank))])
    missing = np.full(max_rank + 1, np.nan)
    scale = np.sqrt(1 / 0.5)
    return Sweep(
        train_mse=train, val_mse=val if validation else missing, test_mse=test,
        train_relative_l2=np.sqrt(train) * scale, val_relative_l2=np.sqrt(val) * scale if validation else missing,
        test_relative_l2=np.sqrt(test) * scale, residual_norm=np.sqrt(train), condition_number=kappa,
        solved_condition_number=np.sqrt(kappa), condition_exact=solved.copy(),
        delta_norm=np.concatenate([[0.0], np.geomspace(1e-3, 3.0, max_rank)]),
        coefficient_norm=np.concatenate([[0.0], np.geomspace(1e-3, 3.0, max_rank)]), solved=solved,
    )  # fmt: skip


def _ladder(max_rank: int, chosen: int, knee: int) -> np.ndarray:
    return np.unique(np.concatenate([np.linspace(0, max_rank, min(48, max_rank + 1)).astype(int), [chosen, knee]]))


def _fields(
    generator: np.random.Generator, ranks: np.ndarray, sweep: Sweep, dimension: int, outputs: int, side: int
) -> Fields:
    if dimension == 2:
        line = np.linspace(0, 1, side)
        inputs = np.column_stack([np.tile(line, side), np.repeat(line, side)])
    elif dimension == 1:
        inputs = np.linspace(0, 1, side)[:, None]
    else:
        inputs = generator.random((side * 10, dimension))
    phase = inputs @ (2 * np.pi * np.arange(1, dimension + 1))
    targets = np.column_stack([np.sin(phase + index) for index in range(outputs)])
    shape = np.column_stack([np.cos(3.1 * phase + index) + 0.3 * np.sin(9 * inputs[:, 0]) for index in range(outputs)])
    network = targets + np.sqrt(sweep.test_mse[0]) * shape
    noise = generator.standard_normal((len(inputs), outputs))
    errors = [
        np.sqrt(sweep.test_mse[rank]) * (shape * np.exp(-rank / 300) + noise * (1 - np.exp(-rank / 300)))
        for rank in ranks
    ]
    stepped_points = np.arange(len(inputs))
    if dimension == 2:
        stepped_points = np.flatnonzero(
            (np.arange(len(inputs)) % side % 3 == 0) & (np.arange(len(inputs)) // side % 3 == 0)
        )
    reach = np.linspace(0, 1, len(ranks))[:, None, None]
    stepped = network[stepped_points] + reach * shape[stepped_points] * 2
    return Fields(
        ranks=ranks.astype(np.int64), inputs=inputs, targets=targets, network=network,
        refined_error=np.asarray(errors, dtype=np.float32), stepped_points=stepped_points.astype(np.int64),
        stepped=stepped.astype(np.float32), split="grid",
    )  # fmt: skip


def _paths(ranks: np.ndarray, sweep: Sweep) -> LossPaths:
    alpha = np.concatenate([[0.0], np.geomspace(1e-6, 2.0, 60), [1.0]])
    alpha = np.unique(alpha)
    final = sweep.train_mse[ranks][:, None]
    linearised = sweep.train_mse[0] * (1 - alpha) ** 2 + final * (2 * alpha - alpha**2).clip(0)
    nonlinear = linearised + (ranks[:, None] / ranks.max()) * 0.5 * alpha**4 + 1e-18
    near = [
        alpha[np.flatnonzero(np.abs(true - line) <= 0.1 * line)[-1]]
        for line, true in zip(linearised, nonlinear, strict=True)
    ]
    agreement = np.array([[0.0, float(reach)] for reach in near])
    return LossPaths(ranks.astype(np.int64), alpha, linearised, nonlinear, agreement, 8000)


def _stepped(summary: Summary) -> Summary:
    """The same as if four Gauss-Newton steps, the last of them refused, had followed one solve."""
    residuals = [3e-2, 4e-4, 2e-7, 2e-7]
    records = [
        GaussNewtonStep(
            step=step, rank=summary.rank, fitted_residual=residual, fresh_residual=2 * residual, relative_l2=residual / 5,
            step_norm=1.0, damping=1e-6 if step == 1 else 0.0, accepted=step < 3, seconds=1.5,
        )
        for step, residual in enumerate(residuals)
    ]  # fmt: skip
    norms = ResidualNorms(base=0.4, linear=1e-8, nonlinear=3e-2, fresh_base=0.5, fresh_nonlinear=6e-2)
    after = norms.model_copy(update={"nonlinear": 2e-7, "fresh_nonlinear": 4e-7})
    one_shot = OneShot(
        rank=summary.rank, rank_choice=summary.rank_choice, refined=summary.refined, residual_norm=norms, delta_norm=1.0
    )
    return summary.model_copy(update={"residual_norm": after, "one_shot": one_shot, "gauss_newton": records})


def _summary(run: Run, sweep: Sweep, chosen: int, knee: int, validation: bool) -> Summary:
    share = run.manifest.config.parameter_fraction * (0.2 if run.manifest.config.layers else 1.0)

    def at(rank: int) -> Errors:
        return Errors(
            train_mse=float(sweep.train_mse[rank]), val_mse=float(sweep.val_mse[rank]) if validation else None,
            test_mse=float(sweep.test_mse[rank]), test_relative_l2=float(sweep.test_relative_l2[rank]),
        )  # fmt: skip

    return Summary(
        problem="sine2d", n_params=round(share * 83_073), n_params_total=83_073, n_residuals=8000, dtype="float64", device="cpu", seed=0,
        max_rank=sweep.max_rank, rank=chosen, rank_choice="auto", knee=knee, base=at(0), refined=at(chosen),
        base_quantiles=Quantiles(median=2e-3, p90=4e-3, p99=6e-3, max=9e-3),
        refined_quantiles=Quantiles(median=2e-7, p90=4e-7, p99=6e-7, max=9e-7),
        condition_number=float(sweep.condition_number[chosen]), solved_condition_number=1e5, rcond=1.8e-12,
        delta_norm=float(sweep.delta_norm[chosen]), theta_norm=27.4,
        residual_norm=ResidualNorms(base=2.7e-3, linear=4e-7, nonlinear=4e-7), strategy="factored",
        strategy_reason="8,000 rows fit", sketch_error=1e-7, adjoint_error=1e-15, seconds=21.3, peak_rss_bytes=2_100_000_000,
        timings={"sketch": 9.0, "solve": 4.0}, notes=[],
    )  # fmt: skip
