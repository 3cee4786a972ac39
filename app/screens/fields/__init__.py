"""Error fields: where the network errs, and what refinement leaves of it."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Error fields", ":material/grid_view:", 2,
    "Where the network errs, and what refinement leaves of it.", needs="refinement",
)  # fmt: skip
