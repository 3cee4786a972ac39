"""The one way to a file inside a run, a bundle or an export, which anybody may have made: plain files only, in the folder itself, of bounded size.

Neither the file nor the folder that it lies in may be a link; what stands above them was named by the user. A file with a second
name (a hard link) may be one from elsewhere and is refused too, but for reading what an installer has put beside this package.
"""

from __future__ import annotations

import importlib.util
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from lsr_core.errors import InputError

_HERE = {os.open, os.stat, os.unlink} <= os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")  # not on Windows
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_READ = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _PLAIN
)  # a pipe that takes the file's place does not wait for a writer
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | _PLAIN
_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode), "a device"),
)


def there(path: Path) -> bool:
    """Whether anything has this name, be it a file that is refused when it is opened."""
    return os.path.lexists(path)


def named(source: str | Path) -> Path:
    """A path as it was given: what a user typed may lead through links, and is followed here, once."""
    return Path(source).resolve() if isinstance(source, str) else source


def opened(path: Path, limit: int) -> BufferedReader:
    """A file to be read, at its beginning.

    Args:
        limit: largest size in bytes.

    Raises:
        InputError: it is missing, larger, no plain file, or has a second name; or its folder is a link.
    """
    stream = opened_as_named(path, limit, follow=False)
    if os.fstat(stream.fileno()).st_nlink > 1 and not _installed(path):
        stream.close()
        raise InputError(
            "has a second name (a hard link), so it may be a file from elsewhere; put a copy in its place",
            file=path.name,
        )
    return stream


def opened_as_named(path: Path, limit: int, *, follow: bool = True) -> BufferedReader:
    """A file that the user named, to be read: links are followed and further names are none of our business; plain and bounded it must be.

    Raises:
        InputError: it is missing, larger than `limit` bytes, or no plain file.
    """
    stream = os.fdopen(_open(path.resolve() if follow else path, _READ), "rb")
    try:
        found = os.fstat(stream.fileno())
        _refuse(found, path)
        if found.st_size > limit:
            raise InputError(f"is larger than {limit:,} bytes, the most that is read of such a file", file=path.name)
    except BaseException:
        stream.close()
        raise
    return stream


def read(path: Path, limit: int) -> bytes:
    """The bytes of a file; raises as `opened`."""
    with opened(path, limit) as stream:
        return all_of(stream, path, limit)


def all_of(stream: BufferedReader, path: Path, limit: int) -> bytes:
    """What is left of a stream; raises InputError if that is more than `limit`."""
    try:
        left = os.fstat(stream.fileno()).st_size - stream.tell()
        data = stream.read(min(limit, max(0, left)) + 1)  # as much as is asked for is allocated
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path.name) from error
    if len(data) > limit:  # it grew meanwhile
        raise InputError(f"is larger than {limit:,} bytes, the most that is read of such a file", file=path.name)
    return data


def append(path: Path, text: str) -> None:
    """Add text to a file, which is made if it is missing.

    Raises:
        InputError: it is no plain file, or has a second name; or its folder is a link.
        OSError: it cannot be written.
    """
    with os.fdopen(_open(path, _APPEND), "ab") as stream:
        found = os.fstat(stream.fileno())
        _refuse(found, path)
        if found.st_nlink > 1:
            raise InputError(
                "has a second name (a hard link), so it may be a file from elsewhere; nothing was written into it",
                file=path.name,
            )
        stream.write(text.encode())


def copy(source: Path, target: Path, limit: int) -> None:
    """Copy a file into a place where nothing is yet; raises as `opened`, and OSError where it cannot be written."""
    with opened(source, limit) as stream, folder_of(target) as folder:
        made = os.open(at(target, folder), os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN, 0o666, dir_fd=folder)
        with os.fdopen(made, "wb") as sink:
            while chunk := stream.read(2**20):
                sink.write(chunk)


@contextmanager
def folder_of(path: Path) -> Iterator[int | None]:
    """The open folder that a file lies in, for `dir_fd`; None where the system has no such thing.

    Raises:
        InputError: the folder is a link, or none.
        OSError: it is missing, or cannot be opened.
    """
    parent = path.parent
    try:
        if not _HERE:
            if not stat.S_ISDIR(os.lstat(parent).st_mode):
                raise InputError("is a link or no folder; name the folder itself", file=parent.name or str(parent))
            yield None
            return
        descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if parent.is_symlink() or (parent.exists() and not parent.is_dir()):
            raise InputError(
                "is a link or no folder; name the folder itself", file=parent.name or str(parent)
            ) from error
        raise
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def at(path: Path, folder: int | None) -> str | Path:
    """How a file is called relative to its open folder."""
    return path if folder is None else path.name


def _open(path: Path, flags: int) -> int:
    """Open without following; what is no plain file is not even opened, for that alone makes a device act."""
    try:
        with folder_of(path) as folder:
            try:
                _refuse(os.stat(at(path, folder), dir_fd=folder, follow_symlinks=False), path)
            except FileNotFoundError:
                if not flags & os.O_CREAT:
                    raise
            return os.open(at(path, folder), flags, 0o666, dir_fd=folder)
    except OSError as error:
        if flags & os.O_CREAT:
            raise
        missing = isinstance(error, FileNotFoundError)
        raise InputError(
            "this file is missing" if missing else f"cannot be read ({error.strerror})", file=path.name
        ) from error


def _refuse(found: os.stat_result, path: Path) -> None:
    """Raise InputError for all but plain files."""
    if stat.S_ISREG(found.st_mode):
        return
    kind = next((name for is_kind, name in _KINDS if is_kind(found.st_mode)), "no plain file")
    raise InputError(f"is {kind} where a plain file belongs; it was left alone", file=path.name)


def _installed(path: Path) -> bool:
    """Whether a file came with this package: installers put files in place as hard links from their store."""
    spec = importlib.util.find_spec("lsr_samples")
    own = [Path(place).resolve() for place in (spec.submodule_search_locations or ())] if spec else []
    return any(path.resolve().is_relative_to(place) for place in own)
