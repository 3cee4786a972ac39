"""Runs: all that there are, to sort, search, open, compare and look after."""

from __future__ import annotations

import streamlit as st

from lsr_app.screens.runs import SCREEN, care, importancesection, runstexts, runtable
from lsr_app.services.runs import RunEntry
from lsr_app.shell import controls, pages, show, state
from lsr_app.shell.controls import Now

now = controls.now()
show.heading(SCREEN.title, SCREEN.lead)


def go_on(now: Now, chosen: list[RunEntry]) -> None:
    """Open one of the chosen runs, compare some, and look after those of one's own."""
    refined = [entry for entry in chosen if entry.refined]
    with show.row():
        if st.button("Open", key="open_chosen", type="primary", disabled=len(chosen) != 1, help=runstexts.OPEN_HELP):
            state.open_run(chosen[0].id)
            st.switch_page(pages.script(pages.HOME), query_params=state.query())
        fits = 2 <= len(refined) <= state.MOST_RUNS and len(refined) == len(chosen)
        if st.button("Compare", key="compare_chosen", disabled=not fits, help=runstexts.COMPARE_HELP):
            state.put(state.RUNS, ",".join(entry.id for entry in refined))
            st.switch_page(pages.script(pages.COMPARE), query_params=state.query())
        st.caption(runstexts.chosen(len(chosen)))
    mine = [entry for entry in chosen if not entry.shipped and entry.manifest.owner == now.owner]
    if mine:
        care.section(now, mine)
    for entry in chosen[:1]:
        if entry.manifest.note:
            st.caption(runstexts.NOTE)
            st.text(entry.manifest.note)


if not now.entries:
    st.caption(runstexts.NO_RUNS)
    show.link(pages.START, runstexts.START, ":material/play_circle:")
else:
    shown, chosen = runtable.section(now)
    go_on(now, chosen)
    importancesection.section(shown)
