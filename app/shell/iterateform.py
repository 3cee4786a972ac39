"""Start iterative LSR on a problem with an equation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from pydantic import JsonValue, ValidationError

from lsr_app.services import jobs, problems
from lsr_app.shell import show
from lsr_app.shell.controls import Now
from lsr_app.shell.launch import launch
from lsr_app.words import texts
from lsr_core.iteration.config import IterateConfig
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.uses import only_used


def settings(prefix: str, before: Mapping[str, JsonValue] | None = None) -> dict[str, JsonValue]:
    """Fields for rounds and seconds, as the job takes them; all else stays as it was `before`."""
    try:
        was = IterateConfig.model_validate(before or {})
    except ValidationError:  # of another version, or by another hand
        before, was = {}, IterateConfig()
    first, second = st.columns(2, gap="small")
    st.session_state.setdefault(f"{prefix}_rounds", was.steps)
    st.session_state.setdefault(f"{prefix}_seconds", max(1, round(was.seconds)))
    rounds = first.number_input("Rounds", 1, 1000, key=f"{prefix}_rounds", help=texts.HELP["rounds"])
    seconds = second.number_input(
        "Seconds", 1, 30 * 86_400, key=f"{prefix}_seconds", help=texts.HELP["iterate_seconds"]
    )
    return {**(before or {}), "steps": int(rounds), "seconds": float(seconds)}


@st.fragment
def section(now: Now, folder: Path, config: RefineConfig) -> None:
    """A small form of its own, with the settings of a refinement that is there."""
    show.section(texts.ITERATE_TITLE, texts.ITERATE_LEAD)
    with st.container(border=True, key="iterate_form"):
        wanted = settings("iterate")
        if st.button("Start iterative LSR", type="primary", key="start_iterate", icon=":material/play_arrow:"):
            submit(now, folder, only_used(config, "iterate", "physics"), wanted)


def submit(now: Now, folder: Path, config: RefineConfig, wanted: dict[str, JsonValue], listed: bool = True) -> None:
    """Queue the job and open its run; what cannot be done is said in place."""
    title = f"{problems.title(folder)}, iterative"
    launch(
        lambda: jobs.submit(folder, config, now.owner, title, listed, "iterate", wanted),
        open_it=True,
    )
