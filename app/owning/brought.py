"""What a browser brought and did not keep: problems, and the runs made of them. It goes when the browser is gone."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress

from lsr_app import places
from lsr_app.owning import ownproblems
from lsr_core.errors import InputError
from lsr_core.jobs import queue
from lsr_core.storage.runs import RunStore

LEFT_OVER_SECONDS = 86_400.0
_SEEN = "seen"


def sign(owner: str) -> None:
    """Note that this owner is here now, if there is anything of his."""
    folder = ownproblems.folder_of(owner)
    if folder.is_dir():
        with suppress(OSError):  # whoever only looks needs no disk that takes something
            (folder / _SEEN).touch()


def forget(owner: str) -> None:
    """Delete the problems and runs of this owner that were not kept; one that is at work is cancelled first."""
    _forget(ownproblems.folder_of(owner).name)


def forget_left_over() -> None:
    """The same for owners who were last seen long ago by a server that is gone."""
    for folder in (places.runs_root() / ownproblems.FOLDER).glob("*"):
        seen = folder / _SEEN
        if time.time() - (seen if seen.is_file() else folder).stat().st_mtime > LEFT_OVER_SECONDS:
            _forget(folder.name)


def _forget(digest: str) -> None:
    store = RunStore(places.runs_root())
    for run in store.list() if store.root.is_dir() else ():
        try:
            if not run.manifest.session_only or ownproblems.digest_of(run.manifest.owner) != digest:
                continue
            queue.cancel(run)
            store.delete(run)
        except (InputError, OSError):
            continue  # damaged, or deleted by its owner in the meantime
    folder = places.runs_root() / ownproblems.FOLDER / digest
    for problem in folder.glob("*/"):
        if not ownproblems.is_kept(problem):
            shutil.rmtree(problem, ignore_errors=True)
    if not any(folder.glob("*/")):
        shutil.rmtree(folder, ignore_errors=True)
