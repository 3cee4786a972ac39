"""The first lines of every page: is there something to show?"""

from __future__ import annotations

import streamlit as st

from lsr_app.reading import runkinds
from lsr_app.reading.rundata import RunData
from lsr_app.services import gallery, jobs, runs
from lsr_app.shell import controls, examples, pages, progress, show, solvesection, state
from lsr_app.shell.controls import Now
from lsr_app.shell.functions import casesection
from lsr_app.shell.pages import Screen
from lsr_app.words import texts
from lsr_core.errors import InputError
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.runs import Run

SECTIONS = {"cases": casesection.section, "solve": solvesection.section}  # of runs that no page is for


def need_run(screen: Screen) -> tuple[Now, RunData]:
    """The selection, once it is a complete run; otherwise the page says what is missing and stops."""
    now = controls.now()
    if now.data is None:
        refining = now.run is None or runkinds.of(now.run.manifest).refines
        show.heading(screen.title, texts.NOT_COMPLETE.get(now.status, "") if refining else "")
        if now.run is None:
            offer_first_run(now)
        elif not refining:
            say_kind(now.run, now.owner)
            examples.offer(now, "refine")
        elif now.status in ("queued", "running"):
            progress.panel(now)
        else:
            show.link(pages.HOME, "Go to Overview", ":material/arrow_back:")
        st.stop()
    show.heading(screen.title, screen.lead)
    controls.compare_note()
    return now, now.data


def say_kind(run: Run, owner: str) -> None:
    """What a run that is no single refinement is, and the page that shows it."""
    kind = runkinds.of(run.manifest)
    if not kind.page:
        SECTIONS[run.manifest.kind](run, owner)
        return
    st.info(kind.sentence, icon=":material/info:")
    st.page_link(
        pages.script(kind.page), label=f"Go to {pages.found()[kind.page].title}", icon=":material/arrow_forward:",
        query_params=state.query(),
    )  # fmt: skip


def offer_first_run(now: Now) -> None:
    """The one button that makes a run, where there is none; otherwise a way back to one."""
    if default := runs.default_run(now.owner):
        if st.button(
            "Open the run that comes with the product" if _shipped(now, default) else "Open the newest run",
            type="primary",
        ):
            state.open_run(default)
            st.rerun()
        return
    st.info(texts.NO_RUN, icon=":material/info:")
    samples = gallery.samples()
    if not samples:
        st.warning(texts.NO_SAMPLES)
        return
    name = next(iter(samples))
    if st.button(texts.NO_RUN_BUTTON.format(name=name), type="primary", key="first_run"):
        start_sample(now, name)


def start_sample(now: Now, name: str) -> None:
    """Refine a sample with the usual settings and look at the run."""
    import lsr_samples

    try:
        run_id = jobs.submit(lsr_samples.folder(name), RefineConfig(), now.owner, name)
    except InputError as error:
        st.error(str(error))
        return
    state.open_run(run_id)
    st.rerun()


def _shipped(now: Now, run_id: str) -> bool:
    return any(entry.shipped for entry in now.entries if entry.id == run_id)
