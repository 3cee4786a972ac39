"""`.zip` as a data file: a Zarr store, or a folder of images. Runs in the child."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from lsr_core.errors import InputError
from lsr_core.intake.arrays import MAX_BYTES, ArrayInfo

if TYPE_CHECKING:
    from lsr_core.intake.readers import Reader

MAX_MEMBERS = 20_000
_READERS = {"zarr": "lsr_core.intake.zarr_files", "images": "lsr_core.intake.images"}
_ZARR = (".zarray", ".zgroup", "zarr.json")
_IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


def listing(path: Path) -> list[ArrayInfo]:
    """What the reader of its kind lists. Raises InputError as `tables.listing`."""
    return _reader(path).listing(path)


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """What the reader of its kind reads."""
    return _reader(path).read(path, names)


def _reader(path: Path) -> Reader:
    from lsr_core.intake.readers import named

    if not zipfile.is_zipfile(path):
        raise InputError("is no zip archive; it may be damaged, pack it again", file=path.name)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise InputError(f"holds {len(members):,} files; at most {MAX_MEMBERS:,} are read", file=path.name)
    if sum(member.file_size for member in members) > MAX_BYTES:
        raise InputError(f"unpacks to more than {MAX_BYTES:,} bytes; pack less", file=path.name)
    names = [PurePosixPath(member.filename) for member in members if not member.is_dir()]
    if any(name.name in _ZARR for name in names):
        return named(_READERS["zarr"])
    if any(name.suffix.lower() in _IMAGES for name in names):
        return named(_READERS["images"])
    raise InputError(
        "holds neither a Zarr store nor images (.png, .jpg, .tif, .bmp); a finished bundle goes to the way of that name", file=path.name
    )  # fmt: skip


for (
    _module
) in _READERS.values():  # here, so that their imports do not count against the limits, which are for the file alone
    try:
        import_module(_module)
    except ImportError:
        continue  # told when a file needs it
