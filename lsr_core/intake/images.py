"""Images in a zip, by Pillow: one array for each folder, and of several folders which one each image is in. Runs in the child."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from lsr_core.errors import InputError
from lsr_core.intake.arrays import ArrayInfo, checked
from lsr_core.intake.natural import natural

ALL, FOLDER = "images", "folder"
FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
MAX_SIDE = 4096
_CHANNELS = {"L": 1, "P": 3, "RGB": 3, "RGBA": 4, "I;16": 1, "I;16B": 1, "I;16L": 1}
_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


def listing(path: Path) -> list[ArrayInfo]:
    """By the headers of the images: `images` of all, (n, height, width) or (n, channels, height, width), and one array a folder.

    Raises:
        InputError: images of different sizes, or in a form that is not known.
    """
    with zipfile.ZipFile(path) as archive:
        shapes = {name: _shape(archive, name, path.name) for _, names in _folders(archive).items() for name in names}
        folders = _folders(archive)
    first = next(iter(shapes.values()))
    wrong = next((name for name, shape in shapes.items() if shape != first), None)
    if wrong is not None:
        raise InputError(
            f"is an image of {shapes[wrong]} values, the first is of {first}; all must be as large",
            file=path.name,
            key=wrong[:80],
        )
    found = [ArrayInfo(ALL, (len(shapes), *first), "float32", 4)]
    if len(folders) > 1:
        found += [ArrayInfo(name, (len(names), *first), "float32", 4) for name, names in folders.items()]
        found.append(ArrayInfo(FOLDER, (len(shapes),), "int64", 8))
    return checked(found, path.name, 40 * path.stat().st_size)  # images are packed far better than numbers


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """Values from 0 to 1: 8 bits over 255, 16 bits over 65,535; channels first."""
    with zipfile.ZipFile(path) as archive:
        folders = _folders(archive)
        found: dict[str, np.ndarray] = {}
        for name in names:
            if name == FOLDER:
                found[name] = np.repeat(np.arange(len(folders)), [len(parts) for parts in folders.values()])
            else:
                members = [member for parts in folders.values() for member in parts] if name == ALL else folders[name]
                found[name] = np.stack([_values(archive, member) for member in members])
    return found


def _folders(archive: zipfile.ZipFile) -> dict[str, list[str]]:
    """Members by folder, both in natural order; a folder is called by its last part where that is enough."""
    found: dict[PurePosixPath, list[str]] = {}
    for name in sorted(archive.namelist(), key=natural):
        member = PurePosixPath(name)
        hidden = any(part.startswith((".", "__")) for part in member.parts)  # what macOS packs beside every file
        if member.suffix.lower() in _SUFFIXES and not hidden:
            found.setdefault(member.parent, []).append(name)
    short = [folder.name for folder in found]
    plain = len(set(short)) == len(short) and not {ALL, FOLDER, ""} & set(short)
    return {folder.name if plain else str(folder): names for folder, names in found.items()}


def _opened(archive: zipfile.ZipFile, member: str) -> Iterator[Image.Image]:
    with archive.open(member) as stream, Image.open(stream, formats=FORMATS) as image:
        yield image


def _shape(archive: zipfile.ZipFile, member: str, file: str) -> tuple[int, ...]:
    for image in _opened(archive, member):
        if max(image.size) > MAX_SIDE:
            raise InputError(
                f"is an image of {image.size[0]} × {image.size[1]}; at most {MAX_SIDE} a side are read",
                file=file,
                key=member[:80],
            )
        if image.mode not in _CHANNELS:
            raise InputError(
                f"is an image of the mode {image.mode!r}; save it as grey or RGB with 8 or 16 bits",
                file=file,
                key=member[:80],
            )
        channels, sides = _CHANNELS[image.mode], (image.size[1], image.size[0])
        return sides if channels == 1 else (channels, *sides)
    raise AssertionError


def _values(archive: zipfile.ZipFile, member: str) -> np.ndarray:
    for image in _opened(archive, member):
        values = np.asarray(image.convert("RGB") if image.mode == "P" else image)
        scaled = values.astype(np.float32) / (65535 if values.dtype.itemsize == 2 else 255)
        return scaled if scaled.ndim == 2 else np.ascontiguousarray(np.moveaxis(scaled, -1, 0))
    raise AssertionError
