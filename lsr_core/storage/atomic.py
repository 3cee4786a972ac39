"""Files that are either wholly there or not there at all."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lsr_core.storage import inside

TEMPORARY_SUFFIX = ".tmp"
_TEMPORARY = re.compile(r"\..+\.[0-9a-z_]{8}\.tmp")
LEFT_OVER_SECONDS = 60.0
_READERS_BLOCK = os.name == "nt"
_PAUSES = (0.01, 0.03, 0.1, 0.3, 1.0)  # seconds; a page reads a status in less


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes the name `path`, on failure it is removed.

    Raises:
        InputError: the folder is a link.
        OSError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    with inside.folder_of(path) as folder:
        name = inside.at(temporary, folder)
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder))
        try:
            yield temporary
            written = os.open(name, os.O_RDWR, dir_fd=folder)
            try:
                os.fsync(written)
            finally:
                os.close(written)
            _take_name(name, inside.at(path, folder), folder)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _take_name(name: str | Path, taken: str | Path, folder: int | None) -> None:
    """Rename within the open folder. On Windows a file that somebody reads just now cannot be replaced, so it is tried again for a while."""
    for pause in _PAUSES if _READERS_BLOCK else ():
        try:
            os.replace(name, taken, src_dir_fd=folder, dst_dir_fd=folder)
            return
        except PermissionError:
            time.sleep(pause)
    os.replace(name, taken, src_dir_fd=folder, dst_dir_fd=folder)


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())  # byte for byte, for digests are of these


def write_bytes(path: Path, data: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a compressed npz of plain arrays (no objects, hence no pickle)."""
    write_with(path, lambda temporary: _savez(temporary, arrays))


def write_with(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill the file under a temporary name first."""
    with replacing(path) as temporary:
        write(temporary)


def is_temporary(name: str) -> bool:
    """Whether a name is one of those that a killed process may have left."""
    return _TEMPORARY.fullmatch(name) is not None


def remove_left_over(folder: Path, seconds: float = LEFT_OVER_SECONDS) -> None:
    """Remove temporary files of writers that were killed, if they are older than `seconds`."""
    for place, folders, names in os.walk(folder):  # does not enter links
        for name in [*folders, *names]:
            remove_if_left_over(Path(place) / name, seconds)


def remove_if_left_over(path: Path, seconds: float = LEFT_OVER_SECONDS) -> None:
    """Remove a file or folder if it is one of those."""
    try:
        if not is_temporary(path.name) or time.time() - path.lstat().st_mtime <= seconds:
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError:
        pass


def _savez(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
