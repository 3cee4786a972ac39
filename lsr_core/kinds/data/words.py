"""Words of problems fitted to data."""

from __future__ import annotations

from lsr_core.problems.kinds import KindWords

ALREADY_LINEAR = {
    "gauss_newton": "the residual of a problem fitted to data is linear in the field, so that one solve is exact: Gauss-Newton steps are "
    "for equations"
}
NO_CLASSES = {"linearised": "only a classifier has logits or probabilities to choose from"}
NO_NEW_POINTS = {
    "iterate": "iterative LSR needs an equation, whose residual can be taken at new points; this problem consists of data: refine it",
    "scales": "first-layer scales are searched for equations; this problem consists of data: refine it",
    "solve": "only an equation can be solved from scratch; this problem consists of data: refine it",
}

KIND = KindWords(unused=ALREADY_LINEAR | NO_CLASSES, refused=NO_NEW_POINTS)
