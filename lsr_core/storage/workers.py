"""Which process works on a run, whether it still lives, and what a status means once it does not."""

from __future__ import annotations

import os
import socket
import time

import psutil

from lsr_core.storage.records import FINAL_STATES, Failure, Status, Worker

FOREIGN_SILENCE = 120.0
START_SECONDS = 60.0  # between being given a job and the first sign of a worker, on a slow machine
START_TOLERANCE = 1.5
GONE = "the worker process ended without a word: it was killed, or the machine ran out of memory or was restarted"


def this_process() -> Worker:
    """Identity of the running process."""
    return Worker(host=socket.gethostname(), pid=os.getpid(), started=psutil.Process().create_time())


def find(worker: Worker) -> psutil.Process | None:
    """The living process on this machine that is this worker."""
    if worker.host != socket.gethostname():
        return None
    try:
        process = psutil.Process(worker.pid)
        same = abs(process.create_time() - worker.started) < START_TOLERANCE
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, ValueError, OverflowError):  # not a number that a process can have
        return None


def is_alive(status: Status) -> bool:
    """Whether the worker named in a status still lives.

    A process on this machine is known by its id and start time. Of one elsewhere only the heartbeat tells, and one from the future does not.
    """
    worker = status.worker
    if worker is None:
        return False
    if worker.host != socket.gethostname():
        return abs(time.time() - status.heartbeat) < FOREIGN_SILENCE
    return find(worker) is not None


def silence(status: Status) -> float:
    """Seconds since the last sign of the worker; none where the clock was set back since."""
    return max(0.0, time.time() - status.heartbeat)


def observed(status: Status) -> Status:
    """The status as it has to be taken now: a run at work whose worker is gone has failed, whatever its file says."""
    if status.status in FINAL_STATES or status.worker is None or is_alive(status):
        return status
    failure = Failure(message=GONE)
    return status.model_copy(update={"status": "failed", "error": failure, "remaining": None, "worker": None})
