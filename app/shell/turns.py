"""Widgets that show what others can change as well."""

from __future__ import annotations

from typing import Any

import streamlit as st

_TURNS = "lsr_turns"


def fresh(widget: str, value: Any) -> str:
    """The key of a widget that shows this value, which others can change as well.

    Where it shows another, a new widget takes its place. A value that was sent to the old one reaches the browser while it may be saying
    something else already, and says with it what the old one showed: that would count as chosen by hand.
    """
    turns = st.session_state.setdefault(_TURNS, {})
    name = f"{widget}_{turns.get(widget, 0)}"
    if st.session_state.get(name, value) != value:
        turns[widget] = turns.get(widget, 0) + 1
        name = f"{widget}_{turns[widget]}"
    if name not in st.session_state:
        st.session_state[name] = value
    return name
