"""Runs a reader in a child process with limits on memory and time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from lsr_core.errors import InputError

MEMORY = 4 * 2**30
SECONDS = 2.5  # of processor time beyond the imports
PATIENCE = 120.0  # seconds by the clock: a busy machine shares its cores
_QUIET = {"OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"}


def call(job: str, path: Path, *, memory: int = MEMORY, **more: Any) -> Any:
    """The answer of `lsr_core.intake.child` to one job.

    Args:
        memory: bytes of address space.

    Raises:
        InputError: what the child found wrong with the file, or that it used up its time or memory.
    """
    asked = {"job": job, "path": str(path), "seconds": SECONDS, "memory": memory, **more}
    child = subprocess.Popen(
        [sys.executable, "-m", "lsr_core.intake.child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, **_QUIET}, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = child.communicate(json.dumps(asked).encode(), timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise InputError(f"was not read within {PATIENCE:g} s; save less in it", file=path.name) from None
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()
    try:
        answer = json.loads(said)
    except ValueError:
        slow = child.returncode == -getattr(signal, "SIGPROF", 0)
        raise InputError(
            f"was not read within {SECONDS:g} s of work; save less in it"
            if slow
            else "broke the library that reads it; it is damaged, save it again",
            file=path.name,
        ) from None
    if "answer" not in answer:
        raise InputError(answer["message"], file=answer.get("file") or path.name, key=answer["key"])
    return answer["answer"]
