"""Queue a job from a page; what cannot be done is said in place."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lsr_app.shell import pages, state
from lsr_app.words import formats, texts
from lsr_core.errors import InputError


def launch(submit: Callable[[], str | None], *, open_it: bool) -> None:
    """Queue a job, or several, and draw the page again, with a run open if that is asked for.

    Args:
        submit: queues it and returns the id of its run; None for several.
    """
    try:
        run_id = submit()
    except InputError as error:
        st.error(formats.markdown(str(error)), icon=":material/error:")
        return
    except OSError as error:
        st.error(formats.markdown(texts.cannot_write(error.strerror or "")), icon=":material/error:")
        return
    if open_it and run_id is not None:
        state.open_run(run_id)
        if state.at_page() == pages.START:
            st.switch_page(pages.script(pages.HOME), query_params=state.query())
    st.rerun(scope="app")
