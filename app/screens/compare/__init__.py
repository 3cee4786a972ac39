"""Compare: any number of refinements side by side, each at its own rank."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Compare", ":material/compare_arrows:", 8,
    "Refinements side by side, each in its own colour and at its own rank. The address holds the choice, so a link shows the same.", "all",
)  # fmt: skip
