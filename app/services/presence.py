"""Sessions of browsers, each noted once when it begins and when it ends."""

from __future__ import annotations

import streamlit as st

from lsr_app.owning import brought, visits


def visit(owner: str) -> None:
    """This browser is here; when its last session ends, what it brought and did not keep goes."""
    _clean()
    _visit(owner)
    brought.sign(owner)


@st.cache_resource(scope="session", on_release=visits.leave, show_spinner=False)
def _visit(owner: str) -> str:
    visits.arrive(owner)
    return owner


@st.cache_resource(max_entries=1, show_spinner=False)
def _clean() -> None:
    """Once in the life of a server."""
    brought.forget_left_over()
