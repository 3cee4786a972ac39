"""Gives jobs to worker processes, one at a time. A thread of the process that queues them; of several processes one at a time dispatches.

A job that waits is a ticket on disk and nothing else, so a server that comes later goes on where another one stopped.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from lsr_core.errors import InputError
from lsr_core.jobs import processes, standby
from lsr_core.jobs.tickets import Ticket, Tickets
from lsr_core.storage import digests
from lsr_core.storage.records import FINAL_STATES, Failure, Status
from lsr_core.storage.runs import Run, RunStore
from lsr_core.storage.workers import GONE, START_SECONDS, is_alive, silence

TICK_SECONDS = 0.2
TROUBLE_SECONDS = 2.0  # until the next try where the disk or the system refuses
SILENT_SECONDS = 60.0  # a worker that gave no sign for so long keeps its process, not its turn
_guard = threading.Lock()
_dispatchers: dict[Path, Dispatcher] = {}


def wake(store: RunStore) -> None:
    """See to the jobs that wait in this folder, now."""
    root = store.root.resolve()
    tickets = Tickets(root)
    with _guard:
        if root not in _dispatchers:
            if not (tickets.waiting() or tickets.started()):
                return
            _dispatchers[root] = Dispatcher(root)
            _dispatchers[root].start()
        _dispatchers[root].news.set()


class Dispatcher(threading.Thread):
    """At work as long as there are tickets in the folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(name="dispatcher", daemon=True)
        self.news = threading.Event()
        self._root, self._store, self._tickets = root, RunStore(root), Tickets(root)
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._seen: dict[str, float] = {}  # since when a started job is known here

    def run(self) -> None:
        while not self._is_through():
            pause = TICK_SECONDS
            try:
                with FileLock(self._tickets.folder / "dispatcher.lock").acquire(timeout=0):
                    while self._tickets.waiting() or self._tickets.started():
                        self._step()
                        self.news.wait(TICK_SECONDS)
                        self.news.clear()
            except Timeout:
                pause = TROUBLE_SECONDS  # another process dispatches
            except OSError:
                pause = TROUBLE_SECONDS  # no room, no right, too many processes: tried again
            self.news.wait(pause)

    def _is_through(self) -> bool:
        """Whether nothing is left; then this thread is not the dispatcher any more."""
        with _guard:
            try:
                left = self._tickets.waiting() or self._tickets.started()
            except OSError:
                left = []
            self.news.clear()
            if not left:
                _dispatchers.pop(self._root, None)
            return not left

    def _step(self) -> None:
        processes.reap()
        at_work = [ticket for ticket in self._tickets.started() if self._occupies(ticket)]
        if at_work:
            return
        for ticket in self._tickets.waiting():
            run = self._openable(ticket)
            if run is None:
                self._tickets.remove(ticket.run_id)
            elif self._tickets.start(ticket):
                self._workers[run.id] = _worker(run)
                return

    def _openable(self, ticket: Ticket) -> Run | None:
        """The run if it still waits: it may have been cancelled, deleted or damaged."""
        try:
            run = self._store.open(ticket.run_id)
            return run if run.status().status == "queued" else None
        except InputError:
            return None

    def _occupies(self, ticket: Ticket) -> bool:
        """Whether a started job still has its turn. One that ended leaves; one whose worker is gone is marked as failed first."""
        child = self._workers.get(ticket.run_id)
        gone = child is not None and child.poll() is not None  # asked before the status, which a worker writes last
        known = time.monotonic() - self._seen.setdefault(ticket.run_id, time.monotonic())
        try:
            run = self._store.open(ticket.run_id)
            status = run.recorded_status()
        except InputError:  # deleted or damaged
            return self._leaves(ticket, gone or child is None)
        if status.status in FINAL_STATES:
            return self._leaves(ticket, gone or child is None or known > SILENT_SECONDS < silence(status))
        if gone or (child is None and known > START_SECONDS and not is_alive(status)):
            self._leaves(ticket, True)
            end(run, "failed", Failure(message=GONE))
            return False
        return min(known, silence(status)) < SILENT_SECONDS

    def _leaves(self, ticket: Ticket, through: bool) -> bool:
        """Forget a job whose process is through; returns whether it is not."""
        if through:
            self._tickets.remove(ticket.run_id)
            self._workers.pop(ticket.run_id, None)
            self._seen.pop(ticket.run_id, None)
        return not through


def end(run: Run, state: str, error: Failure | None) -> None:
    """Write the end of a run that did not write it itself."""
    status = run.recorded_status()
    if status.status in FINAL_STATES:
        return  # the worker wrote its own end in the meantime
    try:
        digests.write(run.path)
        noted = True
    except (OSError, InputError):
        noted = False  # the end is worth more than the digests
    changes = {"status": state, "error": error, "remaining": None, "worker": None, "digests": noted}
    run.write_status(Status.model_validate({**status.model_dump(), **changes}))


def _worker(run: Run) -> subprocess.Popen[bytes]:
    """A process that does this job: the one that stands by, or a new one."""
    arguments = [str(run.path / "run.json")]
    return standby.take(arguments) or processes.start([sys.executable, "-m", "lsr_core.jobs", *arguments])
