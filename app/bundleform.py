"""A finished bundle, as a zip."""

from __future__ import annotations

import streamlit as st

from lsr_app import bringtexts, formats, ownproblems, startform, texts, uploads
from lsr_app.controls import Now
from lsr_core.errors import InputError
from lsr_core.storage.bundles import copy_bundle

MAX_BYTES = 2**30


def section(now: Now) -> None:
    """The form."""
    st.caption(bringtexts.BUNDLE_LEAD)
    with st.form("bundle_form", border=False):
        file = st.file_uploader(bringtexts.BUNDLE_LABEL, type=["zip"], key="bundle_file")
        sent = st.form_submit_button("Add the bundle", type="primary", icon=":material/add:")
    if not sent or file is None:
        return
    try:
        with uploads.on_disk(file) as path:
            key = ownproblems.add(now.owner, lambda folder: copy_bundle(path, folder, max_bytes=MAX_BYTES))
    except InputError as error:
        st.error(formats.markdown(str(error)), icon=":material/error:")
        return
    except OSError as error:
        st.error(formats.markdown(texts.cannot_write(error.strerror or "")), icon=":material/error:")
        return
    startform.choose(key)
    st.session_state["brought"] = bringtexts.READY
    st.rerun()
