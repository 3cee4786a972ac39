"""Frequencies: which parts of the error each half step removes; follows a run at work."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Frequencies", ":material/graphic_eq:", 4,
    "Which frequencies the error is made of, and which of them refinement removes.", needs="spectrum",
)  # fmt: skip
