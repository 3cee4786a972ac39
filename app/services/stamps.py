"""What tells a cache that files have changed; keys of caches are paths and stamps, never arrays."""

from __future__ import annotations

from pathlib import Path

from lsr_core.storage.runs import Run

_GROWING = (
    *("steps.jsonl", "baselines.jsonl", "iteration.json"),
    *("race.json", "isolation.json", "training.json", "plane.npz", "cases.json"),
)


def stamp_of(folder: Path, *names: str) -> str:
    """Changes when one of the files is replaced."""
    parts = []
    for name in names:
        try:
            found = (folder / name).stat()
            parts.append(f"{found.st_mtime_ns}:{found.st_size}:{found.st_ino}")
        except OSError:
            parts.append("-")
    return "|".join(parts)


def growth_stamp(run: Run) -> str:
    """Changes when a run that can be looked at while it is at work has more to show."""
    return stamp_of(run.path, *_GROWING)


def has_grown(run: Run) -> bool:
    """Whether there is anything of a result yet."""
    return any((run.path / name).is_file() for name in _GROWING)
