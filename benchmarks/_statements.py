"""Every statement of a verdict held against the run it is about: figures taken again from the summary and the sweep, and words from what was done."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np

from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import Floats
from lsr_core.refinement.summary import Evidence, Verdict

CLOSE = 1e-6
NOTHING_HELD_OUT = re.compile(r"held[- ]out (error|targets)")
ANEW = re.compile(r"trained anew|training anew does not|but much from others")
RANK = re.compile(r"\brank,? (\d+)")


def contradictions(found: Verdict, refinement: Refinement) -> list[str]:
    """What the run's own numbers say against a verdict; empty where nothing."""
    names = {item.name for item in found.evidence}
    wrong = [f"{item.name}: {item.sentence}" for item in found.evidence if not _agrees(item, refinement)]
    said = " ".join([found.sentence, *(item.sentence for item in found.evidence), found.advice])
    if ANEW.search(said) and "restarted" not in names:
        wrong.append("speaks of training anew, and nothing was trained")
    held = np.isfinite(refinement.sweep.val_mse[0]) or refinement.summary.base.test_mse is not None
    if NOTHING_HELD_OUT.search(said) and not held:
        wrong.append("speaks of samples held out, and there are none")
    if found.rank != refinement.rank:
        wrong.append("is about another rank than the run")
    named = {int(number) for number in RANK.findall(said)}
    if not named <= {refinement.rank, refinement.sweep.max_rank, _best(refinement)}:
        wrong.append(f"names ranks {sorted(named)}")
    if found.use != ("Use the refined predictor" in said):
        wrong.append("says to use it and does not mean it, or the other way round")
    return wrong + (_against_use(found, refinement) if found.use else [])


def _against_use(found: Verdict, refinement: Refinement) -> list[str]:
    base, refined, norms = refinement.summary.base, refinement.summary.refined, refinement.summary.residual_norm
    pairs = [(getattr(base, name), getattr(refined, name)) for name in type(base).model_fields]
    pairs.append((norms.fresh_base, norms.fresh_nonlinear))
    wrong = []
    if any(before is not None and after is not None and name_falls(before, after) for before, after in pairs):
        wrong.append("says to use what is worse than the network")
    known = [value for value in (refined.relative_l2, refined.test_relative_l2) if value is not None]
    if any(value > 0.1 for value in known):
        wrong.append("says to use a field that is wrong by more than 10 %")
    if refinement.rank == 0 or found.limit in (
        "unsolved",
        "undetermined",
        "overfitting",
        "stationary",
        "capacity",
        "open",
    ):
        wrong.append(f"says to use it and names {found.limit}")
    return wrong


def name_falls(before: float, after: float) -> bool:
    """Whether an error has become worse by more than a few percent of its square."""
    return after > 1.05 * before and after > 1e-28


def _best(refinement: Refinement) -> int:
    sweep = refinement.sweep
    return int(np.nanargmin(np.where(sweep.solved, _held(refinement), np.nan)))


def _held(refinement: Refinement) -> Floats:
    """Of validation samples, else of test samples, else of training samples."""
    sweep = refinement.sweep
    return next(values for values in (sweep.val_mse, sweep.test_mse, sweep.train_mse) if np.isfinite(values[0]))


def _agrees(item: Evidence, refinement: Refinement) -> bool:
    check = CHECKS.get(item.name)
    return check(item, refinement) if check is not None else item.name in UNCHECKED


def _close(one: float, other: float | None) -> bool:
    return other is not None and math.isclose(one, other, rel_tol=CLOSE, abs_tol=1e-300)


def _pair(field: str) -> Callable[[Evidence, Refinement], bool]:
    """Before and after are square roots of mean squares in the summary."""

    def check(item: Evidence, refinement: Refinement) -> bool:
        before, after = getattr(refinement.summary.base, field), getattr(refinement.summary.refined, field)
        numbers = item.numbers
        return _close(numbers["before"] ** 2, before) and _close(numbers["after"] ** 2, after)

    return check


