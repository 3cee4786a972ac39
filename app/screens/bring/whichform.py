"""The tensors of an upload, and which network is meant where a file holds several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lsr_app.screens.bring import bringtexts, uploads
from lsr_app.words import formats

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile
    from torch import Tensor


def tensors(file: UploadedFile) -> dict[str, Tensor]:
    """The state dict of the upload; empty as long as none is chosen of several.

    Raises:
        InputError: the file cannot be used.
    """
    from lsr_core.intake.subnetworks import SeveralNetworks

    try:
        return uploads.tensors(file)
    except SeveralNetworks as error:
        named = st.selectbox(
            bringtexts.WHICH_NETWORK, error.names, index=None, key=f"which_{file.file_id}", format_func=formats.markdown,
            help=bringtexts.HELP["which"], width=320,
        )  # fmt: skip
    if named is None:
        st.info(bringtexts.CHOOSE_NETWORK, icon=":material/info:")
        return {}
    return uploads.tensors(file, named)


def chosen(file: UploadedFile) -> str:
    """The network that is chosen of several, to tell its fields from those of another."""
    return str(st.session_state.get(f"which_{file.file_id}") or "")
