"""Submitting, cancelling and looking after runs. All state is on disk, so any process may call these."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from lsr_core.errors import InputError
from lsr_core.jobs import dispatcher, processes, remote
from lsr_core.jobs.tickets import Tickets, digest_of
from lsr_core.refinement import serverlimits
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.records import FINAL_STATES, JobKind
from lsr_core.storage.runs import Run, RunStore
from lsr_core.storage.workers import find, is_alive


def submit(
    store: RunStore,
    bundle: Path,
    config: RefineConfig,
    *,
    owner: str,
    title: str = "",
    kind: JobKind = "refine",
    settings: Mapping[str, JsonValue] | None = None,
) -> Run:
    """Make a run of the problem in `bundle` and let it wait for its turn.

    Args:
        bundle: folder or zip of a problem, or a sample's name; copied into the run.
        kind: of job.
        settings: what this kind has besides the config.

    Raises:
        InputError: the bundle cannot be used, the job does not use a setting, or too many jobs wait; no run is left behind.
    """
    make_room(store, owner)
    run = create(store, bundle, config, owner=owner, title=title, kind=kind, settings=settings)
    start(run)
    return run


def start(run: Run) -> None:
    """Let a queued run wait for its turn; a worker process is started when that has come."""
    store = RunStore(run.path.parent)
    Tickets(store.root).add(run, Run(run.path).manifest.owner)  # the worker rewrites what `run` would keep
    dispatcher.wake(store)


def make_room(store: RunStore, owner: str) -> None:
    """Refuse another job where as many wait as a dashboard can promise to look after.

    Raises:
        InputError: of this owner or of all, too many wait; the sentence says when to come again.
    """
    waiting = Tickets(store.root).waiting()
    mine = sum(ticket.owner == digest_of(owner) for ticket in waiting)
    most = serverlimits.current()
    if len(waiting) < most.waiting and mine < most.waiting_of_one:
        return
    who = (
        f"{mine} of your jobs wait"
        if mine >= most.waiting_of_one
        else f"{len(waiting)} jobs wait in this folder of runs"
    )
    raise InputError(f"{who}, which is as many as may; {_when(store)}", key="queue")


def _when(store: RunStore) -> str:
    for ticket in Tickets(store.root).started():
        try:
            remaining = store.open(ticket.run_id).status().remaining
        except InputError:
            continue
        if remaining is not None:
            return f"the one at work ends in about {max(1, round(remaining))} s, then there is room for another"
    return "come again when the one at work has ended, or cancel one that waits"


def ahead(run: Run) -> int | None:
    """How many jobs are at work or have their turn before this one; None if it does not wait in this folder."""
    tickets = Tickets(run.path.parent)
    order = [ticket.run_id for ticket in (*tickets.started(), *tickets.waiting())]
    return order.index(run.id) if run.id in order else None


def check_resumable(run: Run) -> None:
    """Refuse a run that cannot go on, or whose files are not as they were written; raises as `resume`."""
    if run.manifest.kind != "iterate":
        raise InputError(f"this run is a {run.manifest.kind}, not an iteration; only those go on", key="resume")
    if is_alive(run.status()):
        raise InputError("this run is at work; let it end, or cancel it first", key="resume")
    from lsr_core.storage.checking import verify

    verify(run.path)


def create(
    store: RunStore,
    bundle: str | Path,
    config: RefineConfig,
    *,
    owner: str,
    title: str = "",
    kind: JobKind = "refine",
    settings: Mapping[str, JsonValue] | None = None,
) -> Run:
    """Make a queued run of the problem in `bundle`, for a worker of its own or for `worker.execute`; raises as `submit`."""
    from lsr_core.refinement.uses import refuse_unused
    from lsr_core.storage.bundles import bundle_folder, copy_bundle, read_description

    with bundle_folder(bundle) as folder:
        described = read_description(folder)
        full = kind == "race" and (settings or {}).get("space") == "full"
        refuse_unused(config, "race-full" if full else kind, described.kind)
        run = store.create(
            problem=described.name,
            config=config,
            owner=owner,
            title=title or described.title or described.name,
            kind=kind,
            settings=settings,
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
    Tickets(run.path.parent).remove(run.id)
    remote.cancel(run)
    process = find(status.worker) if status.worker else None
    if process is not None:
        processes.end(process)
        processes.reap()
    dispatcher.end(run, "cancelled", None)
    dispatcher.wake(RunStore(run.path.parent))
