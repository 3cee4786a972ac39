"""Which module reads which kind of data file. Its name goes to the child, which alone loads it with what the kind needs."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from lsr_core.intake.arrays import ArrayInfo

READERS = {
    ".npz": "lsr_core.intake.numpy_files",
    ".npy": "lsr_core.intake.numpy_files",
    ".csv": "lsr_core.intake.text",
    ".tsv": "lsr_core.intake.text",
    ".txt": "lsr_core.intake.text",
    ".dat": "lsr_core.intake.text",
    ".xlsx": "lsr_core.intake.sheets",
    ".parquet": "lsr_core.intake.parquet",
    ".mat": "lsr_core.intake.matlab",
    ".h5": "lsr_core.intake.hdf",
    ".hdf5": "lsr_core.intake.hdf",
    ".nc": "lsr_core.intake.netcdf",
    ".vtu": "lsr_core.intake.meshes",
    ".zip": "lsr_core.intake.archives",
}


class Reader(Protocol):
    """A module with these two functions; both raise InputError, or whatever their library makes of damage."""

    def listing(self, path: Path) -> list[ArrayInfo]: ...
    def read(self, path: Path, names: Collection[str]) -> dict[str, np.ndarray]: ...


def named(module: str) -> Reader:
    """The reader that is this module."""
    return cast(Reader, import_module(module))
