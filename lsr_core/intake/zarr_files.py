"""Zarr stores (versions 2 and 3) in a zip: metadata are looked at before the library sees them. Runs in the child."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import zarr
from zarr.storage import ZipStore

from lsr_core.errors import InputError
from lsr_core.intake.arrays import MAX_BYTES, ArrayInfo, checked, numeric
from lsr_core.intake.netcdf import meant

MAX_METADATA = 1_000_000
_COMPRESSORS = {"blosc", "zlib", "gzip", "zstd", "lz4", "bz2", "lzma"}
_CODECS = {"bytes", "transpose", "crc32c", *_COMPRESSORS}


@dataclass(frozen=True)
class _Stored:
    """An array by its metadata."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...]
    attributes: Mapping[str, Any]


def listing(path: Path) -> list[ArrayInfo]:
    """Arrays of real numbers by their metadata. Raises InputError as `tables.listing`."""
    with zipfile.ZipFile(path) as archive:
        stored = _stored(archive, path.name)
    found = [
        ArrayInfo(name, array.shape, "float64", 8) if numeric(array.dtype.kind) else ArrayInfo(name, (), "text", 0, f"has the type {array.dtype}")
        for name, array in stored.items()
    ]  # fmt: skip
    return checked(found, path.name, path.stat().st_size)


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays asked for, as they are meant: scale · stored + offset, NaN where nothing was measured."""
    with zipfile.ZipFile(path) as archive:
        stored = _stored(archive, path.name)
        root = _root(archive)
    store = ZipStore(path, mode="r")
    try:
        return {
            name: meant(np.asarray(zarr.open_array(store=store, path=f"{root}{name}", mode="r")[...]), stored[name].attributes)
            for name in names
        }  # fmt: skip
    finally:
        store.close()


def _root(archive: zipfile.ZipFile) -> str:
    """The folder that everything lies in, with a slash, or nothing."""
    places = [
        PurePosixPath(name)
        for name in archive.namelist()
        if PurePosixPath(name).name in (".zgroup", ".zarray", "zarr.json")
    ]
    top = min((place.parent for place in places), key=lambda place: len(place.parts))
    return "" if str(top) == "." else f"{top}/"


def _stored(archive: zipfile.ZipFile, file: str) -> dict[str, _Stored]:
    root = _root(archive)
    found = {}
    for name in archive.namelist():
        place = PurePosixPath(name)
        if place.name not in (".zarray", "zarr.json") or not name.startswith(root):
            continue
        own = str(place.parent)[len(root) :] if str(place.parent) != "." else ""
        said = _json(archive, name, file)
        if place.name == "zarr.json":
            array = _third(said, own, file) if said.get("node_type") == "array" else None
        else:
            beside = f"{place.parent}/.zattrs" if str(place.parent) != "." else ".zattrs"
            attributes = _json(archive, beside, file) if beside in archive.namelist() else {}
            array = _second(said, attributes, own, file)
        if array is not None:
            found[own or "array"] = array
    return found


def _json(archive: zipfile.ZipFile, name: str, file: str) -> dict[str, Any]:
    if archive.getinfo(name).file_size > MAX_METADATA:
        raise InputError("its metadata are too large for a store of arrays", file=file, key=name[:80])
    said = json.loads(archive.read(name))
    if not isinstance(said, dict):
        raise InputError("its metadata are no object", file=file, key=name[:80])
    return said


def _second(said: Mapping[str, Any], attributes: Mapping[str, Any], name: str, file: str) -> _Stored:
    used = [said.get("compressor"), *(said.get("filters") or [])]
    _only(_COMPRESSORS, [part.get("id") for part in used if part], name, file)
    return _within(
        _Stored(_sizes(said["shape"]), np.dtype(said["dtype"]), _sizes(said["chunks"]), attributes), name, file
    )


def _third(said: Mapping[str, Any], name: str, file: str) -> _Stored:
    _only(_CODECS, [part.get("name") for part in said.get("codecs") or []], name, file)
    grid = said["chunk_grid"]
    if grid.get("name") != "regular" or not isinstance(said["data_type"], str):
        raise InputError("is not stored in regular chunks of numbers; save a plain array", file=file, key=name[:80])
    chunks = grid["configuration"]["chunk_shape"]
    return _within(
        _Stored(_sizes(said["shape"]), np.dtype(said["data_type"]), _sizes(chunks), said.get("attributes") or {}),
        name,
        file,
    )


def _only(known: set[str], used: Collection[object], name: str, file: str) -> None:
    """Codecs that only pack bytes; one that unpickles, or that this machine would look up, is not run."""
    if strange := [str(part) for part in used if part not in known]:
        raise InputError(
            f"is packed by {strange[0][:40]!r}; save it with one of {', '.join(sorted(_COMPRESSORS))}",
            file=file,
            key=name[:80],
        )


def _sizes(given: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in given)


def _within(array: _Stored, name: str, file: str) -> _Stored:
    if array.dtype.hasobject:
        raise InputError(
            "holds Python objects, which are never unpickled; save it as a plain numeric array",
            file=file,
            key=name[:80],
        )
    if min((*array.shape, *array.chunks, 1)) < 0 or math.prod(array.chunks) * array.dtype.itemsize > MAX_BYTES:
        raise InputError(f"declares chunks of {array.chunks}; they are too large to be read", file=file, key=name[:80])
    return array
