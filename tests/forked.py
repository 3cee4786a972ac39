"""In place of `subprocess` where `confined.call` starts its child: one that is forked from a process with the libraries loaded. It does
the same work within the same limits, without the seconds that importing them takes.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from subprocess import DEVNULL, PIPE, TimeoutExpired
from types import ModuleType
from typing import Any

from lsr_core.intake import child

LOADED = [
    "torch",
    "scipy.io",
    "h5py",
    "pyarrow.parquet",
    "openpyxl",
    "PIL.Image",
    "zarr",
    "meshio",
    "lsr_core.intake.bundles",
]
__all__ = ["DEVNULL", "PIPE", "Popen", "TimeoutExpired"]
FORKS = multiprocessing.get_context("forkserver")


class Popen:
    """As much of the one of `subprocess` as is used there."""

    def __init__(self, command: list[str], **more: Any) -> None:
        assert command[1:] == ["-m", child.__name__]
        self._answers, self._theirs = FORKS.Pipe(duplex=False)

    def communicate(self, sent: bytes = b"", timeout: float | None = None) -> tuple[bytes, bytes]:
        FORKS.set_forkserver_preload(LOADED)
        self._process = FORKS.Process(target=_work, args=(sent.decode(), self._theirs))
        with _without_main():
            self._process.start()
        self._theirs.close()
        if not self._answers.poll(timeout):
            self._process.kill()
        try:
            said = self._answers.recv_bytes()
        except EOFError:  # it ended without an answer
            said = b""
        self._process.join()
        return said, b""

    def poll(self) -> int | None:
        return self._process.exitcode

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode


@contextmanager
def _without_main() -> Iterator[None]:
    """A page under test stands where the main program does, which a child would run again."""
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _work(asked: str, answers: Connection) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    answers.send_bytes(json.dumps(child.main(asked)).encode())
