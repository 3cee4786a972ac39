"""The problems this browser brought: to refine, to take away, to keep or to forget."""

from __future__ import annotations

import io
import zipfile
from functools import partial
from pathlib import Path

import streamlit as st

from lsr_app.owning import ownproblems
from lsr_app.screens.bring import bringtexts
from lsr_app.services import problems
from lsr_app.shell import show, wanted
from lsr_app.shell.controls import Now
from lsr_app.words import formats, texts
from lsr_core.refinement import serverlimits
from lsr_core.storage import inside
from lsr_core.storage.bundle_files import DESCRIPTION, MAX_FILE_BYTES
from lsr_core.storage.bundles import read_description

_OFFERED = "bring_offered"


def section(now: Now) -> None:
    """A line for each; nothing where there are none."""
    found = ownproblems.names(now.owner)
    if not found:
        return
    show.section(bringtexts.YOURS, texts.yours(not serverlimits.current().passing), apart=False)
    for key, folder in found.items():
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"own_{folder.name}"):
            title = formats.one_line(problems.title(folder), 80)
            st.markdown(f"**{formats.markdown(title)}**", width="stretch")
            if st.button("Refine", key=f"refine_{key}", type="primary", on_click=wanted.bring, args=(key, now)):
                wanted.go()
            st.download_button(
                "Download", data=partial(_zip, folder), file_name="problem.zip", mime="application/zip",
                key=f"download_{key}", on_click="ignore",
            )  # fmt: skip
            if not serverlimits.current().passing:
                kept = ownproblems.is_kept(folder)
                st.button(
                    bringtexts.KEPT if kept else bringtexts.KEEP, key=f"keep_{key}", disabled=kept, help=bringtexts.KEEP_HELP,
                    on_click=ownproblems.keep, args=(folder,),
                )  # fmt: skip
            st.button("Forget", key=f"forget_{key}", on_click=ownproblems.remove, args=(now.owner, key))


def offer(now: Now, made: str | None) -> None:
    """That a problem was made just now, where its form ends; nothing once it is forgotten."""
    if made not in ownproblems.names(now.owner):
        return
    if st.session_state.get(_OFFERED) != made:  # where the form ends is below what is seen of it, as a rule
        st.session_state[_OFFERED] = made
        st.toast(bringtexts.MADE, icon=":material/check:")
    st.success(bringtexts.MADE, icon=":material/check:")
    if st.button(bringtexts.REFINE, key="refine_made", type="primary", on_click=wanted.bring, args=(made, now)):
        wanted.go()


def _zip(folder: Path) -> bytes:
    """The bundle as one file; weights hardly shrink, so they are stored as they are."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in (DESCRIPTION, *read_description(folder).files):
            archive.writestr(name, inside.read(folder / name, MAX_FILE_BYTES))
    return packed.getvalue()
