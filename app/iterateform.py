"""Start iterative LSR on a problem with an equation."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from pydantic import JsonValue

from lsr_app import services, show, texts
from lsr_app.controls import Now
from lsr_app.launch import launch
from lsr_core.refinement.config import RefineConfig

ROUNDS, SECONDS = 20, 300


def settings(prefix: str) -> dict[str, JsonValue]:
    """Fields for rounds and seconds, as the job takes them."""
    first, second = st.columns(2, gap="small")
    rounds = first.number_input("Rounds", 1, 1000, ROUNDS, key=f"{prefix}_rounds", help=texts.HELP["rounds"])
    seconds = second.number_input(
        "Seconds", 1, 86_400, SECONDS, key=f"{prefix}_seconds", help=texts.HELP["iterate_seconds"]
    )
    return {"steps": int(rounds), "seconds": float(seconds)}


@st.fragment
def section(now: Now, folder: Path, config: RefineConfig) -> None:
    """A small form of its own, with the settings of a refinement that is there."""
    show.section(texts.ITERATE_TITLE, texts.ITERATE_LEAD)
    with st.container(border=True, key="iterate_form"):
        wanted = settings("iterate")
        if st.button("Start iterative LSR", type="primary", key="start_iterate", icon=":material/play_arrow:"):
            submit(now, folder, config, wanted)


def submit(now: Now, folder: Path, config: RefineConfig, wanted: dict[str, JsonValue], listed: bool = True) -> None:
    """Queue the job and open its run; what cannot be done is said in place."""
    title = f"{services.problem_title(folder)}, iterative"
    launch(
        lambda: services.submit(folder, config, now.owner, title, listed, "iterate", wanted),
        open_it=True,
    )