def _residual(item: Evidence, refinement: Refinement) -> bool:
    norms = refinement.summary.residual_norm
    return _close(item.numbers["before"], norms.fresh_base) and _close(item.numbers["after"], norms.fresh_nonlinear)


def _left(item: Evidence, refinement: Refinement) -> bool:
    errors = _held(refinement)
    rank = int(item.numbers["rank"])
    return rank == _best(refinement) and _close(item.numbers["left"] ** 2, float(errors[rank] / errors[0]))


def _fitted(item: Evidence, refinement: Refinement) -> bool:
    sweep = refinement.sweep
    return _close(item.value**2, float(np.nanmin(sweep.train_mse[sweep.solved]) / sweep.train_mse[0]))


def _refined_error(item: Evidence, refinement: Refinement) -> bool:
    refined = refinement.summary.refined
    known = refined.relative_l2 if refined.relative_l2 is not None else refined.test_relative_l2
    return known is None or _close(
        item.value, max([known, *(value for value in refined.by_output or [] if value is not None)])
    )


def _degradation(item: Evidence, refinement: Refinement) -> bool:
    sweep = refinement.sweep
    known = sweep.val_mse[sweep.solved & np.isfinite(sweep.val_mse)]
    return _close(item.value**2, float(known[-1] / known.min()))


def _base_error(item: Evidence, refinement: Refinement) -> bool:
    sweep = refinement.sweep
    values = sweep.val_relative_l2 if np.isfinite(sweep.val_relative_l2[0]) else sweep.train_relative_l2
    return _close(item.value, float(values[0]))


def _worse(item: Evidence, refinement: Refinement) -> bool:
    """The two figures stand in the summary, as they are or as squares, and the second is the larger."""
    base, refined, norms = refinement.summary.base, refinement.summary.refined, refinement.summary.residual_norm
    pairs = [
        (getattr(base, name), getattr(refined, name)) for name in ("train_mse", "val_mse", "test_mse", "test_log_loss")
    ]
    pairs += [(norms.base, norms.nonlinear), (norms.fresh_base, norms.fresh_nonlinear)]
    before, after = item.numbers["before"], item.numbers["after"]
    found = any(
        _close(before**power, one) and _close(after**power, other)
        for one, other in pairs
        for power in (1, 2)
        if one is not None
    )
    return found and after > before


def _true_residual(item: Evidence, refinement: Refinement) -> bool:
    norms = refinement.summary.residual_norm
    return _close(item.value * (norms.base or math.nan), norms.nonlinear)


CHECKS: dict[str, Callable[[Evidence, Refinement], bool]] = {
    "validation_error": _pair("val_mse"),
    "test_error": _pair("test_mse"),
    "training_error": _pair("train_mse"),
    "residual_at_fresh_points": _residual,
    "best": _left,
    "fitted": _fitted,
    "refined_error": _refined_error,
    "condition_number": lambda item, run: _close(item.value, run.summary.condition_number),
    "solved_condition_number": lambda item, run: _close(item.value, run.summary.solved_condition_number),
    "restarted": lambda item, run: (
        item.numbers["starts"] >= 1 and _close(item.value * item.numbers["base"], item.numbers["best"])
    ),
    "onward": lambda item, run: _close(item.value * item.numbers["base"], item.numbers["here"]),
    "degradation": _degradation,
    "base_error": _base_error,
    "worse": _worse,
    "true_residual": _true_residual,
}
UNCHECKED = frozenset({  # by the run's numbers: units by the counts of the benchmark, gradient steps and further ones by tests that take them
    "constant", "first_step", "relative_residual", "ambiguity", "course", "jump", "missing", "other_starts",
    "idle_units", "unused_parameters", "gradient_steps", "further", "rough", "bare",
})  # fmt: skip
