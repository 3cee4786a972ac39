"""Which module does the work of which kind of job; loaded when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from lsr_core.errors import InputError
from lsr_core.refinement.progress import ProgressCallback
from lsr_core.storage.records import JobKind
from lsr_core.storage.runs import Run

Work = Callable[[Run, ProgressCallback], None]

_HOMES: dict[JobKind, str] = {
    "refine": "lsr_core.jobs.refining",
    "iterate": "lsr_core.jobs.iterating",
    "race": "lsr_core.jobs.racing",
    "isolate": "lsr_core.jobs.isolating",
    "plane": "lsr_core.jobs.planing",
    "training": "lsr_core.jobs.along",
    "cases": "lsr_core.jobs.batching",
    "solve": "lsr_core.jobs.solving",
}


def work_of(kind: JobKind) -> Work:
    """The function `work(run, report)` of a kind: it writes results into the run and raises what goes wrong.

    Raises:
        InputError: a kind that this version can show but not run.
    """
    if kind not in _HOMES:
        raise InputError(f"this version cannot run jobs of the kind {kind!r}", file="run.json", key="kind")
    work: Work = import_module(_HOMES[kind]).work
    return work
