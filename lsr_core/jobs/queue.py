"""Submitting, cancelling and looking after runs. All state is on disk, so any process may call these."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from lsr_core.errors import InputError
from lsr_core.jobs import processes
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.records import FINAL_STATES, Failure, JobKind, Status
from lsr_core.storage.runs import Run, RunStore

START_SECONDS = 60.0
_children: list[subprocess.Popen[bytes]] = []


def submit(
    store: RunStore,
    bundle: Path,
    config: RefineConfig,
    *,
    owner: str,
    title: str = "",
    workers: int = 1,
    kind: JobKind = "refine",
    settings: Mapping[str, JsonValue] | None = None,
    listed: bool = True,
    expires: bool = False,
) -> Run:
    """Make a run of the problem in `bundle` and start a worker that waits for its turn.

    Args:
        bundle: folder or zip of a problem, or a sample's name; copied into the run.
        workers: how many runs of this store may be at work at once.
        kind: of job.
        settings: what this kind has besides the config.
        listed: whether others see it in their lists.
        expires: whether it goes when its owner does.

    Raises:
        InputError: the bundle cannot be used; no run is left behind.
    """
    run = create(
        store, bundle, config, owner=owner, title=title, kind=kind, settings=settings, listed=listed, expires=expires
    )
    start(run, workers)
    return run


def start(run: Run, workers: int = 1) -> None:
    """Start a worker for a queued run; it waits for its turn."""
    _reap()
    command = [sys.executable, "-m", "lsr_core.jobs", str(run.path / "run.json"), "--workers", str(workers)]
    _children.append(processes.start(command))


def resume(run: Run, workers: int = 1) -> None:
    """Start a worker for an iteration that was stopped, failed or ended; it goes on from its last half step.

    Raises:
        InputError: another kind of run, or one that is at work.
    """
    check_resumable(run)
    run.write_status(Status(heartbeat=time.time()))
    start(run, workers)


def check_resumable(run: Run) -> None:
    """Refuse a run that cannot go on; raises as `resume`."""
    if run.manifest.kind != "iterate":
        raise InputError(f"this run is a {run.manifest.kind}, not an iteration; only those go on", key="resume")
    if processes.is_alive(run.status()):
        raise InputError("this run is at work; let it end, or cancel it first", key="resume")


def create(
    store: RunStore,
    bundle: str | Path,
    config: RefineConfig,
    *,
    owner: str,
    title: str = "",
    kind: JobKind = "refine",
    settings: Mapping[str, JsonValue] | None = None,
    listed: bool = True,
    expires: bool = False,
) -> Run:
    """Make a queued run of the problem in `bundle`, for a worker of its own or for `worker.execute`; raises as `submit`."""
    from lsr_core.storage.bundles import bundle_folder, copy_bundle, read_description

    with bundle_folder(bundle) as folder:
        described = read_description(folder)
        run = store.create(
            problem=described.name,
            config=config,
            owner=owner,
            title=title or described.title or described.name,
            kind=kind,
            settings=settings,
            listed=listed,
            expires=expires,
        )
        try:
            copy_bundle(folder, run.problem_path, checkpoints=kind == "training")
        except BaseException:
            store.delete(run)
            raise
    return run


def cancel(run: Run) -> None:
    """End the worker of a run and leave the run cancelled; a run that has ended stays as it is."""
    status = run.status()
    if status.status in FINAL_STATES:
        return
    process = processes.find(status.worker) if status.worker else None
    if process is not None:
        processes.end(process)
    _reap()
    _end(run, "cancelled", None)


def reconcile(store: RunStore) -> None:
    """Mark runs as failed whose worker has gone without a word; living workers are left alone, whoever started them."""
    _reap()
    for run in store.list():
        try:
            status = run.status()
        except InputError:
            continue
        if status.status in FINAL_STATES or processes.is_alive(status):
            continue
        if status.worker is None and time.time() - status.heartbeat < START_SECONDS:
            continue  # submitted a moment ago, its worker is still starting
        message = (
            "the worker process ended without a word: it was killed, or the machine ran out of memory or was restarted"
        )
        _end(run, "failed", Failure(message=message))


def _end(run: Run, state: str, error: Failure | None) -> None:
    status = run.status()
    if status.status in FINAL_STATES:
        return  # the worker wrote its own end in the meantime
    run.write_status(
        Status.model_validate(
            {**status.model_dump(), "status": state, "error": error, "remaining": None, "worker": None}
        )
    )


def _reap() -> None:
    """Collect the exit codes of ended children, so that none stays as a zombie."""
    _children[:] = [child for child in _children if child.poll() is None]
