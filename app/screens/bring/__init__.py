"""Bring your own: a problem from files or from an equation, to be refined like any sample."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Bring your own", ":material/upload:", 11,
    "Refine a network of yours, or the equation that it should satisfy. What you bring stays with this browser.", "start",
)  # fmt: skip
