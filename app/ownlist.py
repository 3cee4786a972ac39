"""The problems this browser brought: to refine, to download, to keep, to forget."""

from __future__ import annotations

import io
import zipfile
from functools import partial
from pathlib import Path

import streamlit as st

from lsr_app import bringtexts, formats, ownproblems, services, startform
from lsr_app.controls import Now
from lsr_core.storage.bundles import DESCRIPTION, read_description


def section(now: Now) -> None:
    """A line for each; nothing where there are none."""
    if told := st.session_state.pop("brought", None):
        st.success(told, icon=":material/check:")
    for key, folder in ownproblems.names(now.owner).items():
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"own_{folder.name}"):
            title = services.problem_title(folder)
            st.markdown(formats.markdown(formats.one_line(title, 80)), width="stretch")
            if st.button("Refine", key=f"refine_{key}", on_click=startform.choose, args=(key,), type="primary"):
                st.switch_page("views/overview.py")
            st.download_button(
                "Download", data=partial(zipped, folder), file_name=f"{folder.name}.zip",
                mime="application/zip", key=f"download_{key}", on_click="ignore",
            )  # fmt: skip
            keep = f"keep_{key}"
            st.session_state[keep] = ownproblems.kept(now.owner, key)
            st.toggle(
                bringtexts.KEEP, key=keep, help=bringtexts.HELP["keep"], on_change=_keep, args=(now.owner, key, keep)
            )
            st.button("Forget", key=f"forget_{key}", on_click=ownproblems.remove, args=(now.owner, key))


def zipped(folder: Path) -> bytes:
    """A bundle as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in (DESCRIPTION, *read_description(folder).files):
            archive.write(folder / name, name)
    return buffer.getvalue()


def _keep(owner: str, key: str, widget: str) -> None:
    ownproblems.keep(owner, key, bool(st.session_state[widget]))
