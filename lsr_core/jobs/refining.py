"""The job "refine": one-shot LSR with everything that the pages show of it."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from lsr_core.errors import InputError
from lsr_core.jobs import watch
from lsr_core.jobs.team import Team, together
from lsr_core.refinement.progress import ProgressCallback
from lsr_core.storage.runs import Run

if TYPE_CHECKING:
    from torch import Tensor

    from lsr_core.problems.problem import Problem
    from lsr_core.refinement.refined import Refinement
    from lsr_core.refinement.summary import Summary

REFINE_SHARE = 0.85  # of the whole job; the rest are loss paths, the verdict and writing
VERDICT_AT = 0.92


def work(run: Run, report: ProgressCallback) -> None:
    """Refine, draw the loss paths, write the results."""
    started = time.perf_counter()
    with together(run) as team:
        refinement = _refined(run, team, report)
    summary = keep(run, refinement, report)
    run.write_summary(summary.model_copy(update={"seconds": time.perf_counter() - started}))
    run.append_log(f"test error {summary.base.test_mse} -> {summary.refined.test_mse} at rank {summary.rank}")


def _refined(run: Run, team: Team, report: ProgressCallback) -> Refinement:
    from lsr_core.refinement.refine import refine
    from lsr_core.storage.bundles import load_problem

    config = run.manifest.config
    problem = load_problem(run.problem_path)
    size = check_room(run, problem)
    run.write_manifest(run.manifest.model_copy(update={"forecast_bytes": size}))
    run.append_log(f"{problem.name}: {config.model_dump_json()}")
    stages: list[str] = []

    def on_refine(stage: str, fraction: float) -> None:
        if stage not in stages:
            stages.append(stage)
            run.append_log(stage)
        team.check()
        report(stage, fraction * REFINE_SHARE)

    reduction, config = team.join(config)
    return refine(problem, config, progress=on_refine, reduction=reduction)


def keep(run: Run, refinement: Refinement, report: ProgressCallback) -> Summary:
    """Write what the pages show of a refinement; returns its summary with the verdict, which is written too."""
    from lsr_core.diagnosis.directions import directions
    from lsr_core.diagnosis.loss_path import loss_paths
    from lsr_core.diagnosis.steps import with_parameter_steps
    from lsr_core.diagnosis.verdict import verdict_of
    from lsr_core.refinement.curves import smoothing_curves
    from lsr_core.storage import spreads

    report("loss paths", REFINE_SHARE)
    run.append_log("loss paths")
    paths = loss_paths(refinement)
    fields = with_parameter_steps(refinement)
    report("verdict", VERDICT_AT)
    verdict = verdict_of(refinement, paths)
    report("writing", 0.97)
    for result in (refinement.sweep, refinement.spectrum, fields, paths, directions(refinement)):
        run.write_result(result)
    if (curves := smoothing_curves(refinement, fields)) is not None:
        run.write_result(curves)
    write_delta(run, refinement.delta, refinement.rank)
    if refinement.error_bars is not None and refinement.error_bars.spread is not None:
        spreads.write(run.spread_path, refinement.error_bars.spread.by(refinement.setting.function.expand))
    summary = refinement.summary.model_copy(update={"verdict": verdict})
    run.write_summary(summary)
    return summary


def check_room(run: Run, problem: Problem) -> int:
    """Refuse a run that the disk cannot hold; returns its expected size. Memory is checked by `refine`.

    Raises:
        InputError: the disk is too small.
    """
    from lsr_core.refinement.forecast import forecast

    expected = forecast(problem, run.manifest.config)
    watch.expect(expected)
    free = shutil.disk_usage(run.path).free
    if expected.run_bytes > free:
        raise InputError(
            f"the run needs {expected.run_bytes:,} bytes on disk, {free:,} are free; make room", key="runs"
        )
    return expected.run_bytes


def write_delta(run: Run, delta: Tensor, rank: int) -> None:
    """Put Δθ (m,) into the run."""
    from safetensors.torch import save_file

    from lsr_core.storage import atomic

    tensors = {"delta": delta.cpu().contiguous()}
    atomic.write_with(run.delta_path, lambda path: save_file(tensors, path, metadata={"rank": str(rank)}))
