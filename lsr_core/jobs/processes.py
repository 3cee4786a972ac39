"""Which process works on a run, whether it still lives, and how to end it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time

import psutil

from lsr_core.storage.records import Status, Worker

FOREIGN_SILENCE = 120.0
START_TOLERANCE = 1.5
GRACE_SECONDS = 0.4


def this_process() -> Worker:
    """Identity of the running process."""
    return Worker(host=socket.gethostname(), pid=os.getpid(), started=psutil.Process().create_time())


def is_alive(status: Status) -> bool:
    """Whether the worker named in a status still lives.

    A process on this machine is known by its id and start time. Of one elsewhere only the heartbeat tells.
    """
    worker = status.worker
    if worker is None:
        return False
    if worker.host != socket.gethostname():
        return time.time() - status.heartbeat < FOREIGN_SILENCE
    return find(worker) is not None


def find(worker: Worker) -> psutil.Process | None:
    """The living process on this machine that is this worker."""
    if worker.host != socket.gethostname():
        return None
    try:
        process = psutil.Process(worker.pid)
        same = abs(process.create_time() - worker.started) < START_TOLERANCE
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def end(process: psutil.Process) -> None:
    """Ask a process to stop, and after a moment make it."""
    _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs([process], timeout=GRACE_SECONDS)
    if alive:
        _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        psutil.wait_procs(alive, timeout=GRACE_SECONDS)


def start(command: list[str], stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, without output, and without input unless `stdin` is `subprocess.PIPE`."""
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _signal(process: psutil.Process, number: int) -> None:
    try:
        if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except (ProcessLookupError, PermissionError, psutil.Error):
        return
