"""Words about solves from scratch."""

from __future__ import annotations

ERROR = "Relative L2 error against the known solution: {error}. It was not used for anything."
KEPT, LEFT, WHOLE = "kept", "left", "all at once"
COLUMNS = ("Window", "Steps", "Residual over terms", "")
CAPTION = (
    "Every attempt in its order; the residual is measured at points that the solve has not seen. "
    "A window that is left is tried again, shorter."
)
