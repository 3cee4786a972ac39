"""Bring your own: a problem from files or from an equation, to be refined like any sample."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lsr_app.screens.bring import SCREEN, bringtexts, bundleform, dataform, equationform, ownlist
from lsr_app.shell import controls, show, state
from lsr_app.shell.controls import Now

WAYS: dict[str, Callable[[Now], None]] = {
    "bundle": bundleform.section,
    "files": dataform.section,
    "equation": equationform.section,
}

now = controls.now()
show.heading(SCREEN.title, SCREEN.lead)
ownlist.section(now)
state.seed("way", state.get("way"))
way = st.segmented_control(
    "What you have", list(WAYS), format_func=bringtexts.WAYS.__getitem__, required=True, **state.bound("way")
)
WAYS[way](now)
