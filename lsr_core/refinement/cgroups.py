"""What the control groups of this process leave of memory: the limits of containers and of systemd, versions 1 and 2."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

UNLIMITED = 2**60  # version 1 writes a number of this size where there is no limit


class _Names(NamedTuple):
    """Files of one version; `limits` in bytes or "max"."""

    limits: tuple[str, ...]
    usage: str
    cache: str  # in memory.stat: pages of files, which the kernel gives up before it ends a process


_NAMES = {
    "cgroup": _Names(("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file"),
    "cgroup2": _Names(("memory.max", "memory.high"), "memory.current", "inactive_file"),
}


def cgroup_room(root: Path = Path("/")) -> int | None:
    """Bytes below the nearest limit of the groups above this process; None where nothing is limited.

    Every group up to the top counts, for a limit may be set at any of them. Files that are missing or unreadable limit nothing.

    Args:
        root: where /proc and /sys are.
    """
    rooms = [room for folder, names in _groups(root) if (room := _room(folder, names)) is not None]
    return max(0, min(rooms)) if rooms else None


@lru_cache(maxsize=8)  # who asks ten times a second should not search for them each time
def _groups(root: Path) -> list[tuple[Path, _Names]]:
    """Folders of this process's memory groups and of all groups above them."""
    found = []
    for kind, top, inside in _mounts(root):
        path = _path(root, kind)
        if path is None:
            continue
        # within a container the mount may begin at the container's own group while the path is told from the host's
        below = PurePosixPath(path)
        relative = below.relative_to(inside) if below.is_relative_to(inside) else below.relative_to("/")
        parts = relative.parts
        folders = [top.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]
        found += [(folder, _NAMES[kind]) for folder in folders]
    return found


def _mounts(root: Path) -> list[tuple[str, Path, str]]:
    """Version, folder and the group it begins at, of every mounted hierarchy that may limit memory."""
    found = []
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3 or kind[0] not in _NAMES:
            continue
        if kind[0] == "cgroup2" or "memory" in kind[2].split(","):
            found.append((kind[0], root / fields[4].lstrip("/"), fields[3]))
    return found


def _path(root: Path, kind: str) -> str | None:
    """The group of this process, from /proc/self/cgroup: `4:memory:/path`, or `0::/path` in version 2."""
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if kind == "cgroup2" and number == "0" and not controllers:
            return path
        if kind == "cgroup" and "memory" in controllers.split(","):
            return path
    return None


def _room(folder: Path, names: _Names) -> int | None:
    limits = [value for name in names.limits if (value := _number(folder / name)) is not None and value < UNLIMITED]
    usage = _number(folder / names.usage) if limits else None
    if usage is None:
        return None
    stat = dict(line.split(" ", 1) for line in _lines(folder / "memory.stat") if " " in line)
    cache = stat.get(names.cache, "0")
    return min(limits) - usage + (int(cache) if cache.isdecimal() else 0)


def _number(path: Path) -> int | None:
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdecimal() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []
