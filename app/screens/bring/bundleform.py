"""A finished bundle, as a zip: checked by name, size and content before anything of it is used."""

from __future__ import annotations

import streamlit as st

from lsr_app.owning import ownproblems
from lsr_app.screens.bring import bringtexts, uploadlimits, uploads
from lsr_app.shell.controls import Now
from lsr_app.words import formats
from lsr_core.errors import InputError

_ROUND = "bundle_round"  # a new key empties the uploader


def section(now: Now) -> None:
    """The uploader; what was refused stays named until another file is chosen."""
    st.markdown(bringtexts.BUNDLE)
    key = f"bundle_upload_{st.session_state.get(_ROUND, 0)}"
    given = st.file_uploader(
        bringtexts.bundle_label(uploadlimits.MAX_MEGABYTES),
        type=["zip"],
        key=key,
        max_upload_size=uploadlimits.MAX_MEGABYTES,
    )
    if given is None:
        return
    try:
        with st.spinner(bringtexts.CHECKING), uploads.on_disk(given) as archive:
            ownproblems.place(now.owner, lambda folder: uploadlimits.unpack_bundle(archive, folder))
    except InputError as error:
        st.error(formats.markdown(str(error)), icon=":material/error:")
        return
    except OSError as error:
        st.error(formats.markdown(bringtexts.cannot_keep(error.strerror or "")), icon=":material/error:")
        return
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    st.rerun()
