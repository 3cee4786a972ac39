"""What tells a cache that files have changed; keys of caches are paths and stamps, never arrays."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsr_core.storage.runs import Run

GROWING = (
    *("steps.jsonl", "baselines.jsonl", "iteration.json"),
    *("race.json", "isolation.json", "training.json", "plane.npz", "cases.json"),
)


def by(*names: str) -> dict[str | type, Callable[[Any], str]]:
    """How a cache tells runs and folders apart: by their paths and the stamps of these files in them, or of all if none is named."""

    def told(folder: Path) -> str:
        return f"{stamp_of(folder, *names) if names else tree_stamp(folder)}|{folder}"

    return {Run: lambda run: told(run.path), type(Path()): told}


def stamp_of(folder: Path, *names: str) -> str:
    """Changes when one of the files is replaced."""
    place, parts = (
        os.fspath(folder),
        [],
    )  # asked of a thousand runs for every page: a Path takes longer to make than its file to ask for
    for name in names:
        try:
            parts.append(_stamp(os.lstat(f"{place}/{name}")))
        except OSError:
            parts.append("-")
    return "|".join(parts)


def tree_stamp(folder: Path) -> str:
    """Changes when any file of a folder is replaced, added or lost."""
    parts = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "exports")
        for name in sorted(names):
            try:
                parts.append(f"{name}:{_stamp((Path(place) / name).lstat())}")
            except OSError:
                parts.append(f"{name}:-")
    return hashlib.sha256("|".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _stamp(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_size}:{found.st_ino}"


def growth_stamp(run: Run) -> str:
    """Changes when a run that can be looked at while it is at work has more to show."""
    return stamp_of(run.path, *GROWING)


def has_grown(run: Run) -> bool:
    """Whether there is anything of a result yet."""
    return any((run.path / name).is_file() for name in GROWING)
