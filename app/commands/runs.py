"""`lsr runs`: what is in the folder of runs."""

from __future__ import annotations

import time
from typing import Any

from lsr_app.commands.common import JsonOption, RunsOption, emit, printable, store
from lsr_app.reading import runlines


def runs(runs: RunsOption = None, json: JsonOption = False) -> None:
    """List the runs, newest first."""
    from lsr_core.jobs.executors import look_after

    place = store(runs)
    look_after(place)
    readable, faults = place.survey()
    found = [runlines.line(run) for run in readable]
    found += [runlines.damaged(name, fault) for name, fault in sorted(faults.items())]
    emit({"runs": found, "folder": str(place.root)}, "\n".join(map(_line, found)) or f"no runs in {place.root}", json)


def _line(run: dict[str, Any]) -> str:
    made = "" if run["created"] is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(run["created"]))
    line = f"{run['run']}  {made:<16}  {run['status']:<10}{_rank(run):<14}"
    return line + printable(run["error"] if run["status"] == "damaged" else run["title"])


def _rank(run: dict[str, Any]) -> str:
    return "" if run["rank"] is None else f"rank {run['rank']}"
