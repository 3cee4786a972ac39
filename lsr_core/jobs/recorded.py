"""A step before it is given out: what it yields must be what its run recorded."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lsr_core.diagnosis.kinds import judging
from lsr_core.errors import InputError
from lsr_core.networks.taking import in_precision
from lsr_core.portable.measured import predictor_of
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.summary import Errors
from lsr_core.storage.runs import Run

STORED = 1.01  # factor between errors of the same step, computed again
REBUILT = 2.0  # of a step that was solved again: on another machine small directions come out otherwise
CHUNK = 2048
ROUNDING = 1e3  # times the unit roundoff, relative to the data: errors below are rounding, and differ between machines


def confirm(run: Run, problem: Problem, delta: Tensor, rank: int) -> None:
    """Compare the error of the predictor with the one that the run recorded at this rank.

    Args:
        problem: whose model is θ0.
        delta: Δθ (m,).

    Raises:
        InputError: they differ by more than rounding can make them; the step or the record was damaged.
    """
    chosen = rank == run.summary.rank
    name, recorded = _recorded(run, rank, chosen)
    if recorded is None:
        return
    found = _measured(run.manifest.config, problem, delta, name)
    rounding = ROUNDING * torch.finfo(delta.dtype).eps * _size(problem, name)
    factor = STORED if chosen else REBUILT
    if not recorded / factor - rounding <= found <= factor * recorded + rounding:
        raise InputError(
            f"gives {_WORDS[name]} of {found:.3e}, the run recorded {recorded:.3e} at rank {rank:,}; "
            "the step or the record is damaged, so nothing is given out: refine again",
            file=run.delta_path.name if chosen else None,
        )


_WORDS = {
    "relative_l2": "a relative error",
    "test_mse": "a test error (root mean square)",
    "val_mse": "a residual at fresh points",
}


def _recorded(run: Run, rank: int, chosen: bool) -> tuple[str, float | None]:
    """Which measure, and its recorded root; None where there is none."""
    if chosen:
        errors = run.summary.refined
    else:
        sweep = run.sweep
        if not sweep.solved[rank]:
            return "test_mse", None  # interpolated
        known = {name: float(getattr(sweep, name)[rank]) for name in ("test_mse", "val_mse")}
        errors = Errors(**{name: value for name, value in known.items() if math.isfinite(value)})
    if errors.test_mse is not None:
        return "test_mse", math.sqrt(errors.test_mse)
    if errors.relative_l2 is not None:
        return "relative_l2", errors.relative_l2
    return "val_mse", None if errors.val_mse is None else math.sqrt(errors.val_mse)


def _measured(config: RefineConfig, problem: Problem, delta: Tensor, name: str) -> float:
    """The root of the same measure of the predictor itself."""
    kind = judging(problem.kind)
    if name == "val_mse" and (loss := kind.fresh_loss(problem, config, delta)) is not None:
        return math.sqrt(loss)
    split = problem.splits()["validation" if name == "val_mse" else "test"]
    predictor = predictor_of(problem, delta, delta.dtype)
    mse = _mean_square(kind.delivered(config, predictor), predictor.dtype, split)
    return math.sqrt(mse / _mean_square_of(split) if name == "relative_l2" else mse)


@torch.no_grad()
def _mean_square(deliver: Callable[[Tensor], Tensor], dtype: torch.dtype, split: Split) -> float:
    """Of the errors of what is delivered for inputs in a dtype."""
    total = 0.0
    for inputs, targets in zip(split.inputs.split(CHUNK), split.targets.split(CHUNK), strict=True):
        values = deliver(in_precision(inputs, dtype))
        total += float((values.reshape(targets.shape) - targets).double().square().sum())
    return total / split.targets.numel()


def _size(problem: Problem, name: str) -> float:
    """What errors of this measure are small against."""
    splits = problem.splits()
    return math.sqrt(_mean_square_of(splits["test"])) if name == "test_mse" and "test" in splits else 1.0


def _mean_square_of(split: Split) -> float:
    return float(split.targets.double().square().mean())
