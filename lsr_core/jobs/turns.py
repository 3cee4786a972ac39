"""Waiting for one's turn: at most N runs of a store at work, first come, first served."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from lsr_core.errors import InputError
from lsr_core.jobs import processes
from lsr_core.storage.runs import Run, RunStore

POLL_SECONDS = 0.2


@contextmanager
def turn(run: Run, workers: int) -> Iterator[None]:
    """Hold one of the store's slots. The locks are the operating system's, so a killed worker frees its slot."""
    folder = run.path.parent / ".slots"
    folder.mkdir(exist_ok=True)
    slots = [FileLock(folder / f"{number}.lock") for number in range(workers)]
    held = None
    while held is None:
        if _is_next(run):
            held = next((slot for slot in slots if _taken(slot)), None)
        if held is None:
            time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        held.release()


def _taken(slot: FileLock) -> bool:
    try:
        slot.acquire(timeout=0)
    except Timeout:
        return False
    return True


def ahead(run: Run) -> int:
    """How many earlier runs of the store are at work or wait."""
    return len(_earlier(run))


def _is_next(run: Run) -> bool:
    """Whether no living worker of an earlier run is still waiting."""
    return "queued" not in _earlier(run)


def _earlier(run: Run) -> list[str]:
    """The states of earlier runs whose workers live: queued or running."""
    found: list[str] = []
    for other in RunStore(run.path.parent).list():
        if other.id == run.id or (other.manifest.created, other.id) > (run.manifest.created, run.id):
            continue
        try:
            status = other.status()
        except InputError:
            continue
        if status.status in ("queued", "running") and processes.is_alive(status):
            found.append(status.status)
    return found
