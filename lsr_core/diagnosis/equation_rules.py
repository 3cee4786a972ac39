"""Whether a verdict on an equation is that it is not solved, or not settled: that is asked before anything is praised."""

from __future__ import annotations

import math

from lsr_core.diagnosis import equation_statements, statements, words
from lsr_core.diagnosis.evidence import Figures
from lsr_core.diagnosis.finding import Finding
from lsr_core.diagnosis.other_starts import APART
from lsr_core.refinement.relative_residual import SOLVED
from lsr_core.refinement.summary import Evidence

AMBIGUOUS = 0.1  # change of the field that leaves no larger a residual, from which a linear equation is not settled
BENT = 0.03  # the same of a nonlinear one, where the change by the linearised equation may be less than the true one …
# … and of one that is short of a condition as far as counting tells: a subspace that holds its modes roughly shows less of what is open
SMALL_RESIDUAL = 3e-4  # over the terms: what is left open then is the equation's doing
DIVERGED = 1.0  # times the residual of the network, of the refined field …
LINEAR = 0.1  # … while the linear model is below this share


def not_solved(known: Figures) -> Finding | None:
    """An equation whose field is wrong, or may be: what is known of the true solution decides, else residual and ambiguity."""
    if not known.is_equation or known.solved is None:
        return None
    truth = known.refined_error
    residual = known.solved.relative_residual
    margin = truth / words.WRONG if truth is not None else max(residual / SOLVED, _open(known))
    margin = margin if math.isfinite(margin) else math.inf
    evidence = [
        *equation_statements.relative_residual(known, SOLVED),
        *equation_statements.ambiguity(known, ambiguous(known)),
        *equation_statements.course(known, words.WRONG),
        *statements.refined_error(known, words.WRONG),
        *equation_statements.jumping(known),
    ]
    if known.bare and truth is None:
        return Finding("undetermined", [equation_statements.bare(known), *evidence], max(margin, 3.0))
    if margin <= 1 and (not known.jump or truth is not None):
        return _another(known, evidence)
    if known.missing and truth is None:
        return Finding("undetermined", [equation_statements.missing(known), *evidence], max(margin, 3.0))
    if known.jump or residual <= SMALL_RESIDUAL:
        doubt = "what should hold across the jump is not in the run" if known.jump else ""
        return Finding("undetermined", evidence, max(margin, 3.0), doubt=doubt)
    beyond = known.true_residual is not None and known.fitted <= LINEAR and known.true_residual >= DIVERGED
    if beyond:
        return Finding("unsolved", [*evidence, equation_statements.beyond_reach(known)], margin, advice=words.STEPS)
    return Finding("unsolved", [*evidence, *statements.at_rank(known)], margin)


def _open(known: Figures) -> float:
    """How open the field is left, over what may be: by fields with no larger a residual, the worst case, or where that is the residual's
    doing and not the equation's, by the course over ranks.
    """
    assert known.solved is not None
    change, residual = known.solved.ambiguity or 0.0, known.solved.relative_residual
    worst = change / ambiguous(known)
    settles = change * min(1.0, SMALL_RESIDUAL / max(residual, 1e-300)) <= AMBIGUOUS
    if worst <= 1 or not settles or known.missing or known.solved.course is None:
        return worst
    return min(worst, known.solved.course / words.WRONG)


def _another(known: Figures, evidence: list[Evidence]) -> Finding | None:
    """Solved, and so is another field that was come to from another start."""
    found = known.others
    if found is None or not found.disagree:
        return None
    told = [*equation_statements.other_starts(known, APART), *evidence]
    return Finding("undetermined", told, found.apart / APART, sure=2.0, advice=words.WHICH)


def ambiguous(known: Figures) -> float:
    return BENT if known.missing or (known.solved is not None and known.solved.nonlinear) else AMBIGUOUS


def untested_starts(known: Figures) -> list[str]:
    """What is not known of other solutions."""
    if known.others is None:
        why = known.no_other or "no second start was refined"
        return [f"other solutions, far from this field: {why}"]
    if known.others.solved:
        return []
    return [
        f"other solutions, far from this field: none of {known.others.tried} other starts came to so small a residual"
    ]


def needs_other_starts(known: Figures) -> bool:
    """Whether a nonlinear equation looks solved, and only refining it from elsewhere can tell whether it has other solutions."""
    if not known.is_equation or known.solved is None or not known.solved.nonlinear:
        return False
    return known.refined_error is None and known.others is None and not_solved(known) is None
