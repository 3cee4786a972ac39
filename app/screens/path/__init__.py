"""Loss path: linearised and nonlinear loss along the step, and the three objects kept apart."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Loss path", ":material/timeline:", 3,
    "How far the straight line that refinement relies on can be trusted, and why the result is not a change of weights.", needs="refinement",
)  # fmt: skip
