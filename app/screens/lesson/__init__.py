"""The lesson: short steps, most of them a prediction, an experiment that runs at once, and the answer beside the prediction."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "The lesson", ":material/school:", 12,
    "Why training stops: make a prediction, run the experiment, compare. Then turn the dials.", "start",
)  # fmt: skip
