"""The memory of a job while it runs, and its time where that is limited: it stops itself, with a sentence, before anything else does."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import psutil

from lsr_core.errors import LSRError
from lsr_core.refinement.resources import LIBRARIES, room_bytes, sized

if sys.platform != "win32":
    import resource

    _PAGE = resource.getpagesize()

if TYPE_CHECKING:
    from lsr_core.refinement.forecast import Forecast

BEYOND = 1.25  # times the budget: then the job stops
FURTHER = 1.05  # times what it held when it was asked to stop: then it is ended
RESERVE, LEAST, MOST = 0.05, 24 * 2**20, 512 * 2**20  # of the room at the start, left to everybody else
FASTEST = 4 * 2**30  # bytes a second at which a process can fill memory
SHORTEST, LONGEST = 0.002, 0.1  # seconds between two looks
GRACE = 15.0  # seconds that a job has for its next report when its time is over
PATIENCE = 1.0  # seconds that a job asked to stop has for its next report of progress


class OutOfMemory(LSRError):
    """A job has left its memory budget, or there is none left."""


class OutOfTime(LSRError):
    """A job has run for as long as this server lets one run."""


class Watch:
    """Samples the memory of this process in a thread of its own, more often the less room there is.

    A job above its budget by a quarter, or with next to no room left below the limits of machine, container and process, is asked to stop:
    `check` raises at the next report of progress. A job that does not come to report, as in a long native call, or goes on to grow,
    is ended by `end`. Memory can be filled faster than anybody looks, so what is left at the start also becomes the process's own limit
    for its data (RLIMIT_DATA): the allocation that would go beyond fails, where touching it would have the kernel end the process.

    Args:
        budget: bytes; None = whatever there is room for.
        end: ends the process, in the watch's thread.
        seconds: that the job may run; None = as long as it takes.
    """

    def __init__(self, budget: int | None, end: Callable[[str], None], seconds: float | None = None) -> None:
        self._budget, self._end, self._seconds = budget, end, seconds
        self._began = time.monotonic()
        self._error: type[LSRError] = OutOfMemory
        self._expected: Forecast | None = None
        self._reason = ""
        self._stop = threading.Event()
        self._limits: tuple[int, int] | None = None
        held, self._shared = _resident()
        self._others = max(0, held - LIBRARIES)  # held by this process for other purposes than the job's
        self._reserve = int(min(MOST, max(LEAST, RESERVE * room_bytes())))
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        global _current
        _current = self
        self._limits = limited_data(room_bytes() - self._reserve // 2)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        global _current
        _current = None
        self._stop.set()
        self._thread.join()
        if self._limits is not None:
            resource.setrlimit(resource.RLIMIT_DATA, self._limits)

    def expect(self, forecast: Forecast) -> None:
        """Let the sentence name a rank that fits."""
        self._expected = forecast

    def check(self) -> None:
        """Stop the job here if it has to stop.

        Raises:
            OutOfMemory, OutOfTime: with the sentence.
        """
        if self._reason:
            raise self._error(self._reason)

    def sentence(self) -> str:
        """What to say when an allocation has failed."""
        return self._reason or f"memory ran out while the job held {sized(self._taken())}; {self._advice()}"

    def _run(self) -> None:
        while not self._stop.wait(self._look()):
            if self._reason and not self._obeyed():
                self._end(self._reason)
                return

    def _look(self) -> float:
        """Decide, and return the seconds until the next look."""
        taken, room = self._taken(), room_bytes()
        limit = BEYOND * self._budget if self._budget is not None else None
        if limit is not None and taken > limit:
            assert self._budget is not None
            self._error = OutOfMemory
            self._reason = (
                f"the job held {sized(taken)} of memory, more than a quarter above the {sized(self._budget)} it may use, and was stopped; "
                f"{self._advice(self._budget)}"
            )
        elif room < self._reserve:
            self._error = OutOfMemory
            self._reason = (
                f"memory is used up: the job held {sized(taken)}, {sized(room)} were left below the limits of this machine, container or "
                f"process, and it was stopped; {self._advice(taken)}"
            )
        elif self._seconds is not None and not self._reason and time.monotonic() - self._began > self._seconds:
            self._error = OutOfTime
            self._reason = (
                f"the job ran for {self._seconds:.0f} s, which is as long as one may on this server, and was stopped; a smaller maximum rank "
                "takes less, and on a machine of your own there is no such limit"
            )
        ahead = room - self._reserve if limit is None else min(room - self._reserve, int(limit) - taken)
        return min(LONGEST, max(SHORTEST, ahead / FASTEST))

    def _obeyed(self) -> bool:
        """Whether the job stops by itself within the time it has, without taking more; for its time alone it is given longer."""
        if self._error is OutOfTime:
            return self._seconds is None or time.monotonic() - self._began < self._seconds + GRACE
        held, until = self._taken(), time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self._stop.wait(SHORTEST):
                return True
            if self._taken() > FURTHER * held or room_bytes() < self._reserve // 2:
                return False
        return False

    def _advice(self, allowed: int | None = None) -> str:
        """The largest maximum rank whose forecast fits, by as much more as this job took than its own forecast said."""
        expected = self._expected
        if expected is None:
            return "a smaller maximum rank or float32 needs less"
        taken = self._taken()
        excess = max(1.0, taken / expected.peak_bytes)
        largest = expected.largest_within(int((allowed if allowed is not None else taken) / excess))
        largest = min(largest, expected.max_rank - 1)
        return f"the largest maximum rank that fits is {largest}" if largest > 0 else "no rank fits; allow more memory"

    def _taken(self) -> int:
        """Bytes of memory that the job holds, libraries included; mapped files beyond those of the start are the system's to drop."""
        resident, shared = _resident()
        return resident - max(0, shared - self._shared) - self._others


_current: Watch | None = None


def expect(forecast: Forecast) -> None:
    """Tell the watch over this process, if there is one, what its job was expected to take."""
    if _current is not None:
        _current.expect(forecast)


def _resident() -> tuple[int, int]:
    """Resident bytes, and those of them that are shared or of files."""
    try:
        _, resident, shared, *_ = Path("/proc/self/statm").read_text().split()
    except OSError:
        return int(psutil.Process().memory_info().rss), 0  # no such file: not Linux
    return int(resident) * _PAGE, int(shared) * _PAGE


def limited_data(more: int) -> tuple[int, int] | None:
    """Let the data of this process grow by so many bytes and no further; returns the limits before, None where there are no such limits."""
    if sys.platform != "linux":
        return None
    data = int(Path("/proc/self/statm").read_text().split()[5]) * _PAGE
    soft, hard = before = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = data + max(0, more)
    if soft == resource.RLIM_INFINITY or wanted < soft:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    return before
