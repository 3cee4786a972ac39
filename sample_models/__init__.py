"""Sample problems: bundles with trained weights and data, each beside the script that made it."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).parent


def names() -> list[str]:
    """Names of the samples, in the order in which they are worth looking at."""
    first = ["sine2d", "sine2d-untrained", "noisy1d"]
    found = {path.parent.name for path in _ROOT.glob("*/problem.json")}
    return [name for name in first if name in found] + sorted(found - set(first))


def folder(name: str) -> Path:
    """Folder of the sample `name`; KeyError if there is none."""
    if name not in names():
        raise KeyError(name)
    return _ROOT / name


def runs_folder() -> Path:
    """Folder of the runs that come with the samples."""
    return _ROOT / "runs"
