"""A good file for each reader of untrusted files, and how it is read while it is damaged."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.torch
import scipy.io
import torch
import zarr
from PIL import Image

from lsr_core.errors import InputError
from lsr_core.intake import child, pickles, state_dicts, tables, text
from lsr_core.intake.readers import READERS

Read = Callable[[Path], Any]
SECONDS = 5.0  # of processor time that any file may take


def written(write: Callable[[Any], object]) -> bytes:
    """What goes into a file."""
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def packed(members: Mapping[str, bytes]) -> bytes:
    def write(buffer: io.BytesIO) -> None:
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)

    return written(write)


def members(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def _sheet() -> bytes:
    book = openpyxl.Workbook()
    for row in (("x", "u"), (1, 2.5), (2, None)):
        book.active.append(row)
    return written(book.save)


def _parquet() -> bytes:
    return written(lambda buffer: pq.write_table(pa.table({"x": [1.0, 2.0], "u": [1, None]}), buffer))


def _netcdf() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        with scipy.io.netcdf_file(f"{folder}/a.nc", "w") as file:
            file.createDimension("x", 3)
            for name in ("x", "u"):
                file.createVariable(name, "f8", ("x",))[:] = np.arange(3.0)
            file.variables["u"].scale_factor = 0.5
        return Path(folder, "a.nc").read_bytes()


def _hdf() -> bytes:
    def write(buffer: io.BytesIO) -> None:
        with h5py.File(buffer, "w") as file:
            file["a"] = np.arange(12.0)

    return written(write)


def _zarr() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.zip")
        with zarr.storage.ZipStore(path, mode="w") as store:
            zarr.create_array(store, name="u", data=np.arange(6.0).reshape(2, 3))
        return path.read_bytes()


def _images() -> bytes:
    one = written(lambda buffer: Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3)).save(buffer, "PNG"))
    return packed({"a/1.png": one, "b/2.png": one})


def _pt() -> bytes:
    return written(lambda buffer: torch.save({"model": {"0.weight": torch.ones(2, 2)}, "epoch": 3}, buffer))


MESH = (
    b'<?xml version="1.0"?><VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt32">'
    b'<UnstructuredGrid><Piece NumberOfPoints="3" NumberOfCells="1"><Points><DataArray type="Float64" NumberOfComponents="3" '
    b'format="ascii">0 0 0 1 0 0 0 1 0</DataArray></Points><PointData><DataArray type="Float64" Name="u" format="ascii">1 2 3'
    b'</DataArray></PointData><Cells><DataArray type="Int64" Name="connectivity" format="ascii">0 1 2</DataArray>'
    b'<DataArray type="Int64" Name="offsets" format="ascii">3</DataArray><DataArray type="UInt8" Name="types" format="ascii">5'
    b"</DataArray></Cells></Piece></UnstructuredGrid></VTKFile>"
)


def table(path: Path) -> dict[str, np.ndarray]:
    """Columns of text, without a child: its parser is this package's own, and nothing but an InputError may leave it."""
    return text.read(path, [info.name for info in text.listing(path) if not info.unusable])


def of_child(path: Path) -> dict[str, np.ndarray]:
    """As the pages read it: in a child process, which ends itself."""
    return tables.read(path, [info.name for info in tables.listing(path) if not info.unusable])


def as_child(path: Path) -> None:
    """What the child does, in this process, so that coverage sees it; the limits are left to whoever calls."""
    reader = READERS[path.suffix]
    with tempfile.TemporaryDirectory() as out:
        names = [name for name, *_, unusable in asked("list", path, reader=reader) if not unusable]
        asked("read", path, reader=reader, names=names, out=out)


def weights(path: Path) -> None:
    with tempfile.TemporaryDirectory() as out:
        asked("scan", path)
        asked("weights", path, network="", out=f"{out}/weights.safetensors")


def within(archive: bytes, member: str, read: Read) -> tuple[bytes, Read]:
    """A member of an archive, to be damaged behind a directory and checksums that are whole."""

    def repacked(path: Path) -> Any:
        path.write_bytes(packed(members(archive) | {member: path.read_bytes()}))
        return read(path)

    return members(archive)[member], repacked


def unpacked(path: Path) -> None:
    with tempfile.TemporaryDirectory() as out:
        asked("unpack", path, out=out)


def asked(job: str, path: Path, **more: Any) -> Any:
    """The child's answer to a job. Raises InputError with its message."""
    with mock.patch.object(child, "_limit", return_value=None):
        answer = child.main(json.dumps({"job": job, "path": str(path), "memory": 0, "seconds": 0, **more}))
    if "answer" not in answer:
        raise InputError(answer["message"], file=answer.get("file") or path.name, key=answer["key"])
    return answer["answer"]


NUMPY = {
    ".npz": written(lambda file: np.savez(file, a=np.arange(12.0).reshape(4, 3), b=np.ones(4, dtype=np.float32))),
    ".npy": written(lambda file: np.save(file, np.arange(12.0).reshape(4, 3))),
}
TEXT = {
    ".csv": b"x,y\n1,2\n3,4e5\n",
    ".txt": b"% x  y (K)\n0,5 1,5\n2,5 3,5\n",
    ".tsv": b"when\tx\ty\n-\tm\tkg\n2020-01-01\t1D0\tNA\n2020-01-02\t2\t3\n",
    ".dat": b'TITLE = "a"\nVARIABLES = "x", "u"\nZONE I=2, F=POINT\n0 1\n1 4\n',
    ".prn": b'"x" "y"\n"1" "1.234,5" 2,5\n"2" "2.345,5" ****\n',  # R's names of rows, grouped thousands, a decimal comma
}
LIBRARIES = {
    ".xlsx": _sheet(),
    ".mat": written(lambda file: scipy.io.savemat(file, {"x": np.arange(3.0), "u": np.ones((3, 2))})),
    ".nc": _netcdf(),
    ".vtu": MESH,
    ".zip": _images(),
    ".zarr.zip": _zarr(),
}
COMPILED = {".h5": _hdf(), ".parquet": _parquet()}  # whose libraries may break, so that only a child reads them
SEEDS: dict[str, tuple[bytes, Read]] = {
    **{suffix: (good, as_child) for suffix, good in (NUMPY | LIBRARIES).items()},
    **{suffix: (good, table) for suffix, good in TEXT.items()},
    ".safetensors": (safetensors.torch.save({"0.weight": torch.ones(2, 2)}), state_dicts.read),
    ".pt": (_pt(), pickles.check),
    ".weights.pt": (_pt(), weights),
    ".sheet.xlsx": within(LIBRARIES[".xlsx"], "xl/worksheets/sheet1.xml", as_child),
    ".image.zip": within(LIBRARIES[".zip"], "b/2.png", as_child),
    ".array.zip": within(LIBRARIES[".zarr.zip"], "u/zarr.json", as_child),
    ".pickle.pt": within(_pt(), "archive/data.pkl", weights),
    ".mdlus": (packed({"args.json": b"{}", "model.pt": _pt()}), unpacked),
}
