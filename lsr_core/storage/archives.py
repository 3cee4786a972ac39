"""Unpacking a zip that anybody may have made."""

from __future__ import annotations

import errno
import re
import stat
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from lsr_core.errors import InputError
from lsr_core.storage import inside

MAX_BYTES = 4 * 2**30
MAX_RATIO = 200
RATIO_FREE_BYTES = 2**20
CHUNK = 2**20


def unpack(
    archive: Path,
    destination: Path,
    names: Collection[str],
    max_bytes: int = MAX_BYTES,
    pattern: str | None = None,
) -> None:
    """Write the members called `names` flat into `destination`; they stand at the top or in one folder.

    Args:
        archive: the zip.
        destination: an existing empty folder.
        names: the file names that are allowed; others are refused, missing ones are not noticed here.
        max_bytes: largest total size after unpacking.
        pattern: of further file names that are allowed.

    Raises:
        InputError: not a zip, damaged, encrypted, or with members that are unexpected, doubled, links, leave the
            folder, or unpack to more than `max_bytes` or more than 200 times their compressed size.
    """
    file = archive.name
    try:
        with inside.opened_as_named(archive, MAX_BYTES) as stream, zipfile.ZipFile(stream) as opened:
            members = _checked(opened.infolist(), names, max_bytes, file, pattern)
            for name, member in members.items():
                _extract(opened, member, destination / name, file)
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise  # a full disk, say; EINVAL comes from an offset in the zip that lies before its start
        raise InputError("not a complete zip; it may be truncated, pack it again", file=file) from error


def _checked(
    members: list[zipfile.ZipInfo], names: Collection[str], max_bytes: int, file: str, pattern: str | None
) -> dict[str, zipfile.ZipInfo]:
    """The members by bare name, after everything that can be said from the directory of the zip."""
    found: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    for member in members:
        # `orig_filename` is what the archive says; `filename` has been cut at a NUL and had its separators changed.
        path = _safe_path(member.orig_filename, file)
        if member.is_dir():
            continue
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise InputError("is a link or a special file; pack the files themselves", file=file, key=str(path))
        if member.flag_bits & 1:
            raise InputError("is encrypted; pack it without a password", file=file, key=str(path))
        known = path.name in names or (pattern is not None and re.fullmatch(pattern, path.name) is not None)
        if not known or len(path.parts) > 2:
            raise InputError(
                f"does not belong in a bundle; only {', '.join(sorted(names))} do, at the top or in one folder",
                file=file,
                key=str(path),
            )
        if path.name in found:
            raise InputError("appears twice; keep one", file=file, key=path.name)
        if member.file_size > max(RATIO_FREE_BYTES, MAX_RATIO * member.compress_size):
            raise InputError(f"unpacks to more than {MAX_RATIO} times its size; refused", file=file, key=path.name)
        found[path.name] = member
        folders.add(path.parent)
    if len(folders) > 1:
        raise InputError("its files are spread over several folders; put them in one", file=file)
    total = sum(member.file_size for member in found.values())
    if total > max_bytes:
        raise InputError(f"unpacks to {total:,} bytes, more than the {max_bytes:,} allowed", file=file)
    return found


def _safe_path(name: str, file: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if "\\" in name or ":" in name or "\0" in name or path.is_absolute() or ".." in path.parts or not path.parts:
        raise InputError(
            "has a member whose path leaves the folder or is not portable; pack it again with plain names",
            file=file,
            key=name.encode("ascii", "backslashreplace").decode()[:80] or None,
        )
    return path


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, file: str) -> None:
    """Copy one member, counting what really comes out."""
    written = 0
    with archive.open(member) as source, target.open("xb") as sink:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            if written > member.file_size:
                raise InputError("holds more than it declares; the zip is damaged", file=file, key=target.name)
            sink.write(chunk)
    if written != member.file_size:
        raise InputError("holds less than it declares; the zip is damaged", file=file, key=target.name)
