"""What other tools are told of a run: figures by name, errors by rank, files. They take it from here, so that all say the same."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lsr_core.jobs.rebuild import confirmed, spread_at
from lsr_core.portable import deliver
from lsr_core.portable.form import Leaving
from lsr_core.refinement.summary import Errors, Summary
from lsr_core.storage.runs import Run

PREFIX = "lsr"
_BY_RANK = ("train_mse", "val_mse", "test_mse", "test_relative_l2", "condition_number", "delta_norm")


def figures(summary: Summary) -> dict[str, float]:
    """Single figures: of the network (`base`), of the refined predictor (`refined`), and of the solve."""
    found: dict[str, float] = {f"{PREFIX}/rank": float(summary.rank), f"{PREFIX}/seconds": summary.seconds}
    for name, errors in (("base", summary.base), ("refined", summary.refined)):
        found |= {f"{PREFIX}/{name}/{key}": value for key, value in _numbers(errors).items()}
    if summary.condition_number is not None:
        found[f"{PREFIX}/condition_number"] = summary.condition_number
    return found


def by_rank(run: Run) -> Iterator[tuple[int, Mapping[str, float]]]:
    """Each rank that was solved, and its figures, as far as the problem has them."""
    sweep = run.sweep
    for rank in range(sweep.max_rank + 1):
        if sweep.solved[rank]:
            values = {f"{PREFIX}/by_rank/{name}": float(getattr(sweep, name)[rank]) for name in _BY_RANK}
            yield rank, {name: value for name, value in values.items() if math.isfinite(value)}


def settings(run: Run) -> dict[str, str]:
    """What the run was made with, as words."""
    config = run.manifest.config
    given: Mapping[str, Any] = config if isinstance(config, Mapping) else config.model_dump(mode="json")
    return {
        "problem": run.summary.problem,
        "run": run.id,
        **{key: str(value)[:250] for key, value in given.items() if value is not None},
    }


def verdict(summary: Summary) -> str:
    """The verdict with its figures in a few lines, or that there is none."""
    if summary.verdict is None:
        return "This run has no verdict."
    lines = [
        summary.verdict.sentence,
        *(f"- {part.sentence}" for part in summary.verdict.evidence),
        summary.verdict.advice,
    ]
    return "\n".join(lines)


def exported(run: Run, form: str, out: Path) -> str:
    """Write the refined predictor of a run in a form that leaves, checked as `lsr export` does; returns the sentence about it.

    Raises:
        InputError: the network cannot be written in this form.
    """
    summary = run.summary
    leaving = Leaving(
        *confirmed(run, summary.rank), {**summary.model_dump(), "run": run.id}, spread_at(run, summary.rank)
    )
    return deliver.make(out, form, leaving).sentence


def _numbers(errors: Errors) -> dict[str, float]:
    return {
        key: float(value)
        for key, value in errors.model_dump().items()
        if isinstance(value, (int, float)) and math.isfinite(value)
    }
