"""A job run in this process by a command, and the lines that commands print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lsr_app.commands.common import Cancellation, ProgressLine, interruptible, printable
from lsr_core.errors import Cancelled, InputError, LSRError

if TYPE_CHECKING:
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.storage.runs import Run


def refuse(folder: Path, config: RefineConfig) -> None:
    """Refuse here what can be refused before there is a run, and say what the run will take."""
    from lsr_core.refinement.forecast import forecast
    from lsr_core.storage.bundles import load_problem

    problem = load_problem(folder)
    expected = forecast(problem, config)
    if not expected.fits:
        raise InputError(expected.sentence, key="max_rank" if config.memory_budget is None else "memory_budget")
    print(printable(expected.sentence), file=sys.stderr)


def execute(run: Run) -> None:
    """Run the job here; Ctrl-C leaves it cancelled."""
    from lsr_core.jobs.worker import execute

    progress = ProgressLine()
    try:
        with interruptible(progress) as report:
            execute(run, report)
    except (KeyboardInterrupt, Cancelled):
        status = run.status()
        if status.status in ("queued", "running"):
            run.write_status(status.model_copy(update={"status": "cancelled", "remaining": None}))
        raise Cancellation(run.id) from None
    finally:
        progress.close()
    status = run.status()
    if status.status == "cancelled":
        raise Cancellation(run.id)
    if status.status != "complete":
        reason = status.error.message if status.error else "no reason was given"
        raise LSRError(f"run {run.id} {status.status}: {reason}")


def printable_lines(lines: list[str]) -> str:
    return "\n".join(printable(line) for line in lines)


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3e}"
