"""The names of a bundle's files, and whether those that are there are the ones of its description."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from lsr_core.errors import InputError
from lsr_core.storage import inside
from lsr_core.storage.bundle_schema import BundleFile, ProblemDescription

DESCRIPTION = "problem.json"
WEIGHTS: BundleFile = "model.safetensors"
DATA: BundleFile = "data.npz"
MAX_DESCRIPTION_BYTES = 2**20
MAX_FILE_BYTES = 64 * 2**30  # readers of weights and data have smaller bounds


def check_files(
    folder: Path, description: ProblemDescription, largest: int = MAX_FILE_BYTES
) -> Iterator[tuple[str, InputError]]:
    """Names and faults of the files of a bundle that are not those of its description; larger ones than `largest` are left out."""
    for name, entry in description.files.items():
        if entry.bytes <= largest:
            try:
                _check_digest(folder / name, entry.bytes, entry.sha256)
            except InputError as error:
                yield name, error


def _check_digest(path: Path, size: int, digest: str) -> None:
    with inside.opened(path, MAX_FILE_BYTES) as stream:
        found = stream.seek(0, os.SEEK_END)
        if found != size:
            raise InputError(
                f"has {found:,} bytes, {DESCRIPTION} says {size:,}; the file is truncated or was changed",
                file=path.name,
            )
        stream.seek(0)
        if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
            raise InputError(
                f"its SHA-256 is not the one in {DESCRIPTION}; the file was damaged or changed", file=path.name
            )
