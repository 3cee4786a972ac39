"""What a predictor of data is measured by: errors of every split, of every output, of single test samples.

A measure that only one kind of problem has is taken in that kind's `evaluation`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lsr_core.networks.footprints import samples_within
from lsr_core.networks.jacobians import TANGENTS
from lsr_core.refinement.output_errors import OutputErrors
from lsr_core.refinement.quantiles import quantiles, room_for
from lsr_core.refinement.report import finite
from lsr_core.refinement.results import Sweep
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.sizes import CHECK_BYTES
from lsr_core.refinement.summary import Errors, Quantiles

CHUNK = 2048  # samples a forward-mode product takes at a time


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
        test_relative_l2=None if test is None else finite(setting.relative_l2(test, "test")),
        by_output=by_output.over(reduction).relative,
    )
    found = quantiles(reduction.joined(torch.from_numpy(test_errors)).numpy(), np.array([0.5, 0.9, 0.99, 1.0]))
    single = None if found is None else Quantiles(**dict(zip(("median", "p90", "p99", "max"), found, strict=True)))
    return Measured(errors, single, setting.weight * math.sqrt(residual))


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
