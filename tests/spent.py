"""Processor time, which other work on the machine does not lengthen as it does time by the clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil


def spent() -> float:
    """Seconds of this process and of the children that have ended."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """What stands inside takes no more processor time than this."""
    before = spent()
    yield
    assert spent() - before <= seconds, f"took {spent() - before:.1f} s of processor time"
