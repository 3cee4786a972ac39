"""The problems this browser brought: to refine, to download, to forget."""

from __future__ import annotations

import streamlit as st

from lsr_app import formats, ownproblems, services, startform
from lsr_app.controls import Now


def section(now: Now) -> None:
    """A line for each; nothing where there are none."""
    for key, folder in ownproblems.names(now.owner).items():
        name, refine, forget = st.columns([4, 1, 1], gap="small", vertical_alignment="center")
        name.markdown(formats.markdown(formats.one_line(services.problem_title(folder), 80)))
        if refine.button("Refine", key=f"refine_{key}", on_click=startform.choose, args=(key,), width="stretch"):
            st.switch_page("views/overview.py")
        forget.button(
            "Forget", key=f"forget_{key}", on_click=ownproblems.remove, args=(now.owner, key), width="stretch"
        )
