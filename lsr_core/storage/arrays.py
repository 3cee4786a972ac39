"""Reading npz files that anybody may have made: no pickle, no bomb, no surprise."""

from __future__ import annotations

import os
import tokenize
import zipfile
import zlib
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from lsr_core.errors import InputError
from lsr_core.storage import digests

MAX_BYTES = 8 * 2**30
RATIO_FREE_BYTES = 64 * 2**20
# numpy reads the header of an array as Python literals, and says in many ways that it is none
_DAMAGE = (
    *(OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, KeyError),
    *(SyntaxError, tokenize.TokenError, TypeError, OverflowError, MemoryError),
)


def read_arrays(
    path: Path,
    required: Iterable[str] = (),
    optional: Iterable[str] | None = None,
    max_bytes: int = MAX_BYTES,
    max_ratio: int | None = None,
) -> dict[str, np.ndarray]:
    """The arrays of an npz file, sizes checked against their headers before anything is allocated.

    Args:
        path: the file.
        required: names that must be there.
        optional: names that may be there besides; None allows any.
        max_bytes: largest sum of array sizes, and of the file.
        max_ratio: largest sum of array sizes over the size of the file, from 64 MiB on.

    Raises:
        InputError: the file is missing, no plain file, not the one that was written, truncated, holds objects, or has missing or unexpected arrays.
    """
    name = path.name
    try:
        with digests.opened(path, max_bytes) as stream:
            allowed = (
                max_bytes if max_ratio is None else min(max_bytes, max(RATIO_FREE_BYTES, max_ratio * _size(stream)))
            )
            with zipfile.ZipFile(stream) as archive:
                total = sum(_declared_bytes(archive, member, name) for member in archive.infolist())
            if total > allowed:
                raise InputError(f"its arrays need {total:,} bytes, more than the {allowed:,} allowed", file=name)
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as data:
                arrays = {key: data[key] for key in data.files}
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError("not a complete npz file; it may be truncated, save it again", file=name) from error
    missing = [key for key in required if key not in arrays]
    if missing:
        raise InputError(f"this array is missing; the file has {_names(arrays)}", file=name, key=missing[0])
    if optional is not None:
        unexpected = sorted(set(arrays) - set(required) - set(optional))
        if unexpected:
            raise InputError("this array is not part of the format; remove it", file=name, key=unexpected[0])
    return arrays


def _declared_bytes(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: str) -> int:
    """Size of the array in `member` according to its header; refuses what is not a plain numeric npy."""
    key = member.filename.removesuffix(".npy")
    if not member.filename.endswith(".npy") or "/" in member.filename or "\\" in member.filename:
        raise InputError("only arrays (.npy members without folders) belong in an npz", file=file, key=key)
    with archive.open(member) as stream:
        version = npy_format.read_magic(stream)
        read_header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
    if dtype.hasobject:
        raise InputError("holds Python objects; save it as a plain numeric array", file=file, key=key)
    size = dtype.itemsize
    for length in shape:
        size *= int(length)
    if size > member.file_size:
        raise InputError("its header promises more data than it holds; the file is damaged", file=file, key=key)
    return max(size, member.file_size)


def _size(stream: BufferedReader) -> int:
    return os.fstat(stream.fileno()).st_size


def _names(arrays: Iterable[str]) -> str:
    return ", ".join(sorted(arrays)) or "none"
