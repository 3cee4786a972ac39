"""Problems a browser brought: bundles in a folder of its owner, beside the runs, offered to nobody else."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from lsr_app import places
from lsr_core.storage.bundles import DESCRIPTION, load_problem

FOLDER = ".own"
PREFIX = "own:"
KEPT = "kept"  # a file of this name in a bundle's folder
SEEN = "seen"  # and of this one beside the bundles of an owner; its time is that of the last visit


def folder_of(owner: str) -> Path:
    """Where the bundles of this owner are; need not exist. The owner's name never becomes a path."""
    return places.runs_root() / FOLDER / hashlib.sha256(owner.encode()).hexdigest()[:32]


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
    folder = folder_of(owner) / secrets.token_hex(8)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        write(folder)
        load_problem(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return f"{PREFIX}{folder.name}"


def holds(folder: Path) -> bool:
    """Whether this is a bundle that a browser brought."""
    return folder.parent.parent == places.runs_root() / FOLDER


def kept(owner: str, key: str) -> bool:
    """Whether it stays when its owner leaves."""
    return key in (known := names(owner)) and (known[key] / KEPT).is_file()


def keep(owner: str, key: str, wanted: bool) -> None:
    """Let it stay, or no longer."""
    if key in (known := names(owner)):
        (known[key] / KEPT).touch() if wanted else (known[key] / KEPT).unlink(missing_ok=True)


def remove(owner: str, key: str) -> None:
    """Forget one bundle; runs keep their own copies."""
    if key in (known := names(owner)):
        shutil.rmtree(known[key], ignore_errors=True)
