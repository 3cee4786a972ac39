"""The lesson: six short steps, each a prediction, an experiment that runs at once, and the answer beside the prediction."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "The lesson", ":material/school:", 12,
    "Why training stops, in six steps: make a prediction, run the experiment, compare.", "start",
)  # fmt: skip
