"""Words of equations."""

from __future__ import annotations

from lsr_core.kinds.data.words import NO_CLASSES
from lsr_core.problems.kinds import KindWords

KIND = KindWords(
    unused={
        "published": "the authors' modes are offered for data, not for equations, which have source, scaling and rank instead"
    }
    | {"regularise": "the residual of an equation is no noise, by which the rules choose; damping takes a number"}
    | dict.fromkeys(("prior", "bands"), "only a smoothed refinement uses it, and equations are not smoothed")
    | {"standardise": "the blocks of an equation have weights of their own"}
    | NO_CLASSES,
    refused={"isolate": "isolation compares fits to data; this problem is given by equations"},
    entry="physics",
)
