"""NetCDF in both of its forms: packed values are unpacked, fill values are missing."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import netcdf_file

from lsr_core.intake import netcdf

STORED = np.array([[1, 2, -99], [4, 5, 6]], dtype=np.int16)
MEANT = np.array([[10.5, 11.0, np.nan], [12.0, 12.5, 13.0]])


def written(path: Path, version: int) -> Path:
    if version == 3:
        with netcdf_file(path, "w") as file:
            for name, length in (("x", 2), ("t", 3)):
                file.createDimension(name, length)
                file.createVariable(name, "f8", (name,))[:] = np.arange(length)
            packed = file.createVariable("u", "i2", ("x", "t"))
            packed[:] = STORED
            packed._FillValue, packed.scale_factor, packed.add_offset = np.int16(-99), 0.5, 10.0
            packed.units = "K"
    else:
        with h5py.File(path, "w") as file:
            file["x"], file["t"], file["u"] = np.arange(2.0), np.arange(3.0), STORED
            file["u"].attrs.update({"_FillValue": np.int16(-99), "scale_factor": 0.5, "add_offset": 10.0})
    return path


@pytest.mark.parametrize("version", [3, 4])
def test_values_are_as_they_are_meant(version: int, tmp_path: Path) -> None:
    path = written(tmp_path / "field.nc", version)
    assert {info.name: info.shape for info in netcdf.listing(path)} == {"x": (2,), "t": (3,), "u": (2, 3)}
    found = netcdf.read(path, ["u", "x"])
    np.testing.assert_array_equal(found["u"], MEANT)
    np.testing.assert_array_equal(found["x"], [0, 1])
