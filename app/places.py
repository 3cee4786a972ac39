"""Where runs live on this machine."""

from __future__ import annotations

import os
from pathlib import Path

RUNS_VARIABLE = "LSR_RUNS"
STANDBY_VARIABLE = "LSR_STANDBY"


def keeps_a_worker_ready() -> bool:
    """Whether this is a server that `lsr dashboard` started, which goes on to start jobs."""
    return bool(os.environ.get(STANDBY_VARIABLE))


def runs_root() -> Path:
    """Folder of runs: the one the command line names (through the environment), else `runs` in the working folder."""
    named = os.environ.get(RUNS_VARIABLE)
    return Path(named).absolute() if named else Path("runs").absolute()
