"""Problems a browser brought: bundles in a folder of its owner, beside the runs, offered to nobody else."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from lsr_app import places
from lsr_core.storage.bundle_files import DESCRIPTION
from lsr_core.storage.bundles import load_problem

FOLDER = ".own"
PREFIX = "own:"
_KEPT = "kept"


def digest_of(owner: str) -> str:
    """What stands for an owner in a path."""
    return hashlib.sha256(owner.encode()).hexdigest()[:32]


def folder_of(owner: str) -> Path:
    """Where the bundles of this owner are; need not exist."""
    return places.runs_root() / FOLDER / digest_of(owner)


def names(owner: str) -> dict[str, Path]:
    """The owner's bundles by the key under which the form offers them, newest first."""
    found = [path for path in folder_of(owner).glob("*") if (path / DESCRIPTION).is_file()]
    found.sort(key=lambda path: (path / DESCRIPTION).stat().st_mtime, reverse=True)
    return {f"{PREFIX}{path.name}": path for path in found}


def add(owner: str, write: Callable[[Path], object]) -> str:
    """Let `write` make a bundle in a folder that does not exist yet; returns its key.

    Raises:
        InputError: what was written is no bundle that can be used; nothing is left of it.
        OSError: it cannot be written.
    """

    def checked(folder: Path) -> None:
        write(folder)
        load_problem(folder)

    return place(owner, checked)


def place(owner: str, write: Callable[[Path], object]) -> str:
    """The same for a `write` that has loaded what it made."""
    folder = folder_of(owner) / secrets.token_hex(8)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        write(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return f"{PREFIX}{folder.name}"


def keep(folder: Path) -> None:
    """Let a bundle stay when the browser that brought it is gone."""
    (folder / _KEPT).touch()


def is_kept(folder: Path) -> bool:
    return (folder / _KEPT).is_file()


def is_own(folder: Path) -> bool:
    """Whether this is a bundle that a browser brought."""
    return folder.parent.parent == places.runs_root() / FOLDER


def is_passing(folder: Path) -> bool:
    """Whether it goes with its browser."""
    return is_own(folder) and not is_kept(folder)


def remove(owner: str, key: str) -> None:
    """Forget one bundle; runs keep their own copies."""
    if key in (known := names(owner)):
        shutil.rmtree(known[key], ignore_errors=True)
