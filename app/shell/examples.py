"""A run that comes with the product, for a page that the open one cannot fill."""

from __future__ import annotations

import streamlit as st

from lsr_app.shell import state
from lsr_app.shell.controls import Now
from lsr_app.words import examplestexts, formats
from lsr_core.storage.records import JobKind


def offer(now: Now, kind: JobKind, section: str = "") -> None:
    """The way to a shipped run of this kind that is not open; nothing where none came with the product.

    Args:
        section: part of the page Conditioning to show of it.
    """
    found = next((entry for entry in now.entries if entry.shipped and entry.manifest.kind == kind), None)
    if found is None or (now.run is not None and now.run.id == found.id):
        return
    st.button(
        examplestexts.see(formats.markdown(formats.one_line(found.manifest.title, 60))), key=f"example_{kind}_{section}", type="tertiary",
        icon=":material/visibility:", on_click=_open, args=(found.id, section),
    )  # fmt: skip


def _open(run_id: str, section: str) -> None:
    state.open_run(run_id)
    if section:
        state.put("lab", section)
