"""What a verdict may say of an equation beside what it says of data."""

from __future__ import annotations

import math

from lsr_core.diagnosis.evidence import Figures
from lsr_core.diagnosis.statements import counted, said, share
from lsr_core.refinement.summary import Evidence


def beyond_reach(known: Figures) -> Evidence:
    true = known.true_residual
    assert true is not None
    words = (
        f"the linear model leaves {known.fitted:.1e} of the residual, the true residual of the refined field is {true:.1e} times that of "
        "the network: the equation is too nonlinear for one step of this length"
    )
    return said("true_residual", true, 1.0, words, {"linear": known.fitted, "true": true})


def relative_residual(known: Figures, threshold: float) -> list[Evidence]:
    if known.solved is None:
        return []
    value, block = known.solved.relative_residual, known.solved.block
    words = (
        f"nothing but zero is asked for, and the refined field is zero: its residual is {share(value)} of the terms that the network's field has"
        if known.solved.zero
        else f"at fresh points the residual of the refined field is at most {share(value)} of the terms it is made of (block {block})"
    )
    return [said("relative_residual", value, threshold, words, {"rank": known.rank, "share": value})]


def ambiguity(known: Figures, threshold: float) -> list[Evidence]:
    if known.solved is None or known.solved.ambiguity is None:
        return []
    value = known.solved.ambiguity
    variation = "the variation that the network's field has" if known.solved.zero else "its variation"
    words = (
        f"by the linearised equation, fields of the subspace that differ from the refined one by up to {share(value)} of {variation} have "
        "a residual no larger than its own"
    )
    return [said("ambiguity", value, threshold, words, {"rank": known.rank, "change": value})]


def course(known: Figures, threshold: float) -> list[Evidence]:
    """An estimate where no solution is known; nothing where the residual has ceased to fall, at rounding or before it."""
    if known.solved is None or known.solved.course is None or not math.isfinite(known.solved.course):
        return []
    value = known.solved.course
    words = (
        f"estimate of the error: {share(value)} of the variation of the field, if it falls from fewer directions to all of them as the residual "
        "at fresh points does"
    )
    return [said("course", value, threshold, words, {"rank": known.rank, "left": value})]


def jumping(known: Figures) -> list[Evidence]:
    if not known.jump:
        return []
    words = (
        f"a coefficient of a second derivative jumps {known.jump}, and no row says what holds across the jump: as it is written the first "
        "derivatives go through unchanged; where a flux does so instead, this is another field"
    )
    return [said("jump", 1.0, None, words, {})]


def missing(known: Figures) -> Evidence:
    return said("missing", 1.0, None, f"as far as counting tells conditions are missing: {known.missing}", {})


def bare(known: Figures) -> Evidence:
    return said("bare", 1.0, None, known.bare, {})


def other_starts(known: Figures, threshold: float) -> list[Evidence]:
    found = known.others
    if found is None or not found.solved:
        return []
    turned = (
        f"the same field with its sign turned leaves {found.residual:.1e} of the terms and solves the equation as well"
    )
    words = (
        turned
        if found.mirrored
        else f"of {counted(found.tried, 'refinement')} of the same equation from other starts {found.solved} came to about as small a residual, and "
        f"the fields differ from this one by {share(found.apart)} at most"
    )
    numbers = {"tried": found.tried, "solved": found.solved, "apart": found.apart, "residual": found.residual}
    return [said("other_starts", found.apart, threshold, words, numbers)]
