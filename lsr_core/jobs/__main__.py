"""`python -m lsr_core.jobs RUN/run.json`: the worker process of one run; with `--standby` it gets these from its input.

Under torchrun the processes share the rows of a refinement: the first one is the worker, the others follow.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from lsr_core.errors import Cancelled, InputError, LSRError
from lsr_core.jobs import requeue, standby
from lsr_core.jobs.seats import Seat, refuse_kind, seat_of_torchrun
from lsr_core.storage.records import FINAL_STATES, Failure
from lsr_core.storage.runs import Run
from lsr_core.storage.workers import this_process


def main(arguments: list[str] | None = None) -> int:
    """Work. Returns 0 when complete, 1 when failed, 130 when cancelled, 75 when a cluster will start it again."""
    parser = argparse.ArgumentParser(prog="python -m lsr_core.jobs", description=__doc__)
    parser.add_argument("config", type=Path, help="run.json of a queued run")
    parser.add_argument("--process", type=int, default=0, help="number of this process where several share the rows")
    parser.add_argument("--of", type=int, default=1, help="how many there are")
    parser.add_argument("--meeting", type=Path, help="folder in which they meet")
    given = parser.parse_args(_arguments(sys.argv[1:] if arguments is None else arguments))
    signal.signal(signal.SIGTERM, _cancel)
    requeue.listen()
    run = Run(given.config.parent.resolve())  # the file itself may be a link, which is refused
    seat = Seat(given.process, given.of, given.meeting) if given.process else seat_of_torchrun()
    if seat is not None and seat.rank > 0:
        from lsr_core.jobs.following import follow

        return follow(run, seat)
    try:
        status = requeue.standing(run)
        if status.status in FINAL_STATES:
            return 1
        run.write_status(status.model_copy(update={"worker": this_process(), "heartbeat": time.time()}))
        _require(run, several=seat is not None)
        from lsr_core.jobs.worker import execute

        execute(run)
    except (Cancelled, KeyboardInterrupt):
        return requeue.put_back(run) if requeue.asked() else 130
    except (LSRError, OSError):
        return 1  # the status and the log of the run say why
    return 0


def _arguments(given: list[str]) -> list[str]:
    if given != [standby.FLAG]:
        return given
    handed = standby.wait()
    if handed is None:
        sys.exit(0)
    return handed


def _require(run: Run, *, several: bool) -> None:
    """Leave the run failed with the reason where there is no room for PyTorch, which would end without a word, or a job cannot be shared."""
    from lsr_core.refinement.resources import require_libraries

    try:
        require_libraries()
        if several:
            refuse_kind(run.manifest.kind)
    except InputError as error:
        failure = Failure(message=error.message, key=error.key)
        run.append_log(f"failed: {failure.message}")
        run.write_status(run.status().model_copy(update={"status": "failed", "error": failure, "worker": None}))
        raise


def _cancel(number: int, frame: FrameType | None) -> None:
    raise Cancelled("asked to stop")


if __name__ == "__main__":
    sys.exit(main())
