"""A job run in this process by a command, and the lines that commands print."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, JsonValue

from lsr_app.commands.common import (
    OWNER,
    Cancellation,
    ProgressLine,
    emit,
    interruptible,
    printable,
    problem_folder,
    store,
)
from lsr_core.errors import Cancelled, InputError, LSRError

if TYPE_CHECKING:
    from lsr_core.jobs.executors import Executor
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.storage.lab import Experiment
    from lsr_core.storage.records import JobKind
    from lsr_core.storage.runs import Run


def refuse(folder: Path, config: RefineConfig, processes: int = 1, *, here: bool = True) -> None:
    """Refuse here what can be refused before there is a run, and say what the run, or each of its processes, will take.

    Args:
        here: whether the memory of this machine counts.
    """
    from lsr_core.jobs.seats import refuse_count
    from lsr_core.refinement.forecast import forecast
    from lsr_core.refinement.plan import budget_of
    from lsr_core.refinement.sharing import refuse_more_than, refuse_unshared
    from lsr_core.storage.bundles import load_problem

    refuse_count(processes)
    refuse_unshared(config, processes)
    problem = load_problem(folder)
    refuse_more_than(len(problem.fitted_inputs()), processes)
    each = config if processes == 1 else config.model_copy(update={"memory_budget": budget_of(config) // processes})
    expected = forecast(problem, config if config.memory_budget is not None else each)
    if here and not expected.fits:
        raise InputError(expected.sentence, key="max_rank" if config.memory_budget is None else "memory_budget")
    print(printable(f"{'' if processes == 1 else 'Each process: '}{expected.sentence}"), file=sys.stderr)


def created(
    problem: str, config: RefineConfig, runs: Path | None, trust: bool, kind: JobKind,
    refused: Callable[[Path], object], settings: BaseModel | None = None,
) -> Run:  # fmt: skip
    """The run of a job, once what can be refused before there is one was looked for in the problem's folder."""
    from lsr_core.jobs.queue import create

    with problem_folder(problem, trust) as folder:
        refused(folder)
        given = {} if settings is None else settings.model_dump(mode="json")
        return create(store(runs), folder, config, owner=OWNER, kind=kind, settings=given)


def hand_over(run: Run, taker: Executor) -> None:
    """Let somebody else run the job; no run is left behind where it is not taken."""
    from lsr_core.storage.runs import RunStore

    try:
        taker.submit(run)
    except BaseException:
        RunStore(run.path.parent).delete(run)
        raise


def shared_by(processes: int) -> dict[str, JsonValue]:
    """The settings of a run whose rows are shared."""
    from lsr_core.jobs.seats import KEY

    return {} if processes == 1 else {KEY: processes}


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


def experiment(run: Run, kind: type[Experiment]) -> Experiment:
    """Run the job of an experiment here; what it found."""
    from lsr_core.storage.lab import read_experiment

    execute(run)
    record = read_experiment(run.path, kind)
    if record is None:
        raise LSRError(f"run {run.id} left no result")
    return record


def tell(run: Run, found: dict[str, Any], words: str, json: bool) -> None:
    """What an experiment found, with where it lies."""
    emit({"run": run.id, **found, "status": run.status().status, "folder": str(run.path)}, words, json)


def printable_lines(lines: list[str]) -> str:
    return "\n".join(printable(line) for line in lines)


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3e}"
