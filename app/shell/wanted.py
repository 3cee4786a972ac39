"""Which problem the form is to be filled with, said by whoever chose one."""

from __future__ import annotations

import streamlit as st

from lsr_app.shell import pages, state
from lsr_app.shell.controls import Now

CHOICE = "form_problem"
FIELDS = "form_set_"  # what the keys of all other fields begin with
_WAITS = "form_waits"


def choose(name: str) -> None:
    """Fill the form with this problem the next time it is drawn."""
    st.session_state[CHOICE] = name
    forget_fields()


def forget_fields() -> None:
    """Have the fields of the form begin anew."""
    for key in [key for key in st.session_state if str(key).startswith(FIELDS)]:
        del st.session_state[key]


def bring(name: str, now: Now) -> None:
    """The same with a problem of the user's own."""
    choose(name)
    st.session_state[_WAITS] = _open(now)


def waits(now: Now) -> bool:
    """Whether a problem was brought since this run was opened."""
    return bool(st.session_state.get(_WAITS) == _open(now))


def go() -> None:
    """To the form."""
    st.switch_page(pages.script(pages.START), query_params=state.query())


def _open(now: Now) -> str:
    return now.run.id if now.run is not None else ""
