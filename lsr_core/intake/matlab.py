"""MATLAB files up to version 7 by scipy; those of version 7.3 are HDF5 and read as such. Runs in the child."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from lsr_core.errors import InputError
from lsr_core.intake import hdf
from lsr_core.intake.arrays import ArrayInfo, checked, passed_over

_SIZES = {
    "double": 8, "single": 4, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4,
    "int64": 8, "uint64": 8, "logical": 1,
}  # fmt: skip
_HDF5 = b"\x89HDF\r\n\x1a\n"


def is_hdf5(path: Path) -> bool:
    """Whether this is a file of version 7.3; its HDF5 signature follows a block of 512 bytes."""
    with path.open("rb") as stream:
        start = stream.read(520)
    return start[512:520] == _HDF5 or start[:8] == _HDF5


def listing(path: Path) -> list[ArrayInfo]:
    """Real arrays; cells, structures, objects and text are named as passed over."""
    if is_hdf5(path):
        return hdf.listing(path)
    from scipy.io import whosmat

    found = whosmat(path, appendmat=False)
    infos = [
        ArrayInfo(name, tuple(int(length) for length in shape), {"double": "float64", "single": "float32"}.get(kind, kind), _SIZES[kind])
        if kind in _SIZES else passed_over(name, tuple(int(length) for length in shape), str(kind))
        for name, shape, kind in found
    ]  # fmt: skip
    if found and all(info.unusable for info in infos):
        kinds = ", ".join(sorted({str(kind) for _, _, kind in found}))
        raise InputError(f"holds only {kinds}; save numeric arrays as variables of their own", file=path.name)
    return checked(infos, path.name, path.stat().st_size)


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The variables asked for, in MATLAB's order of dimensions."""
    if is_hdf5(path):
        # MATLAB stores by columns, HDF5 tells the dimensions by rows.
        return {name: np.ascontiguousarray(array.T) for name, array in hdf.read(path, names).items()}
    from scipy.io import loadmat

    loaded = loadmat(path, variable_names=list(names), appendmat=False, struct_as_record=True, simplify_cells=False)
    return {name: np.asarray(loaded[name]) for name in names}
