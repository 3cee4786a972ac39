"""Refine a network: samples to choose from, and the form that starts a run."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Refine a network", ":material/play_circle:", 10,
    "Choose a trained network, and how far to refine it. The work runs in the background.", "start",
)  # fmt: skip
