"""NetCDF in both of its forms: packed values are unpacked, fill values are missing."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import netcdf_file

from lsr_core.intake import hdf, netcdf

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


RIGHT = {
    "several missing values": (np.array([1.0, -99, -98, 4]), {"missing_value": np.array([-99.0, -98])}, [1, np.nan, np.nan, 4]),
    "unsigned": (np.array([1, -1, -2], dtype=np.int8), {"_Unsigned": b"true", "_FillValue": np.int8(-2)}, [1, 255, np.nan]),
    "a fill value that no such number has": (np.array([1, 2], dtype=np.int16), {"_FillValue": 1e20, "missing_value": b"NaN"}, [1, 2]),
    "what is valid": (np.array([1.0, 300, -5]), {"valid_range": np.array([0.0, 100])}, [1, np.nan, np.nan]),
    "what is valid as stored": (
        np.array([1, 30, 5], dtype=np.int16), {"valid_max": np.int16(20), "scale_factor": 10.0}, [10, np.nan, 50],
    ),
    "what is valid as meant": (
        np.array([1, 30, 5], dtype=np.int16), {"valid_max": 200.0, "scale_factor": 10.0}, [10, np.nan, 50],
    ),
    "filled without a word": (np.array([1, 9.969209968386869e36, 3], dtype=np.float32), {}, [1, np.nan, 3]),
    "a fill value of single precision": (np.array([1, -0.1], dtype=np.float32), {"_FillValue": np.float32(-0.1)}, [1, np.nan]),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_conventions_hold_as_the_library_of_netcdf_has_them(name: str) -> None:
    stored, attributes, wanted = RIGHT[name]
    np.testing.assert_array_equal(netcdf.meant(stored, attributes), wanted)
    np.testing.assert_array_equal(netcdf.meant(stored.astype(stored.dtype.newbyteorder()), attributes), wanted)


def test_what_only_looks_like_numbers_is_passed_over(tmp_path: Path) -> None:
    """Text, nothing and a sparse matrix of MATLAB 7.3, and a dimension of NetCDF, each of which HDF5 has as numbers."""
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["u"], file["name"], file["none"] = np.ones(3), np.array([[104, 105]], np.uint16), np.zeros(2, np.uint64)
        file["name"].attrs["MATLAB_class"], file["none"].attrs["MATLAB_empty"] = np.bytes_("char"), np.uint8(1)
        file["s/data"] = np.ones(2)
        file["s"].attrs["MATLAB_sparse"] = np.uint64(4)
        file["d"] = np.zeros(4)
        file["d"].attrs["NAME"] = np.bytes_("This is a netCDF dimension but not a netCDF variable.         4")
    found = {info.name: info.unusable for info in hdf.listing(tmp_path / "a.mat")}
    assert found.pop("u") == ""
    words = {"name": "is char", "none": "is empty", "s/data": "sparse", "d": "a dimension without values"}
    assert all(words[name] in why for name, why in found.items())
    assert set(found) == set(words)
