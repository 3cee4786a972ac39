"""What the sections of the lab share: the run of an experiment as it stands, and the form for another one."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

import streamlit as st

from lsr_app.reading import runkinds
from lsr_app.services import problems
from lsr_app.shell import examples, progress, show, state
from lsr_app.shell.controls import Now
from lsr_app.shell.lab.bench import Bench
from lsr_app.words import formats, labtexts, texts
from lsr_core.errors import InputError
from lsr_core.storage.records import JobKind
from lsr_core.storage.runs import Run

Result = TypeVar("Result")


def result(now: Now, bench: Bench, kind: JobKind, read: Callable[[Run], Result | None]) -> Result | None:
    """What the experiment has found so far, below its progress or how it ended; the page says why where there is nothing."""
    run, section = bench.runs.get(kind), runkinds.KINDS[kind].part
    if run is None:
        st.caption(labtexts.LAB_NONE[section])
        examples.offer(now, kind, section if section in labtexts.LAB_SECTIONS else "")
        return None
    status = run.status().status
    _name(run, bench)
    if status != "complete":
        progress.of(run, status, now.owner)
    try:
        found = read(run)
    except InputError as error:
        st.error(formats.markdown(texts.damaged(str(error))), icon=":material/error:")
        return None
    if found is None and status in ("queued", "running"):
        st.info(labtexts.LAB_FIRST[section], icon=":material/hourglass_empty:")
    return found


def form(bench: Bench, kind: JobKind) -> AbstractContextManager[object]:
    """Where the settings of another experiment are asked for: open if there is none yet."""
    section = runkinds.KINDS[kind].part
    if kind in bench.runs:
        return st.expander(labtexts.LAB_AGAIN[section], icon=":material/play_arrow:", key=f"{section}_form")
    return st.container(border=True, key=f"{section}_form")


def start(kind: JobKind) -> bool:
    """The button of the form."""
    section = runkinds.KINDS[kind].part
    return st.button(labtexts.LAB_START[section], type="primary", key=f"start_{section}", icon=":material/play_arrow:")


def heading(section: str) -> None:
    show.section(labtexts.LAB_SECTIONS[section], labtexts.LAB_LEADS[section], apart=False)


def title(bench: Bench, kind: JobKind) -> str:
    """Name of a new run."""
    return f"{problems.title(bench.anchor.problem_path)}, {runkinds.KINDS[kind].title}"


def _name(run: Run, bench: Bench) -> None:
    """Which run is shown where it is not the open one, else the refinement it stands beside; and the way there."""
    if run.id == bench.anchor.id:
        if bench.base is not None:
            _link(
                labtexts.lab_beside(formats.one_line(bench.base.manifest.title, 60)),
                "Open the refinement",
                bench.base,
                run,
            )
        return
    shown = formats.one_line(run.manifest.title, 60)
    _link(f"{shown}, {formats.ago(run.manifest.created, time.time())}", "Open this run", run, run)


def _link(words: str, label: str, run: Run, experiment: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(formats.markdown(words), width="content")
        section = runkinds.of(experiment.manifest).part
        st.button(label, key=f"open_here_{run.id}", type="tertiary", on_click=_open, args=(run.id, section))


def _open(run_id: str, section: str) -> None:
    """Look at another run, in the same part of the page."""
    state.open_run(run_id)
    state.put("lab", section)
