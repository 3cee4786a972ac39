"""What may stand where a plain file belongs in a run that somebody copied, and whether a canary outside was touched."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SECRET = "a secret of the user's, 4711"
Intruder = Callable[[Path, Path], None]


@dataclass(frozen=True)
class Canary:
    """A file outside, with a copy of what the intruder pretends to be, so that nothing but its place gives it away."""

    path: Path
    content: bytes
    stamp: int

    @classmethod
    def like(cls, path: Path, outside: Path) -> Canary:
        outside.mkdir(exist_ok=True)
        content = path.read_bytes() if path.is_file() else SECRET.encode()
        canary = outside / f"canary-{path.name}"
        canary.write_bytes(content)
        return cls(canary, content, canary.stat().st_mtime_ns)

    @property
    def is_well(self) -> bool:
        return self.path.read_bytes() == self.content and self.path.stat().st_mtime_ns == self.stamp


def link(path: Path, canary: Path) -> None:
    path.symlink_to(canary)


def hard_link(path: Path, canary: Path) -> None:
    path.hardlink_to(canary)


def pipe(path: Path, canary: Path) -> None:
    os.mkfifo(path)


def plug(path: Path, canary: Path) -> None:
    """A socket; its name would be too long for most paths, so it is bound elsewhere and moved here."""
    short = Path(f"/tmp/lsr-{os.getpid()}.sock")
    short.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(short))
    shutil.move(short, path)


def device(path: Path, canary: Path) -> None:
    """/dev/zero, which never ends; a link to it where only root may make one."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        path.symlink_to("/dev/zero")


def folder(path: Path, canary: Path) -> None:
    path.mkdir()


INTRUDERS: dict[str, Intruder] = {
    "a symbolic link": link,
    "a hard link": hard_link,
    "a pipe": pipe,
    "a socket": plug,
    "a device": device,
    "a folder": folder,
}


def put(kind: str, path: Path, outside: Path) -> Canary:
    """Put an intruder in the place of a file."""
    canary = Canary.like(path, outside)
    path.unlink()
    INTRUDERS[kind](path, canary.path)
    return canary


def take_away(path: Path, content: bytes) -> None:
    """Put the file itself back."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink()
    path.write_bytes(content)
