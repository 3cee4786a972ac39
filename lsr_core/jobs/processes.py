"""Starting and ending worker processes."""

from __future__ import annotations

import os
import signal
import subprocess

import psutil

GRACE_SECONDS = 0.4
_children: list[subprocess.Popen[bytes]] = []


def end(process: psutil.Process) -> None:
    """Ask a process to stop, and after a moment make it."""
    _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs([process], timeout=GRACE_SECONDS)
    if alive:
        _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        psutil.wait_procs(alive, timeout=GRACE_SECONDS)


def start(command: list[str], stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, without output, and without input unless `stdin` is `subprocess.PIPE`."""
    reap()
    child = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    _children.append(child)
    return child


def reap() -> None:
    """Collect the exit codes of ended children, so that none stays as a zombie."""
    _children[:] = [child for child in _children if child.poll() is None]


def _signal(process: psutil.Process, number: int) -> None:
    try:
        if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except (ProcessLookupError, PermissionError, psutil.Error):
        return
