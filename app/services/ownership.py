"""What only the browser that started a run may do with it, and what stays private to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lsr_app.owning import ownproblems
from lsr_app.services import runs
from lsr_core.errors import InputError
from lsr_core.refinement import serverlimits
from lsr_core.storage.runs import Run

MAX_TAG, MAX_TAGS, MAX_NOTE = 40, 20, 4_000


def owned(run: Run, owner: str) -> bool:
    """Whether this browser started the run."""
    shipped = runs.shipped_store()
    return run.manifest.owner == owner and (shipped is None or run.path.parent != shipped.root)


def is_passing(folder: Path) -> bool:
    """Whether a problem, on its own or in a run, goes with the browser that brought it."""
    if serverlimits.current().passing or ownproblems.is_passing(folder):
        return True
    try:
        return folder.name == "problem" and Run(folder.parent).manifest.session_only
    except InputError:
        return False


def cancel(run: Run, owner: str) -> None:
    _require_owner(run, owner)
    from lsr_core.jobs import queue

    queue.cancel(run)


def rename(run: Run, owner: str, title: str) -> None:
    _require_owner(run, owner)
    run.write_manifest(run.manifest.model_copy(update={"title": title.strip()[:200] or run.manifest.problem}))


def set_listed(run: Run, owner: str, listed: bool) -> None:
    _require_owner(run, owner)
    run.write_manifest(run.manifest.model_copy(update={"listed": listed}))


def annotate(run: Run, owner: str, tags: Sequence[str], note: str) -> None:
    """Put the owner's tags and note in place of what was there; blanks and repetitions are left out."""
    _require_owner(run, owner)
    words = tuple(dict.fromkeys(tag.strip()[:MAX_TAG] for tag in tags if tag.strip()))[:MAX_TAGS]
    run.write_manifest(run.manifest.model_copy(update={"tags": words, "note": note.strip()[:MAX_NOTE]}))


def keep(run: Run, owner: str) -> None:
    """Let a run stay when its browser is gone; it then opens by its link, for whoever has that."""
    _require_owner(run, owner)
    if serverlimits.current().passing:
        raise InputError("nothing is kept on a demonstration; download what you need", key="run")
    run.write_manifest(run.manifest.model_copy(update={"session_only": False}))


def delete(run: Run, owner: str) -> None:
    """Remove a run that is not at work."""
    _require_owner(run, owner)
    if run.status().status in ("queued", "running"):
        raise InputError("cancel the run before deleting it", key="run")
    runs.store().delete(run)


def _require_owner(run: Run, owner: str) -> None:
    if run.manifest.owner != owner:
        raise InputError("only the browser that started a run may change it", key="run")
