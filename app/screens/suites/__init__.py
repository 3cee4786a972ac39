"""Suites: equations that people quote, solved by stored recipes, beside what is published."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Suites", ":material/checklist:", 13,
    "Equations that people quote, each solved by a recipe that is stored with it and looks at no solution, beside the best published error.",
    "all",
)  # fmt: skip
