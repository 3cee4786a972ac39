"""Jobs that a cluster ends before they are done and starts again: when their time is nearly up, or when others need their place.

Slurm sends SIGUSR2 some time before (`--signal`, which submitit asks for). The worker leaves its run queued, and the same command line works on it
when the cluster starts the job anew: an iteration goes on from its last half step, other jobs begin again. submitit lets a job run out of time
three times.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from types import FrameType
from typing import Any

from lsr_core.errors import Cancelled
from lsr_core.storage import digests
from lsr_core.storage.records import Status
from lsr_core.storage.runs import Run

AGAIN = 75  # the exit code of a worker that is to be started again
PATIENCE = 60.0  # seconds in which a worker may leave its run; Slurm gives 90
_asked: list[bool] = []


class CommandLine:
    """What submitit starts on the cluster: the command line of a run, which leaves the run as it should when its time is up."""

    def __init__(self, command: list[str]) -> None:
        self.command = command

    def __call__(self) -> None:
        """Raises CalledProcessError where the command fails."""
        with subprocess.Popen(self.command) as child:
            self._child = child
            code = child.wait()
        if code:
            raise subprocess.CalledProcessError(code, self.command)

    def checkpoint(self) -> Any:
        """Called by submitit's handler of the signal: what is to be started again, once the worker has ended."""
        from submitit.helpers import DelayedSubmission

        end = time.monotonic() + PATIENCE
        self._child.send_signal(signal.SIGUSR2)  # whether the cluster has told it or not
        while time.monotonic() < end:  # `wait` would wait for the one that this has interrupted
            if os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
                break
            time.sleep(0.1)
        return DelayedSubmission(CommandLine(self.command))


def listen() -> None:
    """Have this worker end at the signal."""
    if hasattr(signal, "SIGUSR2"):
        signal.signal(signal.SIGUSR2, _ask)


def asked() -> bool:
    """Whether the cluster will start the job of this process again."""
    return bool(_asked)


def put_back(run: Run) -> int:
    """Leave the run queued; the exit code of its worker."""
    digests.forget(run.path)  # it has not ended
    run.append_log("the cluster needs the place; the job goes on when it is started again")
    run.write_status(Status(status="queued"))
    return AGAIN


def standing(run: Run) -> Status:
    """How the run stands for a worker that begins: one that the cluster has ended without notice has not failed if it is started again."""
    recorded = run.recorded_status()
    started_again = os.environ.get("SLURM_RESTART_COUNT", "0") != "0"
    return recorded if started_again and recorded.status == "running" else run.status()


def _ask(number: int, frame: FrameType | None) -> None:
    if not _asked:  # the cluster and submitit may both send it
        _asked.append(True)
        raise Cancelled("the cluster needs the place")
