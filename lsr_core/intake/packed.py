"""Weights packed with other files: a `.mdlus` of PhysicsNeMo, a `.keras`, a zipped folder of Hugging Face. Runs in the child."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from lsr_core.errors import InputError
from lsr_core.intake.arrays import MAX_FILE_BYTES

SUFFIXES = (".mdlus", ".keras", ".zip")
MAX_MEMBERS = 1000
_WANTED = (".safetensors", ".weights.h5", ".ckpt", ".bin", ".pt", ".pth")  # the first kind that is there
_BESIDE = ("optimizer", "optim", "scheduler", "rng_state", "training_args", "trainer_state", "scaler")
_BLOCK = 2**20


def unpack(path: Path, out: Path) -> list[str]:
    """Write the weights out of an archive, one file or the shards of one, and say their names in `out`.

    Raises:
        InputError: no archive of this kind, too large unpacked, no weights in it, or several that are no shards.
    """
    with _members(path) as members:
        if len(members) > MAX_MEMBERS:
            raise InputError(f"holds more than {MAX_MEMBERS:,} files; pack the weights alone", file=path.name)
        chosen = _chosen([name for name in members if not PurePosixPath(name).name.startswith(_BESIDE)], path.name)
        left, written = MAX_FILE_BYTES, []
        for place, name in enumerate(chosen):
            target = (
                out / f"{place}{next(suffix for suffix in _WANTED if name.endswith(suffix)).replace('.weights', '')}"
            )
            with members[name]() as stream, target.open("wb") as file:
                while block := stream.read(_BLOCK):
                    left -= len(block)
                    if left < 0:
                        raise InputError(f"unpacks to more than {MAX_FILE_BYTES:,} bytes", file=path.name)
                    file.write(block)
            written.append(target.name)
    return written


@contextmanager
def _members(path: Path) -> Iterator[dict[str, Callable[[], IO[bytes]]]]:
    """What opens each file, by name."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"PK"  # a tape may end with a zip inside
    if zipped:
        with zipfile.ZipFile(path) as archive:
            yield {info.filename: _opener(archive, info) for info in archive.infolist() if not info.is_dir()}
        return
    try:
        with tarfile.open(path, "r:") as tape:
            found: dict[str, Callable[[], IO[bytes]]] = {}
            for member in tape:
                if member.isfile():
                    found[member.name] = _extractor(tape, member)
                if len(found) > MAX_MEMBERS:
                    break
            yield found
    except tarfile.TarError as error:
        raise InputError(
            "is neither a zip nor a tar archive; it may be damaged, save it again", file=path.name
        ) from error


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(info)


def _extractor(tape: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        stream = tape.extractfile(member)
        assert stream is not None  # only plain files are asked for
        return stream

    return opened


def _chosen(names: list[str], file: str) -> list[str]:
    for suffix in _WANTED:
        found = sorted(name for name in names if name.endswith(suffix))
        if len(found) == 1 or (found and all("-of-" in PurePosixPath(name).name for name in found)):
            return found
        if found:
            raise InputError(
                f"holds several files of weights, {', '.join(found)[:200]}; pack the one that is meant", file=file
            )
    raise InputError(
        f"holds no weights among {', '.join(names)[:200] or 'its files'}; they end in {', '.join(_WANTED)}", file=file
    )
