"""Where runs live on this machine."""

from __future__ import annotations

import os
from pathlib import Path

RUNS_VARIABLE = "LSR_RUNS"


def runs_root() -> Path:
    """Folder of runs: the one the command line names (through the environment), else `runs` in the working folder."""
    named = os.environ.get(RUNS_VARIABLE)
    return Path(named).absolute() if named else Path("runs").absolute()
