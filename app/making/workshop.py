"""Files that take long are made in processes of their own: a few at a time, in turn, none left as a zombie, and not without end."""

from __future__ import annotations

import subprocess
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from lsr_core.errors import InputError

AT_ONCE, WAITING, OF_OWNER = 2, 24, 4
LONGEST_SECONDS = 3_600.0
MOST_FILES, MOST_BYTES = 24, 2**30


@dataclass(frozen=True)
class Task:
    """A file, the process that makes it, and who asked."""

    path: Path
    command: list[str]
    owner: str


class Workshop:
    """Takes tasks in the order in which they come; those of one owner do not fill it."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._changed = threading.Condition()
        self._waiting: deque[Task] = deque()
        self._working: list[Task] = []
        self._hands: list[threading.Thread] = []
        self._ended: set[Path] = set()

    def ask(self, task: Task) -> None:
        """Put a task in the queue unless it is there.

        Raises:
            InputError: it is full, or has enough of this owner; says when to come again.
        """
        with self._changed:
            under_way = [*self._waiting, *self._working]
            if any(task.path == other.path for other in under_way):
                return
            if sum(task.owner == other.owner for other in under_way) >= OF_OWNER:
                raise InputError(f"{OF_OWNER} files of yours are being made; ask again when one is ready", key="export")
            if len(self._waiting) >= WAITING:
                raise InputError(f"{WAITING} files wait to be made; ask again in a minute", key="export")
            self._ended.discard(task.path)
            self._waiting.append(task)
            if len(self._hands) < self._at_once:
                self._hands.append(threading.Thread(target=self._work, daemon=True))
                self._hands[-1].start()
            self._changed.notify()

    def state(self, path: Path) -> str:
        """'', 'working' (or waiting for its turn), or 'ended', whatever came of it."""
        with self._changed:
            if any(path == task.path for task in (*self._waiting, *self._working)):
                return "working"
            return "ended" if path in self._ended else ""

    def before(self, path: Path) -> int:
        """How many tasks come before the one that makes this file."""
        with self._changed:
            waiting = [task.path for task in self._waiting]
            return waiting.index(path) + 1 if path in waiting else 0

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                task = self._waiting.popleft()
                self._working.append(task)
            try:
                _make(task.command)
            finally:
                with self._changed:
                    self._working.remove(task)
                    self._ended.add(task.path)


def make_room(folder: Path) -> None:
    """Remove what was made first in a folder, each file with what stands beside it: what visitors ask of a run has an end."""
    groups: dict[str, list[Path]] = {}
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink():
            groups.setdefault(path.name.removesuffix(".note").removesuffix(".error"), []).append(path)
    found = sorted(groups.values(), key=lambda group: max(path.stat().st_mtime for path in group))
    sizes = [sum(path.stat().st_size for path in group) for group in found]
    while found and (len(found) >= MOST_FILES or sum(sizes) > MOST_BYTES):
        for path in found.pop(0):
            path.unlink(missing_ok=True)
        sizes.pop(0)


def _make(command: list[str]) -> None:
    """Run a process to its end, and not for ever; its file or its silence says what came of it."""
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    except OSError:
        return
    try:
        process.wait(LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
