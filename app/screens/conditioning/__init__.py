"""Conditioning: is it nonconvexity or ill-conditioning? The race, the loss plane, the directions and the isolation."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Conditioning", ":material/science:", 5,
    "Is it nonconvexity that stops training here, or ill-conditioning? Experiments around the trained network.", needs="experiments",
)  # fmt: skip
