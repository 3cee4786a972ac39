"""A solve from scratch: what came of it, and every window that was tried."""

from __future__ import annotations

import streamlit as st

from lsr_app.services import results
from lsr_app.shell import progress, show, unknownsection
from lsr_app.words import formats, solvetexts, texts
from lsr_core.errors import InputError
from lsr_core.solver.records import SolveStep, SolveSummary
from lsr_core.storage.runs import Run

FIGURES = (
    "start",
    "end",
    "value",
    "newton_steps",
    "residual",
    "fresh_residual",
    "relative_residual",
    "kept",
    "seconds",
)


def section(run: Run, owner: str) -> None:
    """What the run holds so far."""
    status = run.status().status
    if status != "complete":
        progress.of(run, status, owner)
    try:
        steps, summary = results.solve(run)
    except InputError as error:
        st.error(formats.markdown(str(error)), icon=":material/error:")
        return
    if summary is not None:
        _outcome(summary)
    if steps:
        _table(steps)


def _outcome(summary: SolveSummary) -> None:
    said = formats.markdown(texts.begun(summary.sentence))
    if summary.solved:
        st.success(said, icon=":material/check_circle:")
    else:
        st.warning(said, icon=":material/warning:")
    if summary.relative_l2 is not None:
        st.markdown(solvetexts.ERROR.format(error=formats.error(summary.relative_l2)))
    unknownsection.section(summary.unknowns, summary.measured)


def _table(steps: list[SolveStep]) -> None:
    rows = [
        (_where(step), str(step.newton_steps), formats.error(step.relative_residual), solvetexts.KEPT if step.kept else solvetexts.LEFT)
        for step in steps
    ]  # fmt: skip
    show.table(
        "solve", solvetexts.COLUMNS, rows, caption=solvetexts.CAPTION,
        data=lambda: [tuple(getattr(step, name) for name in FIGURES) for step in steps],
        data_columns=FIGURES,
    )  # fmt: skip


def _where(step: SolveStep) -> str:
    if step.value is not None:
        return solvetexts.AT.format(value=formats.plain(step.value))
    if step.start is None or step.end is None:
        return solvetexts.WHOLE
    return f"{formats.plain(step.start)} to {formats.plain(step.end)}"
