"""A worker made ready before it is needed: loading PyTorch and the engine takes as long as many a refinement."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from importlib import import_module

from lsr_core.jobs import processes

FLAG = "--standby"
_NEEDED = (
    "lsr_core.jobs.worker",
    "lsr_core.jobs.refining",
    "lsr_core.storage.bundles",
    "lsr_core.diagnosis.directions",
)
_ready: list[subprocess.Popen[bytes]] = []
_guard = threading.Lock()


def prepare() -> None:
    """Start a process that loads what a job needs and waits; one at a time. It ends by itself with the process that started it."""
    with _guard:
        if not any(process.poll() is None for process in _ready):
            _ready.append(processes.start([sys.executable, "-m", "lsr_core.jobs", FLAG], stdin=subprocess.PIPE))


def take(arguments: Sequence[str]) -> subprocess.Popen[bytes] | None:
    """Let the waiting process do the work of `python -m lsr_core.jobs arguments`; None if there is none."""
    while True:
        with _guard:  # pages prepare, the dispatcher takes
            if not _ready:
                return None
            process = _ready.pop()
        assert process.stdin is not None
        try:
            with process.stdin as stdin:
                stdin.write(json.dumps(list(arguments)).encode() + b"\n")
        except OSError:
            continue  # it has ended
        if process.poll() is None:
            return process


def wait() -> list[str] | None:
    """In the waiting process: load, then return the arguments it is handed; None if nobody is there any more."""
    for name in _NEEDED:
        import_module(name)
    line = sys.stdin.readline()
    return list(json.loads(line)) if line.endswith("\n") else None
