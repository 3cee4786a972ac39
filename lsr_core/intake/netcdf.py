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
    """Stored numbers by the conventions of climate and forecast data: scale · stored + offset, NaN for a fill value, in float64."""
    values = stored.astype(np.float64)
    for name in _FILLS:
        if name in attributes:
            values[stored == np.asarray(attributes[name]).ravel()[0]] = np.nan
    scale, offset = (
        float(np.asarray(attributes.get(name, usual)).ravel()[0])
        for name, usual in (("scale_factor", 1), ("add_offset", 0))
    )
    return values if (scale, offset) == (1.0, 0.0) else values * scale + offset
