"""What a data file says it holds, before anything of it is read in full."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lsr_core.errors import InputError

MAX_FILE_BYTES = 200 * 2**20
MAX_BYTES = 200 * 2**20
MAX_ARRAYS = 1000
MAX_DIMENSIONS = 6
MAX_NAME = 200
MAX_ROWS = 5_000_000
MAX_RATIO = 200
RATIO_FREE_BYTES = 16 * 2**20
_KINDS = "fiub"
_REAL, _IMAGINARY = "real part of ", "imaginary part of "


@dataclass(frozen=True)
class ArrayInfo:
    """A named array: shape, dtype as numpy writes it (`float64`), and the bytes it will take.

    Attributes:
        unusable: why it is passed over, or empty.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    itemsize: int
    unusable: str = ""

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.itemsize


def numeric(kind: str) -> bool:
    """Whether numpy's one-letter kind is of real numbers."""
    return kind in _KINDS


def checked(found: Iterable[ArrayInfo], file: str, stored: int, *, max_bytes: int = MAX_BYTES) -> list[ArrayInfo]:
    """The arrays, once their number and sizes are within bounds.

    Args:
        found: what the headers say.
        file: named in messages.
        stored: bytes of the file; arrays many times as large are a bomb.

    Raises:
        InputError: nothing numeric, too much, or more than the file can hold.
    """
    infos = []
    for info in found:
        infos.append(info)
        if len(infos) > MAX_ARRAYS:
            raise InputError(f"holds more than {MAX_ARRAYS:,} arrays; save only what is needed", file=file)
        if len(info.name) > MAX_NAME:
            raise InputError(
                f"has a name of {len(info.name):,} characters; at most {MAX_NAME} are read",
                file=file,
                key=info.name[:80],
            )
        if len(info.shape) > MAX_DIMENSIONS:
            raise InputError(
                f"has {len(info.shape)} dimensions; at most {MAX_DIMENSIONS} are read", file=file, key=info.name[:80]
            )
        if any(length < 0 for length in info.shape):
            raise InputError("declares a negative length; the file is damaged", file=file, key=info.name[:80])
        if info.shape and info.shape[0] > MAX_ROWS:
            raise InputError(
                f"has {info.shape[0]:,} rows; at most {MAX_ROWS:,} are read", file=file, key=info.name[:80]
            )
        if info.bytes > max_bytes:
            raise InputError(
                f"declares the shape {info.shape}, {info.bytes:,} bytes; at most {max_bytes:,} are read",
                file=file,
                key=info.name[:80],
            )
    if infos and all(info.unusable for info in infos):
        raise InputError(infos[0].unusable, file=file, key=infos[0].name[:80])
    total = sum(info.bytes for info in infos)
    if total > max_bytes:
        raise InputError(f"its arrays need {total:,} bytes, more than the {max_bytes:,} allowed", file=file)
    if total > max(RATIO_FREE_BYTES, MAX_RATIO * stored):
        raise InputError(f"its arrays are more than {MAX_RATIO:,} times as large as the file; refused", file=file)
    if not infos:
        raise InputError("holds no numeric array; save numbers as plain arrays or columns", file=file)
    return infos


def passed_over(name: str, shape: tuple[int, ...], kind: str) -> ArrayInfo:
    """What something that is no array of numbers is listed as."""
    return ArrayInfo(
        name[:MAX_NAME], shape[:MAX_DIMENSIONS], kind[:40], 0, f"has the type {kind[:80]}; save it as real numbers"
    )


def complex_parts(name: str, shape: tuple[int, ...], itemsize: int) -> list[ArrayInfo]:
    """What an array of complex numbers of this size is listed as: its real and its imaginary part."""
    half = itemsize // 2
    return [ArrayInfo(f"{part}{name}", shape, f"float{8 * half}", half) for part in (_REAL, _IMAGINARY)]


def without_part(name: str) -> str:
    """The array that a part belongs to, or the name itself."""
    return name.removeprefix(_REAL).removeprefix(_IMAGINARY)


def part_of(values: np.ndarray, name: str) -> np.ndarray:
    """The part of complex numbers that a name asks for; other arrays as they are."""
    if not np.iscomplexobj(values):
        return values
    return values.real.copy() if name.startswith(_REAL) else values.imag.copy()
