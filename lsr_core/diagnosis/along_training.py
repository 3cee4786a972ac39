"""LSR at every checkpoint of a training: does more training help it? (Cao & Zhang, arXiv 2601.13989, refine after every epoch.)"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from lsr_core.diagnosis.kinds import finite
from lsr_core.diagnosis.training_records import CheckpointRecord, TrainingRecord
from lsr_core.diagnosis.verdict import verdict_of
from lsr_core.errors import InputError
from lsr_core.problems.problem import Problem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.progress import Progress, ProgressCallback, default_callback
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.summary import Errors
from lsr_core.refinement.uses import refuse_unused

KEPT_VALUES = 60  # singular values of each checkpoint, enough for a line on a logarithmic axis
REFINE_SHARE = 0.8  # of the time of a checkpoint; the rest is the verdict
NOTICED = 2.0  # errors that differ by less than this factor count as equal


def along_training(
    epochs: Sequence[int],
    problem_at: Callable[[int], Problem],
    config: RefineConfig | None = None,
    *,
    progress: ProgressCallback | None = None,
    on_record: Callable[[TrainingRecord], None] | None = None,
) -> TrainingRecord:
    """Refine at each checkpoint with the same settings, and say what limits the network there.

    Args:
        epochs: of the checkpoints, rising.
        problem_at: the problem with the weights of an epoch; one is held at a time.
        config: of every refinement.
        progress: called with (stage, fraction done); may raise `Cancelled` to stop.
        on_record: called with the checkpoints so far after each.

    Raises:
        InputError: no checkpoints, or a problem that `refine` refuses.
    """
    need_checkpoints(epochs)
    config = config or RefineConfig()
    refuse_unused(config, "training", problem_at(epochs[0]).kind)
    clock = Progress(progress or default_callback(), {_stage(epoch): 1.0 for epoch in epochs})
    started = time.perf_counter()
    record: TrainingRecord | None = None
    for epoch in epochs:
        clock.stage(_stage(epoch))
        begun = time.perf_counter()
        found = refine(problem_at(epoch), config, progress=lambda _, done: clock.fraction(REFINE_SHARE * done))
        if record is None:
            record = TrainingRecord(
                problem=found.summary.problem, n_params=found.summary.n_params, seed=config.seed, epochs=list(epochs)
            )
        clock.fraction(REFINE_SHARE)
        record.checkpoints.append(_checkpoint(epoch, found, begun))
        record.sentence = sentence(record.checkpoints)
        record.seconds = time.perf_counter() - started
        record.complete = len(record.checkpoints) == len(epochs)
        if on_record is not None:
            on_record(record)
    assert record is not None
    return record


def need_checkpoints(epochs: Sequence[int]) -> None:
    """Refuse a problem that has none.

    Raises:
        InputError: there is no checkpoint.
    """
    if not epochs:
        raise InputError(
            "has no checkpoints; add some along its training to the bundle (documentation: Along a training)",
            key="checkpoints",
        )


def sentence(checkpoints: Sequence[CheckpointRecord]) -> str:
    """Whether more training helps LSR; empty where fewer than two checkpoints have both errors."""
    known = [
        (found.epoch, found.base_error, found.refined_error)
        for found in checkpoints
        if found.base_error is not None and found.refined_error is not None
    ]
    if len(known) < 2:
        return ""
    (first, base_first, refined_first), (last, base_last, refined_last) = known[0], known[-1]
    best_epoch, best = min(((epoch, refined) for epoch, _, refined in known), key=lambda pair: pair[1])
    since = next(epoch for epoch, _, refined in known if refined <= NOTICED * best)
    fall = (
        f"From epoch {first} to {last} the network's error goes from {base_first:.1e} to {base_last:.1e}, "
        f"the refined one from {refined_first:.1e} to {refined_last:.1e}"
    )
    if refined_last > NOTICED * best:
        return f"{fall}. More training harms LSR in the end: its smallest error, {best:.1e}, is at epoch {best_epoch}."
    if since == first:
        return (
            f"{fall}. More training does not help LSR: epoch {first} is as good as any, within a factor of {NOTICED:g}."
        )
    if since == last:
        return f"{fall}. More training helps LSR up to the last checkpoint."
    return f"{fall}. More training helps LSR up to epoch {since}, and hardly after it."


def _stage(epoch: int) -> str:
    return f"epoch {epoch}"


def _checkpoint(epoch: int, found: Refinement, begun: float) -> CheckpointRecord:
    values = found.spectrum.singular_values
    modes = (
        np.unique(np.geomspace(1, len(values), KEPT_VALUES).round().astype(int)) if len(values) else np.empty(0, int)
    )
    summary = found.summary
    judged = verdict_of(found)
    return CheckpointRecord(
        epoch=epoch,
        base_error=_error(summary.base),
        refined_error=_error(summary.refined),
        rank=summary.rank,
        max_rank=summary.max_rank,
        condition_number=finite(summary.condition_number),
        modes=modes.tolist(),
        singular_values=values[modes - 1].tolist(),
        verdict=judged,
        seconds=time.perf_counter() - begun,
    )


def _error(errors: Errors) -> float | None:
    return finite(errors.relative_l2 if errors.test_relative_l2 is None else errors.test_relative_l2)
