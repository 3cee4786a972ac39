"""Hand jobs to the queue, and let it look after them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from pydantic import JsonValue

from lsr_app import places
from lsr_app.services import ownership, runs
from lsr_app.words import formats, stages
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.records import JobKind, Status
from lsr_core.storage.runs import Run

if TYPE_CHECKING:
    from lsr_core.diagnosis.plane import PlaneSettings

LOOK_SECONDS = 3.0


def submit(
    folder: Path,
    config: RefineConfig,
    owner: str,
    title: str,
    listed: bool = True,
    kind: JobKind = "refine",
    settings: Mapping[str, JsonValue] | None = None,
    made_of: Path | None = None,
) -> str:
    """Queue a refinement, or a job of another kind, and return the id of its run.

    Args:
        made_of: the problem that `folder` was made of, where it is another; its privacy counts.

    Raises:
        InputError: the problem or the configuration cannot be used, or too many jobs wait.
    """
    from lsr_core.jobs import queue

    queue.make_room(runs.store(), owner)
    passing = ownership.is_passing(made_of or folder)
    run = queue.create(runs.store(), folder, config, owner=owner, title=title, kind=kind, settings=settings)
    _mark(run, listed=listed and not passing, session_only=passing)
    queue.start(run)
    return run.id


def ahead(run: Run) -> int | None:
    """How many runs have their turn before a queued one; None if it is in no queue of this machine."""
    from lsr_core.jobs import queue

    return queue.ahead(run)


def silence(status: Status) -> str | None:
    """Where a worker at work has given no sign for long: who it is, and since when."""
    from lsr_core.jobs.dispatcher import SILENT_SECONDS
    from lsr_core.storage.workers import silence

    seconds = silence(status)
    if status.worker is None or seconds < SILENT_SECONDS:
        return None
    return stages.silent(status.worker.pid, status.worker.host, formats.seconds(seconds))


def submit_plane(source: Run, settings: PlaneSettings, owner: str) -> str:
    """Queue a loss plane for the step of a refinement and return the id of its run.

    Raises:
        InputError: the refinement has no step, or too many jobs wait.
    """
    from lsr_core.jobs import planing, queue

    queue.make_room(runs.store(), owner)
    run = planing.create_plane(runs.store(), source, settings, owner=owner)
    passing = ownership.is_passing(source.problem_path)
    _mark(run, listed=not passing, session_only=passing)
    queue.start(run)
    return run.id


def _mark(run: Run, *, listed: bool, session_only: bool) -> None:
    if not listed or session_only:
        run.write_manifest(run.manifest.model_copy(update={"listed": listed, "session_only": session_only}))


def make_ready() -> None:
    """Have a worker process wait for the next job, in a server that keeps one."""
    if places.keeps_a_worker_ready():
        from lsr_core.jobs import standby

        standby.prepare()


def keep_going() -> None:
    """See to jobs that wait, also those that an earlier server left; at most every few seconds for the whole server."""
    _keep_going(int(time.time() / LOOK_SECONDS))


@st.cache_resource(max_entries=1, show_spinner=False)
def _keep_going(period: int) -> None:
    from lsr_core.jobs import dispatcher, executors

    dispatcher.wake(runs.store())
    executors.look_after(runs.store())
