"""Where runs live on this machine."""

from __future__ import annotations

import os
from pathlib import Path

RUNS_VARIABLE = "LSR_RUNS"


def runs_root() -> Path:
    """Folder of runs: the one the command line names (through the environment), else one in the home folder."""
    named = os.environ.get(RUNS_VARIABLE)
    return Path(named) if named else Path.home() / ".lsr" / "runs"
