"""Words about solves from scratch."""

from __future__ import annotations

TITLE = "Solve from scratch"
LEAD = (
    "Solves this equation with untrained networks, over windows of time where one network is not enough, and says where it does not. "
    "The weights of the problem are not used."
)
SECOND = "Twice"
SECOND_HELP = "Solves once more from another seed, for an estimate of the error; takes twice as long."
ERROR = "Relative L2 error against the known solution: {error}. It was not used for anything."
KEPT, LEFT, WHOLE, AT = "kept", "left", "all at once", "number at {value}"
COLUMNS = ("Window", "Steps", "Residual over terms", "")
CAPTION = (
    "Every attempt in its order; the residual is measured at points that the solve has not seen. "
    "A window that is left is tried again, shorter; so is a step of a number that is followed."
)
