"""Runs: all that there are, to sort, search, open, compare and look after."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Runs", ":material/table_rows:", 9,
    "Every run that you may see. Choose rows to open, compare or look after them; a click on a heading sorts.", "all",
    scripts=("DataFrame", "arrowFormatUtils"),
)  # fmt: skip
