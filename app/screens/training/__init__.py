"""Along the training: LSR at every checkpoint, and whether more training helps it; follows a run at work."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Along the training", ":material/trending_down:", 6,
    "Does more training help LSR? The same refinement at every checkpoint that the problem holds.", needs="checkpoints",
)  # fmt: skip
