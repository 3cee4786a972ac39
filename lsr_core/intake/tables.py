"""Data files to named arrays of real numbers."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

import numpy as np

from lsr_core.errors import InputError
from lsr_core.intake import confined
from lsr_core.intake.arrays import MAX_FILE_BYTES, ArrayInfo
from lsr_core.intake.readers import READERS


def listing(path: Path) -> list[ArrayInfo]:
    """Name, shape and dtype of every array of real numbers in a file, by its headers.

    Args:
        path: with a suffix among `READERS`.

    Raises:
        InputError: not such a file, damaged, too large, or holding nothing numeric; objects are refused.
    """
    _check(path)
    found = confined.call("list", path, reader=READERS[path.suffix])
    return [ArrayInfo(name, tuple(shape), *more) for name, shape, *more in found]


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays called `names`, after the checks of `listing`.

    Raises:
        InputError: as `listing`, or an array that is not there.
    """
    known = {info.name: info for info in listing(path)}
    names = list(dict.fromkeys(names))
    if missing := [name for name in names if name not in known]:
        raise InputError(f"is not there; the file has {', '.join(sorted(known))[:300]}", file=path.name, key=missing[0])
    if bad := next((known[name] for name in names if known[name].unusable), None):
        raise InputError(bad.unusable, file=path.name, key=bad.name[:80])
    with tempfile.TemporaryDirectory(prefix="lsr-intake-") as scratch:
        confined.call("read", path, reader=READERS[path.suffix], names=names, out=scratch)
        return {name: np.load(Path(scratch) / f"{place}.npy", allow_pickle=False) for place, name in enumerate(names)}


def _check(path: Path) -> None:
    if path.suffix in (".gz", ".bz2", ".xz", ".7z", ".rar"):
        raise InputError(f"is packed; unpack it and give the {Path(path.stem).suffix or 'file'} inside", file=path.name)
    if path.suffix not in READERS:
        raise InputError(f"is no data file that is read; choose one of {', '.join(READERS)}", file=path.name)
    if not path.is_file():
        raise InputError("this file is missing", file=path.name)
    size = path.stat().st_size
    if size == 0:
        raise InputError("is empty", file=path.name)
    if size > MAX_FILE_BYTES:
        raise InputError(f"is larger than the {MAX_FILE_BYTES:,} bytes allowed", file=path.name)
