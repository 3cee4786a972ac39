"""Rank: error, singular values, condition number and step length against the rank."""

from __future__ import annotations

from lsr_app.shell.pages import Screen

SCREEN = Screen(
    "Rank", ":material/show_chart:", 1,
    "How far refinement goes with each further direction of the subspace, and what it costs in conditioning and step length.", needs="refinement",
)  # fmt: skip
