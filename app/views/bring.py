"""Bring your own: a problem from files or from an equation, to be refined like any sample."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lsr_app import controls, show, state, texts
from lsr_app.bring import bundleform, dataform, equationform, ownlist
from lsr_app.controls import Now

WAYS: dict[str, Callable[[Now], None]] = {
    "bundle": bundleform.section,
    "files": dataform.section,
    "equation": equationform.section,
}

now = controls.now()
show.heading(texts.PAGES["bring"][0], texts.LEADS["bring"])
ownlist.section(now)
state.seed("way", state.get("way"))
way = st.segmented_control(
    "What you have", list(WAYS), format_func=texts.WAYS.__getitem__, required=True, **state.bound("way")
)
WAYS[way](now)
