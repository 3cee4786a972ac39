"""Words of classifiers."""

from __future__ import annotations

from lsr_core.kinds.data.words import ALREADY_LINEAR, NO_NEW_POINTS
from lsr_core.problems.kinds import KindWords

KIND = KindWords(
    unused=ALREADY_LINEAR
    | {"regularise": "the rules belong to noise of one spread, which labels do not have; damping takes a number"}
    | dict.fromkeys(("prior", "bands"), "only a smoothed refinement uses it, and labels are not smoothed")
    | {
        "standardise": "the rows of a classifier are weighted by what is known of its classes, which all are of one unit"
    },
    refused=NO_NEW_POINTS | {"isolate": "isolation is for regressions and equations; refine this classifier instead"},
)
