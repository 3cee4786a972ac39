"""Which module reads which kind of data file. Runs in the child, and loads what the kind needs."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from lsr_core.intake.arrays import ArrayInfo

_HOMES = {
    ".npz": "numpy_files",
    ".npy": "numpy_files",
    ".csv": "text",
    ".parquet": "parquet",
    ".mat": "matlab",
    ".h5": "hdf",
    ".hdf5": "hdf",
}
SUFFIXES = tuple(_HOMES)


class Reader(Protocol):
    """A module with these two functions; both raise InputError, or whatever their library makes of damage."""

    def listing(self, path: Path) -> list[ArrayInfo]: ...
    def read(self, path: Path, names: Collection[str]) -> dict[str, np.ndarray]: ...


def of(path: Path) -> Reader:
    """The reader of a file, by its suffix."""
    return cast(Reader, import_module(f"lsr_core.intake.{_HOMES[path.suffix]}"))
