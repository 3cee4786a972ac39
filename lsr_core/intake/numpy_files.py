"""`.npy` and `.npz`: headers first, no pickle ever."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy_format

from lsr_core.errors import InputError
from lsr_core.intake.arrays import ArrayInfo, checked, complex_parts, numeric, part_of, passed_over, without_part

_DAMAGE = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, KeyError, SyntaxError)
_MORE = (tokenize.TokenError, TypeError, MemoryError, OverflowError, RecursionError, NotImplementedError, UnicodeError)
OBJECTS = "holds Python objects, which are never unpickled; save it as a plain numeric array"


def listing(path: Path) -> list[ArrayInfo]:
    """Numeric arrays by their headers. Raises InputError as `tables.listing`."""
    with _as_input_error(path):
        if path.suffix == ".npy":
            with path.open("rb") as stream:
                found = _header(stream, path.stem, path.stat().st_size, path.name)
        else:
            with zipfile.ZipFile(path) as archive:
                found = []
                for member in archive.infolist():
                    if not member.filename.endswith(".npy"):
                        raise InputError("only arrays belong in an npz", file=path.name, key=member.filename[:80])
                    with archive.open(member) as stream:
                        name = member.filename.removesuffix(".npy")
                        found += _header(stream, name, member.file_size, path.name)
        if len({info.name for info in found}) < len(found):
            raise InputError("two of its arrays have the same name; keep one", file=path.name)
        return checked(found, path.name, path.stat().st_size)


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays asked for. Raises InputError as `tables.read`."""
    with _as_input_error(path):
        if path.suffix == ".npy":
            values = np.load(path, allow_pickle=False)
            return {name: part_of(values, name) for name in names}
        with np.load(path, allow_pickle=False) as data:
            return {name: part_of(data[without_part(name) if name not in data else name], name) for name in names}


def _header(stream: IO[bytes], name: str, held: int, file: str) -> list[ArrayInfo]:
    version = npy_format.read_magic(stream)
    read_header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    sizes = tuple(int(length) for length in shape)
    if dtype.hasobject:
        return [ArrayInfo(name, sizes, "object", 0, OBJECTS)]
    if not numeric(dtype.kind) and dtype.kind != "c":
        return [passed_over(name, sizes, str(dtype))]
    info = ArrayInfo(name, sizes, dtype.name, dtype.itemsize)
    if info.bytes > held:
        raise InputError(
            f"its header promises {info.bytes:,} bytes, the file holds {held:,}; it is damaged",
            file=file,
            key=name[:80],
        )
    return complex_parts(name, sizes, dtype.itemsize) if dtype.kind == "c" else [info]


@contextmanager
def _as_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (*_DAMAGE, *_MORE) as error:
        raise InputError(
            f"not a complete {path.suffix} file; it may be truncated, save it again", file=path.name
        ) from error
