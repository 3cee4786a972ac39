"""What the product does and where to begin, for who has not opened a run of their own."""

from __future__ import annotations

import streamlit as st

from lsr_app.screens.overview import overviewtexts
from lsr_app.shell import pages, show, state
from lsr_app.shell.controls import Now
from lsr_app.words import formats, texts


def is_first_look(now: Now) -> bool:
    """Whether the run that comes with the product is shown, and at the rank that it chose."""
    return now.shipped and now.data is not None and state.get(state.COMPARE) is None


def section(now: Now) -> None:
    """Three lines, and three ways on."""
    show.heading(texts.PRODUCT, overviewtexts.TAGLINE)
    lines = "".join(f"<li>{formats.page(line)}</li>" for line in overviewtexts.WHAT_IT_DOES)
    st.html(f"<ul class='lsr-what'>{lines}</ul>")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="welcome"):
        show.link(pages.START, overviewtexts.TRY_IT, ":material/play_circle:")
        show.link("bring", overviewtexts.BRING_YOURS, ":material/upload:")
        mine = next((entry for entry in now.entries if not entry.shipped and entry.manifest.owner == now.owner), None)
        if mine is not None:
            st.button(
                overviewtexts.go_on(formats.markdown(formats.one_line(mine.manifest.title, 60))), key="continue", type="tertiary",
                icon=":material/history:", on_click=state.open_run, args=(mine.id,),
            )  # fmt: skip
        else:
            show.link("lesson", overviewtexts.LEARN, ":material/school:")
