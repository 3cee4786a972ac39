"""A process that works on its part of the rows of a refinement that another one is in charge of."""

from __future__ import annotations

import os
import signal
import sys
import threading

from lsr_core.errors import LSRError
from lsr_core.jobs.seats import Seat, joined, refuse_kind
from lsr_core.jobs.team import REFUSED
from lsr_core.storage.runs import Run


def follow(run: Run, seat: Seat) -> int:
    """Work on the own rows until the refinement is done; the exit code. Nothing of the run is written: what goes wrong goes to stderr."""
    if seat.meeting is not None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # process 0 decides
        threading.Thread(target=_leave_with_the_first, daemon=True).start()
    try:
        _work(run, seat)
    except LSRError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    return 0


def _work(run: Run, seat: Seat) -> None:
    from lsr_core.jobs.watch import Watch
    from lsr_core.refinement.refine import refine
    from lsr_core.refinement.resources import return_large_blocks
    from lsr_core.storage.bundles import load_problem

    return_large_blocks()
    refuse_kind(run.manifest.kind)
    if seat.meeting is not None:
        seat.ready().touch()
    problem = load_problem(run.problem_path)
    group = seat.group()
    try:
        found = joined(group, run, run.manifest.config)
        with Watch(run.manifest.config.memory_budget, _end) as watch:
            refine(problem, found.config, progress=lambda stage, fraction: watch.check(), reduction=found.reduction)
    finally:
        group.close()


def _end(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
    os._exit(1)


def _leave_with_the_first() -> None:
    """Process 0 holds the other end of the input: where it is gone, nobody waits for these rows."""
    sys.stdin.buffer.read()
    os._exit(1)
