"""One button that solves an equation from scratch."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lsr_app.services import jobs, problems
from lsr_app.shell import show
from lsr_app.shell.controls import Now
from lsr_app.shell.launch import launch
from lsr_app.words import solvetexts
from lsr_core.refinement.config import RefineConfig


def section(now: Now, folder: Path, listed: bool) -> None:
    """For problems with an equation; nothing for others."""
    if problems.equation(folder) is None:
        return
    show.section(solvetexts.TITLE, solvetexts.LEAD)
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button(solvetexts.TITLE, key="start_solve", icon=":material/play_arrow:")
        second = st.checkbox(solvetexts.SECOND, key="solve_second", help=solvetexts.SECOND_HELP)
    if start:
        title = f"{problems.title(folder)}, from scratch"
        launch(
            lambda: jobs.submit(folder, RefineConfig(), now.owner, title, listed, "solve", {"second": second}),
            open_it=True,
        )
