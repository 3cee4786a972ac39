"""Functions on a page: the distribution of their errors, and any of them with its solutions."""

from __future__ import annotations

import streamlit as st

from lsr_app.shell import show
from lsr_app.shell.functions import functionfigures as figures
from lsr_app.shell.functions import functiontexts as words
from lsr_app.shell.functions.functiondata import Functions
from lsr_app.words import formats
from lsr_core.errors import InputError


def section(functions: Functions) -> None:
    """Both, for at least one function."""
    show.figure("function_errors", figures.distribution(functions))
    _one(functions)


@st.fragment
def _one(functions: Functions) -> None:
    """Another choice draws only this again."""
    order = functions.worst_first

    def name(rank: int) -> str:
        place = order[rank]
        return words.picked(rank + 1, int(functions.numbers[place]), formats.error(float(functions.refined[place])))

    rank = st.selectbox(
        words.PICK, range(len(order)), format_func=name, key="function_place", help=words.PICK_HELP, width=420
    )
    place = order[rank]
    try:
        found = functions.look(place)
    except InputError as error:
        st.error(formats.markdown(str(error)), icon=":material/error:")
        return
    if found is None:
        st.caption(words.NO_FIELDS)
        return
    show.headline(
        [
            show.before_after(
                "Relative L2 error of this function", float(functions.base[place]), float(functions.refined[place])
            )
        ]
    )
    curves = found.points.shape[1] == 1
    show.group(
        "one_function",
        figures.panels(found, functions.names),
        extra=(lambda: show.key(figures.key())) if curves else None,
    )
