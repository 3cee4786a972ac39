"""Export: the refined predictor, its predictions, the record of the run, and how to use each."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Export", ":material/download:", 7,
    "Take the refined predictor, its predictions or the whole record of the run with you.", needs="refinement",
)  # fmt: skip
