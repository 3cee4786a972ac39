"""A run that is not complete: progress with cancel, or the reason and the log."""

from __future__ import annotations

import streamlit as st

from lsr_app.services import jobs, ownership, problems, runs, stamps
from lsr_app.shell import state
from lsr_app.shell.controls import Now
from lsr_app.words import formats, stages, texts
from lsr_core.errors import InputError
from lsr_core.storage.runs import Run

POLL_SECONDS = 0.8  # each look costs server and browser a third of a second on small machines, which the job then lacks
LOG_LINES = 200


def panel(now: Now) -> None:
    """What is known about the run that is open and has no results; the page is drawn again when it ends, or has more to show."""
    assert now.run is not None
    of(now.run, now.status, now.owner)


def of(run: Run, status: str, owner: str) -> None:
    """The same of any run that is not complete."""
    if status in ("queued", "running"):
        _watch(run.id, status, stamps.growth_stamp(run), ownership.owned(run, owner), owner)
    else:
        _ended(run, status)


@st.fragment(run_every=POLL_SECONDS)
def _watch(run_id: str, drawn: str, stamp: str, mine: bool, owner: str) -> None:
    """Polls the status file; the rest of the page is drawn again only when there is more to see."""
    try:
        run, _ = runs.find(run_id)
        jobs.keep_going()
        status = run.status()
    except InputError:
        st.rerun(scope="app")
    if status.status != drawn or stamps.growth_stamp(run) != stamp:
        st.rerun(scope="app")
    fraction = min(1.0, max(0.0, status.fraction))
    physics = problems.equation(run.problem_path) is not None
    stage = stages.stage(status.stage, physics) or formats.one_line(status.stage, 60) or texts.STATES[status.status]
    parts = [f"{fraction:.0%}", f"{formats.seconds(status.elapsed)} so far"]
    if silent := jobs.silence(status):
        parts.append(formats.markdown(silent))
    elif status.remaining is not None:
        parts.append(f"about {formats.seconds(status.remaining)} left")
    text = (
        stages.waiting(jobs.ahead(run))
        if status.status == "queued"
        else f"{formats.markdown(stage)} · {' · '.join(parts)}"
    )
    with st.container(border=True, key="progress"):
        st.progress(fraction, text=text)
        if mine:
            # A callback, because the lines above may draw the page again before a button further down is asked for its value.
            st.button("Cancel", key="cancel", icon=":material/stop_circle:", on_click=_cancel, args=(run_id, owner))


def _cancel(run_id: str, owner: str) -> None:
    try:
        ownership.cancel(runs.find(run_id)[0], owner)
    except InputError as error:
        state.say(str(error))


def _ended(run: Run, status: str) -> None:
    record = run.status()
    if status == "failed":
        error = record.error
        where = ", ".join(part for part in (error.file, error.key) if part) if error else ""
        reason = error.message if error else texts.NO_REASON
        st.error(
            f"{formats.markdown(reason)}{f' ({formats.markdown(where)})' if where else ''}", icon=":material/error:"
        )
    elif status == "cancelled":
        st.info(
            stages.cancelled_at(
                formats.markdown(stages.STAGES.get(record.stage, record.stage)), record.fraction, stamps.has_grown(run)
            ),
            icon=":material/stop_circle:",
        )
    try:
        log = run.log()
    except InputError as error:
        st.warning(formats.markdown(str(error)), icon=":material/error:")
        return
    if log:
        with st.expander("Log", icon=":material/article:", expanded=status == "failed"):
            st.code("\n".join(log.splitlines()[-LOG_LINES:]), language=None, height=240, wrap_lines=True)
