"""`lsr runs`: what is in the folder of runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lsr_app.commands.common import JsonOption, RunsOption, emit, printable, store
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.storage.runs import Run


def runs(runs: RunsOption = None, json: JsonOption = False) -> None:
    """List the runs, newest first."""
    place = store(runs)
    found = [_about(run) for run in place.list()]
    lines = [
        f"{run['run']}  {time.strftime('%Y-%m-%d %H:%M', time.localtime(run['created']))}  {run['status']:<10}"
        f"{_rank(run):<14}{printable(run['title'])}"
        for run in found
    ]
    emit({"runs": found, "folder": str(place.root)}, "\n".join(lines) or f"no runs in {place.root}", json)


def _about(run: Run) -> dict[str, Any]:
    """A line about a run; what it does not have is None."""
    from lsr_core.storage.lab import LAB_KINDS

    manifest = run.manifest
    about: dict[str, Any] = {
        "run": run.id,
        "kind": manifest.kind,
        "title": manifest.title,
        "problem": manifest.problem,
        "created": manifest.created,
        "owner": manifest.owner,
        "listed": manifest.listed,
        "status": "failed",
        "rank": None,
        "max_rank": None,
        "base_test_mse": None,
        "refined_test_mse": None,
        "error": None,
    }
    try:
        status = run.status()
        about["status"] = status.status
        about["error"] = status.error.message if status.error else None
        if status.status == "complete" and manifest.kind not in LAB_KINDS:
            summary = run.summary
            about |= {"rank": summary.rank, "max_rank": summary.max_rank}
            about |= {"base_test_mse": summary.base.test_mse, "refined_test_mse": summary.refined.test_mse}
    except InputError as error:
        about |= {"status": "failed", "error": str(error)}
    return about


def _rank(run: dict[str, Any]) -> str:
    return "" if run["rank"] is None else f"rank {run['rank']}"
