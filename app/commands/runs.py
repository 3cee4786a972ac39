"""`lsr runs`: what is in the folder of runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lsr_app.commands.common import JsonOption, RunsOption, emit, printable, store
from lsr_app.reading import runkinds
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.storage.runs import Run


def runs(runs: RunsOption = None, json: JsonOption = False) -> None:
    """List the runs, newest first."""
    place = store(runs)
    readable, faults = place.survey()
    found = [_about(run) for run in readable]
    found += [
        {**_NOTHING, "run": name, "status": "damaged", "error": str(fault)} for name, fault in sorted(faults.items())
    ]
    emit({"runs": found, "folder": str(place.root)}, "\n".join(map(_line, found)) or f"no runs in {place.root}", json)


_NOTHING: dict[str, Any] = dict.fromkeys(
    (
        "run",
        "kind",
        "title",
        "problem",
        "created",
        "owner",
        "listed",
        "status",
        "rank",
        "max_rank",
        "base_test_mse",
        "refined_test_mse",
        "error",
    )
)


def _line(run: dict[str, Any]) -> str:
    made = "" if run["created"] is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(run["created"]))
    line = f"{run['run']}  {made:<16}  {run['status']:<10}{_rank(run):<14}"
    return line + printable(run["error"] if run["status"] == "damaged" else run["title"])


def _about(run: Run) -> dict[str, Any]:
    """A line about a run; what it does not have is None."""
    manifest = run.manifest
    about = {
        **_NOTHING,
        "run": run.id,
        "kind": manifest.kind,
        "title": manifest.title,
        "problem": manifest.problem,
        "created": manifest.created,
        "owner": manifest.owner,
        "listed": manifest.listed,
    }
    try:
        status = run.status()
        about["status"] = status.status
        about["error"] = status.error.message if status.error else None
        if status.status == "complete" and not runkinds.of(manifest).experiment:
            summary = run.summary
            about |= {"rank": summary.rank, "max_rank": summary.max_rank}
            about |= {"base_test_mse": summary.base.test_mse, "refined_test_mse": summary.refined.test_mse}
    except InputError as error:
        about |= {"status": "damaged", "error": str(error)}
    return about


def _rank(run: dict[str, Any]) -> str:
    return "" if run["rank"] is None else f"rank {run['rank']}"
