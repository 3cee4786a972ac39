"""Jobs that a cluster has taken: which job of which cluster works on a run, how it stands there, and how it is ended.

A record of each lies in `.jobs` of the folder of runs, beside what submitit writes of it; the run itself knows nothing of where it is worked on.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lsr_core.errors import InputError
from lsr_core.storage import atomic, inside
from lsr_core.storage.records import FINAL_STATES
from lsr_core.storage.runs import ID_PATTERN, Run, RunStore
from lsr_core.validation import describe

FOLDER, RECORD = ".jobs", "job.json"
MAX_BYTES = 10_000
TAIL = 600  # characters of a job's own log in a sentence
OVER = (
    "COMPLETED",
    "FAILED",
    "CANCELLED",
    "TIMEOUT",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "BOOT_FAIL",
    "DEADLINE",
    "PREEMPTED",
)
ENDED = (*OVER, "FINISHED", "INTERRUPTED")  # the last two are of processes of this machine
EXTRA = "needs submitit; install lsr-explorer[cluster]"


class ClusterJob(BaseModel):
    """`job.json`: who has taken a job, and under which number."""

    model_config = ConfigDict(extra="forbid")

    executor: str = Field(max_length=1_000)
    cluster: str = Field(pattern=r"^(slurm|local)$")
    job: str = Field(pattern=r"^[0-9]{1,20}$")


def folder_of(run: Run) -> Path:
    """Where submitit keeps its files of a run's job."""
    return run.path.parent / FOLDER / run.id


def note(run: Run, taken: ClusterJob) -> None:
    """Remember who has taken a run's job."""
    atomic.write_text(folder_of(run) / RECORD, taken.model_dump_json())


def taken(run: Run) -> ClusterJob | None:
    """Who has taken the job of a run; None where nobody did.

    Raises:
        InputError: the record is damaged.
    """
    path = folder_of(run) / RECORD
    if not inside.there(path):
        return None
    try:
        return ClusterJob.model_validate_json(inside.read(path, MAX_BYTES))
    except ValidationError as error:
        raise describe(error, RECORD) from error


def cancel(run: Run) -> None:
    """End the job of a run where a cluster has it; nothing else changes."""
    found = taken(run)
    if found is not None:
        with suppress(OSError, RuntimeError):  # it has ended, or the cluster is not to be reached from here
            _job(run, found).cancel(check=False)


def log(run: Run) -> str:
    """What the job has printed, errors last; empty where no cluster has it."""
    found = taken(run)
    if found is None:
        return ""
    job = _job(run, found)
    return "\n".join(part for part in (job.stdout(), job.stderr()) if part)


def ended_without_a_word(run: Run) -> str | None:
    """The sentence on a job that the cluster has ended while the run still waits or works; None where all is well or nobody can tell."""
    found = taken(run)
    if found is None or run.status().status in FINAL_STATES:
        return None
    words = str(_job(run, found).state).split()
    if not words or words[0] not in ENDED or run.status().status in FINAL_STATES:
        return None
    said = log(run).strip()[-TAIL:]
    last = f"; its log ends: {said}" if said else ", and printed nothing"
    return f"job {found.job} of {found.executor} has ended ({words[0].lower()}) before its work was done{last}"


def all_taken(store: RunStore) -> Iterator[Run]:
    """Runs of a folder whose jobs a cluster has; records of runs that are gone are removed."""
    place = store.root / FOLDER
    for path in sorted(place.iterdir()) if place.is_dir() and not place.is_symlink() else ():
        if not ID_PATTERN.fullmatch(path.name):
            continue
        try:
            yield store.open(path.name)
        except InputError:
            shutil.rmtree(path, ignore_errors=True)


def _job(run: Run, found: ClusterJob) -> Any:
    """Submitit's own view of the job.

    Raises:
        InputError: submitit is not installed.
    """
    submitit = import_submitit()
    kind = submitit.SlurmJob if found.cluster == "slurm" else submitit.LocalJob
    return kind(folder_of(run), found.job)


def import_submitit() -> Any:
    """The library.

    Raises:
        InputError: it is not installed.
    """
    try:
        import submitit
    except ImportError as error:
        raise InputError(EXTRA, key="executor") from error
    return submitit
