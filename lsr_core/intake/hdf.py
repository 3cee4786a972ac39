"""HDF5 by h5py: plain datasets only, sizes checked against what is stored. Runs in the child."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lsr_core.errors import InputError
from lsr_core.intake.arrays import (
    MAX_ARRAYS,
    ArrayInfo,
    checked,
    complex_parts,
    numeric,
    part_of,
    passed_over,
    without_part,
)

MAX_DEPTH = 8
_FILTERS = {1, 2, 3, 32000}  # deflate, shuffle, Fletcher's checksum, LZF: what the library itself brings


def listing(path: Path) -> list[ArrayInfo]:
    """Datasets of real numbers in this file, others named as passed over; links are not followed."""
    import h5py

    with h5py.File(path, "r", locking=False) as file:
        found = []
        for name, dataset in _datasets(file, "", 0):
            if dataset.dtype.hasobject and dataset.shape is not None:
                found.append(passed_over(name, _shape(dataset, path), "object"))
                continue
            if dataset.shape is not None and _is_complex(dataset.dtype):
                _plain(dataset, name, path.name)
                found += complex_parts(name, _shape(dataset, path), dataset.dtype.itemsize)
                continue
            if dataset.shape is None:
                continue
            if why := _no_numbers(dataset):
                found.append(ArrayInfo(name, _shape(dataset, path), "none", 0, why))
                continue
            if not numeric(dataset.dtype.kind):
                found.append(passed_over(name, _shape(dataset, path), str(dataset.dtype)))
                continue
            _plain(dataset, name, path.name)
            found.append(ArrayInfo(name, _shape(dataset, path), dataset.dtype.name, dataset.dtype.itemsize))
        return checked(found, path.name, path.stat().st_size)


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The datasets asked for, which the listing has checked."""
    import h5py

    with h5py.File(path, "r", locking=False) as file:
        known = dict(_datasets(file, "", 0))
        return {name: part_of(_values(known[name if name in known else without_part(name)]), name) for name in names}


def _no_numbers(dataset: Any) -> str:
    """Why what is stored as numbers is none: text, sizes of what is empty, parts of a sparse matrix, or a dimension."""
    kind, name = (_told(dataset, key) for key in ("MATLAB_class", "NAME"))
    if "MATLAB_empty" in dataset.attrs:
        return "is empty"
    if kind in ("char", "string", "cell", "function_handle"):
        return f"is {kind} of MATLAB; save it as real numbers"
    if "MATLAB_sparse" in dataset.parent.attrs:
        return "is part of a sparse matrix; save it as full(A)"
    return "is a dimension without values" if name.startswith("This is a netCDF dimension but not") else ""


def _told(dataset: Any, key: str) -> str:
    value = dataset.attrs.get(key, "")
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _is_complex(dtype: np.dtype[Any]) -> bool:
    """Complex numbers, or pairs of a real and an imaginary part, as MATLAB writes them."""
    return dtype.kind == "c" or (dtype.names is not None and len(dtype.names) == 2 and dtype.names[1] in ("i", "imag"))


def _values(dataset: Any) -> np.ndarray:
    values = np.asarray(dataset[()])
    if values.dtype.names is None:
        return values
    real, imaginary = values.dtype.names
    return np.asarray(values[real] + 1j * values[imaginary])


def _datasets(group: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    import h5py

    if depth > MAX_DEPTH:
        raise InputError(f"its groups are nested deeper than {MAX_DEPTH}; save plain datasets", file=None, key=prefix)
    if len(group) > MAX_ARRAYS:
        raise InputError(f"a group holds more than {MAX_ARRAYS:,} entries; save only what is needed", key=prefix or "/")
    for name in group:
        if name.startswith("#"):
            continue  # MATLAB's own bookkeeping
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise InputError("is a link to another file, which is not followed", key=f"{prefix}{name}"[:80])
        if not isinstance(link, h5py.HardLink):
            continue
        child = group[name]
        if isinstance(child, h5py.Dataset):
            yield f"{prefix}{name}", child
        elif isinstance(child, h5py.Group):
            yield from _datasets(child, f"{prefix}{name}/", depth + 1)


def _plain(dataset: Any, name: str, file: str) -> None:
    """Refuse data that lie elsewhere, filters from outside the library, and sizes that nothing stands behind."""
    if dataset.is_virtual or dataset.external:
        raise InputError("its values lie in other files, which are not opened", file=file, key=name[:80])
    filters = dataset.id.get_create_plist()
    for place in range(filters.get_nfilters()):
        code = filters.get_filter(place)[0]
        if code not in _FILTERS:
            raise InputError(
                f"is compressed by the filter {code}; save it with gzip or plainly", file=file, key=name[:80]
            )
    size, stored = int(np.prod(dataset.shape, dtype=object)) * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if size > max(2**20, 1000 * stored):
        raise InputError(
            f"declares {size:,} bytes, {stored:,} are stored; the rest would be filled up, which is refused",
            file=file,
            key=name[:80],
        )


def _shape(dataset: Any, path: Path) -> tuple[int, ...]:
    shape = tuple(int(length) for length in dataset.shape)
    return shape[::-1] if path.suffix == ".mat" else shape
