"""What is said where one solve gains what training did not: which of the reasons for that it was."""

from __future__ import annotations

import math

from lsr_core.diagnosis import equation_statements, statements, words
from lsr_core.diagnosis.equation_rules import ambiguous
from lsr_core.diagnosis.evidence import Figures
from lsr_core.diagnosis.finding import Finding
from lsr_core.diagnosis.other_starts import APART
from lsr_core.refinement.relative_residual import SOLVED
from lsr_core.refinement.summary import Limit

SMALL_GAIN = 0.5  # of the held-out error left: there was little to gain
SOME_GAIN = 0.1  # of it left: enough that another start may do far better
RESTART = 0.3  # of the error left by another start: the valley is the problem
GOES_ON = 0.3  # of the error left by training on: it had not come to a halt
PATIENCE = 1e4  # steps of plain gradient descent, beyond which they are no way


def reachable(known: Figures) -> float:
    """What the best rank, or the rank shown, leaves of the network's error."""
    return min(known.best, known.left)


def needs_further(known: Figures, limit: Limit) -> bool:
    """Whether only training on can tell what holds it back."""
    return limit == "conditioning"


def better_valley(known: Figures) -> Finding | None:
    """One solve gains something, and other starts lead much further than it does, or than training on from here."""
    found = known.restarted
    if found is None or found.here is None or not found.base > 0 or reachable(known) <= SOME_GAIN:
        return None
    onward = found.here / found.base
    share = found.fall / min(reachable(known), onward)
    if share > RESTART or onward <= SOME_GAIN:
        return None
    evidence = [*statements.restarted(known, RESTART), *statements.onward(known), *statements.at_rank(known)]
    advice, use = words.advice_on_gain(known, "nonconvexity")
    return Finding("nonconvexity", evidence, RESTART / max(share, 1e-300), advice=advice, use=use)


def still_falling(known: Figures) -> Finding | None:
    """Training was ended while it still went on by itself."""
    found = known.further
    if found is None or found.left > GOES_ON:
        return None
    evidence = [
        *statements.further(known, GOES_ON),
        *statements.at_rank(known, SMALL_GAIN),
        *statements.constant(known, words.UNTRAINED),
        *statements.refined_error(known, words.WRONG),
    ]
    advice, use = words.advice_on_gain(known, "unfinished")
    return Finding("unfinished", evidence, GOES_ON / max(found.left, 1e-300), advice=advice, use=use)


def gain(known: Figures) -> Finding:
    """What remains: the solve gains where training did not."""
    steps = known.gradient_steps if known.gradient_steps is not None else (known.condition_number or math.inf) ** 2
    quick = steps < PATIENCE
    limit: Limit = "unfinished" if quick else "conditioning"
    evidence = [
        *statements.at_rank(known, SMALL_GAIN),
        *statements.gradient_steps(known, PATIENCE),
        *statements.conditioning(known),
        *statements.further(known, GOES_ON),
        *statements.onward(known),
        *statements.constant(known, words.UNTRAINED),
        *statements.refined_error(known, words.WRONG),
        *equation_statements.relative_residual(known, SOLVED),
        *equation_statements.ambiguity(known, ambiguous(known)),
        *equation_statements.course(known, words.WRONG),
        *equation_statements.other_starts(known, APART),
    ]
    if known.left > SMALL_GAIN or not known.has_held_out:
        evidence.insert(0, statements.best_rank(known, SMALL_GAIN))
    advice, use = words.advice_on_gain(known, limit)
    ratio = steps / PATIENCE
    margins = [max(ratio, 1 / ratio), SMALL_GAIN / max(reachable(known), 1e-300), *_halted(known)]
    return Finding(limit, evidence, min(margins), advice=advice, use=use)


def _halted(known: Figures) -> list[float]:
    """How far training on is from having been enough, where it was tried: by the powers in which errors fall."""
    found = known.further
    return [] if found is None else [math.log(GOES_ON) / min(math.log(min(found.left, 1.0)), -1e-12)]
