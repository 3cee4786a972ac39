"""Overview: what this is, and the network before and after."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Overview", ":material/home:", 0,
)  # fmt: skip
