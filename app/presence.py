"""Who is here. What an owner brought, and the runs made of it, go some time after the last session has ended.

A reload ends a session and begins another, and a second tab is one more; so sessions are counted by owner, and deletion waits.
The time of the last visit is on disk, where it outlives the server: what a dead server left is cleaned by the next one.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from pathlib import Path

import streamlit as st

from lsr_app import ownproblems, places, services
from lsr_core.errors import InputError
from lsr_core.storage.runs import ID_PATTERN, Run

GRACE_SECONDS = 600.0
_lock = threading.Lock()
_here: Counter[str] = Counter()


def mark(owner: str) -> None:
    """This owner draws a page now."""
    _watch(str(places.runs_root()))
    _session(owner)
    folder = ownproblems.folder_of(owner)
    if folder.is_dir():
        (folder / ownproblems.SEEN).touch()


def _ended(owner: str) -> None:
    """A session of the owner is over: the grace begins."""
    with _lock:
        _here[owner] -= 1
        if _here[owner] <= 0:
            del _here[owner]
    folder = ownproblems.folder_of(owner)
    if folder.is_dir():
        (folder / ownproblems.SEEN).touch()
        _later()


@st.cache_resource(scope="session", show_spinner=False, on_release=_ended)
def _session(owner: str) -> str:
    with _lock:
        _here[owner] += 1
    return owner


@st.cache_resource(max_entries=1, show_spinner=False)
def _watch(root: str) -> bool:
    """Once for each server: what an earlier one left behind has the grace, too."""
    if (Path(root) / ownproblems.FOLDER).is_dir():
        _later()
    return True


def _later() -> None:
    timer = threading.Timer(GRACE_SECONDS + 1, sweep)
    timer.daemon = True
    timer.start()


def sweep(now: float | None = None) -> None:
    """Delete what belongs to owners who have left, unless it is kept.

    Args:
        now: seconds since the epoch; for tests.
    """
    now = time.time() if now is None else now
    root = places.runs_root()
    with _lock:
        here = {ownproblems.folder_of(owner) for owner in _here}
    gone = [folder for folder in (root / ownproblems.FOLDER).glob("*") if folder not in here and _long_ago(folder, now)]
    again = False
    for path in root.iterdir() if gone else ():
        if ID_PATTERN.fullmatch(path.name) and not path.is_symlink():
            again |= not _delete(Run(path), gone)
    for folder in gone:
        for bundle in folder.iterdir():
            if bundle.is_dir() and not (bundle / ownproblems.KEPT).is_file():
                shutil.rmtree(bundle, ignore_errors=True)
    if again:
        _later()


def _long_ago(folder: Path, now: float) -> bool:
    try:
        seen = (folder / ownproblems.SEEN).stat().st_mtime
    except OSError:
        seen = 0.0
    return now - seen >= GRACE_SECONDS


def _delete(run: Run, gone: list[Path]) -> bool:
    """Whether nothing of this run is left to delete; one at work is cancelled first and goes the next time."""
    try:
        manifest = run.manifest
        if not manifest.expires or ownproblems.folder_of(manifest.owner) not in gone:
            return True
        if run.status().status in ("queued", "running"):
            services.cancel(run, manifest.owner)
            return False
        services.delete(run, manifest.owner)
    except (InputError, OSError):
        return True
    return True
