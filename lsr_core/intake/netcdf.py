"""NetCDF: classic files by scipy, those of version 4 as the HDF5 that they are; fill values are NaN and packed values unpacked. In the child."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lsr_core.errors import InputError
from lsr_core.intake import hdf
from lsr_core.intake.arrays import ArrayInfo, checked, numeric, without_part

_FILLS = ("_FillValue", "missing_value")
_READ = {*_FILLS, "scale_factor", "add_offset", "_Unsigned", "valid_range", "valid_min", "valid_max"}
_USUAL = {
    "i2": -32767,
    "i4": -2147483647,
    "i8": -9223372036854775806,
    "f4": 9.969209968386869e36,
    "f8": 9.969209968386869e36,
}


def listing(path: Path) -> list[ArrayInfo]:
    """Variables of real numbers, coordinates among them. Raises InputError as `tables.listing`."""
    if _classic(path):
        with _opened(path) as file:
            found = [
                ArrayInfo(name, tuple(int(length) for length in variable.shape), "float64", 8)
                if numeric(variable.data.dtype.kind)
                else ArrayInfo(name, (), "text", 0, "is text")
                for name, variable in file.variables.items()
            ]
        return checked(found, path.name, path.stat().st_size)
    return hdf.listing(path)


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The variables asked for, as they are meant: scale · stored + offset, NaN where nothing was measured."""
    if _classic(path):
        with _opened(path) as file:
            return {name: meant(np.array(file.variables[name].data), vars(file.variables[name])) for name in names}
    import h5py

    arrays = hdf.read(path, names)
    with h5py.File(path, "r", locking=False) as file:
        plain = {name: name if name in file else without_part(name) for name in arrays}
        return {name: meant(array, dict(file[plain[name]].attrs)) for name, array in arrays.items()}


def _classic(path: Path) -> bool:
    with path.open("rb") as stream:
        start = stream.read(4)
    if start[:3] == b"CDF" and start[3:] in (b"\x01", b"\x02"):
        return True
    if start != b"\x89HDF":
        raise InputError("is neither classic NetCDF nor NetCDF 4; save it again", file=path.name)
    return False


def _opened(path: Path) -> Any:
    from scipy.io import netcdf_file

    return netcdf_file(path, "r", mmap=False)


def meant(stored: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """Stored numbers by the conventions of NetCDF: scale · stored + offset in float64, NaN for what is missing or outside what is valid."""
    given = {name: np.asarray(value).ravel() for name, value in attributes.items() if name in _READ}
    given = {
        name: value
        for name, value in given.items()
        if name == "_Unsigned" or (numeric(value.dtype.kind) and value.size)
    }
    scale, offset = (
        float(given.get(name, np.array([usual]))[0]) for name, usual in (("scale_factor", 1), ("add_offset", 0))
    )
    told = given.get("_Unsigned", np.array([""])).astype(str)[0].lower()  # NetCDF 3 has no unsigned numbers
    unsigned = told == "true" and stored.dtype.kind == "i"
    counted = stored.view(stored.dtype.str.replace("i", "u")) if unsigned else stored
    values = counted.astype(np.float64)
    if (scale, offset) != (1.0, 0.0):
        values = values * scale + offset
    absent = np.zeros(stored.shape, dtype=bool)
    if "_FillValue" not in given and (usual := _USUAL.get(stored.dtype.kind + str(stored.dtype.itemsize))) is not None:
        absent |= stored == stored.dtype.type(usual)  # what the library fills with where nothing is said
    for name in _FILLS:
        fills = given.get(name, np.array([]))
        fills = fills.astype(stored.dtype) if stored.dtype.kind == "f" else fills
        absent |= np.isin(stored, fills) | np.isin(counted, fills)
    low, high = given.get("valid_range", np.array([-np.inf, np.inf]))[:2]
    for name, outside, usual in (("valid_min", np.less, low), ("valid_max", np.greater, high)):
        bound = given.get(name, np.asarray([usual]))[:1]
        if np.isinf(bound).all():
            continue
        packed = bound.dtype.kind == stored.dtype.kind  # bounds of another type are those of what is meant
        absent |= outside(counted, bound.astype(stored.dtype).view(counted.dtype)) if packed else outside(values, bound)
    values[absent] = np.nan
    return values
