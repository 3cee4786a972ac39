"""Overview: the network before and after, samples, the form that starts a refinement, and the list of runs."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Overview", ":material/home:", 0,
)  # fmt: skip
