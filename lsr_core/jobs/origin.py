"""Where a run comes from: what its figures depend on besides problem, config and seed."""

from __future__ import annotations

import functools
import platform
import subprocess
from pathlib import Path

from lsr_core.version import VERSION

_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 5.0


def environment() -> dict[str, str]:
    """Versions, machine and threads, by name, as plain text; `commit` only where this package runs from a checkout.

    Nothing in it names a person or a computer: runs are given away.
    """
    import numpy
    import scipy
    import torch

    found = {
        "lsr": VERSION,
        "commit": commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "machine": platform.machine(),
        "processor": _processor(),
        "system": platform.system(),
        "threads": str(torch.get_num_threads()),
    }
    return {name: value for name, value in found.items() if value}


@functools.cache
def commit() -> str:
    """Of the checkout that this package lies in, with `-dirty` where tracked files were changed; empty where there is none."""
    if not (_ROOT / ".git").exists():
        return ""
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()[:80] if done.returncode == 0 else ""


def _processor() -> str:
    """The model's name, where the system says it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, platform.processor())[:200]
