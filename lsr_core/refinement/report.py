"""From solutions to figures: the sweep, condition numbers, errors by split."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lsr_core.linalg.triangular import TriangularSolver, singular_values
from lsr_core.networks.footprints import samples_within
from lsr_core.networks.jacobians import TANGENTS
from lsr_core.refinement import ranks as rank_choice
from lsr_core.refinement.output_errors import OutputErrors
from lsr_core.refinement.peaks import CHECK_BYTES
from lsr_core.refinement.quantiles import quantiles, room_for
from lsr_core.refinement.results import Floats, Sweep
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.summary import Errors, Quantiles
from lsr_core.refinement.sweep import (
    RankErrors,
    RankSolutions,
    coefficient_norms,
    condition_numbers,
    errors_by_rank,
)

CHUNK = 2048  # samples a forward-mode product takes at a time


def build_sweep(
    subspace: Subspace, solutions: RankSolutions, splits: dict[str, RankErrors | None], kappa_rungs: int = 0
) -> Sweep:
    """All ranks, with the errors of the splits that have been passed over so far.

    Args:
        kappa_rungs: ranks at which condition numbers are exact; 0 = the whole ladder.
    """
    solver, max_rank = solutions.solver, subspace.rank
    columns: dict[str, np.ndarray] = {}
    for name in ("train", "val", "test"):
        columns[f"{name}_mse"], columns[f"{name}_relative_l2"] = errors_by_rank(splits.get(name), max_rank)
    rungs = rank_choice.ladder(max_rank, kappa_rungs or rank_choice.LADDER)
    kappa, exact = condition_numbers(unscaled(solver, subspace), rungs, max_rank)
    solved_kappa, _ = condition_numbers(solver.scaled, rungs, max_rank, solver.singular_values)
    return Sweep(
        **columns,
        residual_norm=np.sqrt(columns["train_mse"]),
        condition_number=kappa,
        solved_condition_number=solved_kappa,
        condition_exact=exact.astype(bool),
        delta_norm=coefficient_norms(solutions, subspace.scale, max_rank),
        coefficient_norm=coefficient_norms(solutions, torch.ones_like(subspace.scale), max_rank),
        solved=np.array([solutions.is_solved(rank) for rank in range(max_rank + 1)]),
    )


def unscaled(solver: TriangularSolver, subspace: Subspace) -> Tensor:
    """The triangle of G V with V orthonormal."""
    return solver.triangle / subspace.scale


def kappa_of(triangle: Tensor) -> float | None:
    """Condition number; None for no columns or an exactly singular triangle."""
    if triangle.shape[1] == 0:
        return None
    values = singular_values(triangle)
    return float(values[0] / values[-1]) if values[-1] > 0 else None


def conditions_at(rank: int, sweep: Sweep, solver: TriangularSolver, subspace: Subspace) -> dict[str, float | None]:
    """Both condition numbers of a summary at a rank: as the sweep has them where they are exact, else from the triangles."""

    def at(known: Floats, triangle: Callable[[], Tensor]) -> float | None:
        if rank > 0 and sweep.condition_exact[rank]:
            return _finite(float(known[rank]))
        return kappa_of(triangle())

    return {
        "condition_number": at(sweep.condition_number, lambda: unscaled(solver, subspace)[:rank, :rank]),
        "solved_condition_number": at(sweep.solved_condition_number, lambda: solver.leading(rank)),
    }


class Measured(NamedTuple):
    """Errors of a predictor on every split, those of single test samples, and the norm of the rows that are solved."""

    errors: Errors
    quantiles: Quantiles | None
    residual: float


def errors_of(setting: Setting, predict: Callable[[Tensor], Tensor]) -> Measured:
    """What a predictor of the outputs as they are leaves of the targets, by blocks of samples of each process."""
    reduction = setting.reduction
    mse, by_output, residual = {}, OutputErrors(setting.parts), 0.0
    tested = reduction.part(len(setting.splits["test"].inputs) if "test" in setting.splits else 0)
    test_errors = room_for(tested.stop - tested.start)
    reported = next(name for name in ("test", "validation", "train") if name in setting.splits)
    for name, split in setting.splits.items():
        if name == "grid":
            continue
        samples = (
            samples_within(CHECK_BYTES, TANGENTS * setting.sizes.live, CHUNK)
            if setting.sample_wise
            else len(split.inputs)
        )
        total, solved, done = 0.0, 0.0, 0
        for where in reduction.blocks(len(split.inputs), samples):
            inputs, targets = split.inputs[where], setting.physical(split.targets[where])
            outputs = predict(inputs).reshape(targets.shape)
            by_sample = (outputs - targets).norm(dim=1).cpu().double().numpy()
            total += float(np.sum(by_sample**2))
            if name == "test":
                test_errors[done : done + len(by_sample)] = by_sample
                done += len(by_sample)
            if name == reported:
                by_output.add(outputs, targets)
            if name == "train":
                solved += float(setting.divided(outputs - targets).double().square().sum())
        total, solved = reduction.sum(torch.tensor([total, solved], dtype=torch.float64)).tolist()
        residual += solved
        mse[name] = total / split.targets.numel()
    test = mse.get("test")
    errors = Errors(
        train_mse=mse["train"],
        val_mse=mse.get("validation"),
        test_mse=test,
        test_relative_l2=None if test is None else _finite(setting.relative_l2(test, "test")),
        by_output=by_output.over(reduction).relative,
    )
    found = quantiles(reduction.joined(torch.from_numpy(test_errors)).numpy(), np.array([0.5, 0.9, 0.99, 1.0]))
    single = None if found is None else Quantiles(**dict(zip(("median", "p90", "p99", "max"), found, strict=True)))
    return Measured(errors, single, setting.weight * math.sqrt(residual))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def disagreement(errors: Errors, sweep: Sweep, rank: int) -> float:
    """Largest relative difference between the sweep's errors at the chosen rank and those of the predictor."""
    pairs = ((errors.train_mse, sweep.train_mse), (errors.val_mse, sweep.val_mse), (errors.test_mse, sweep.test_mse))
    gaps = [abs(math.log(max(mine, 1e-300) / max(theirs[rank], 1e-300))) for mine, theirs in pairs if mine is not None]
    if len(sweep.divided):  # the pooled errors are those of the largest output alone
        single = zip(errors.by_output or [], sweep.by_output[rank], strict=True)
        gaps += [
            2 * abs(math.log(max(mine, 1e-150) / max(theirs, 1e-150))) for mine, theirs in single if mine is not None
        ]
    return math.expm1(max(gaps))
