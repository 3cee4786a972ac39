"""What a job may take at most, and how many may wait: more on a machine of one's own than where a demonstration lets everybody in.

`lsr dashboard --demo` tells its server, and the server its workers, through one variable of the environment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

VARIABLE = "LSR_DEMO"


@dataclass(frozen=True)
class ServerLimits:
    """Limits of a server.

    Attributes:
        memory: bytes that a job may use; None = what is free.
        seconds: that a job may run; None = as long as it takes.
        waiting: jobs that may wait in all.
        waiting_of_one: of one visitor.
        upload_megabytes: of one file.
        passing: what visitors make goes when they leave, and cannot be kept or listed.
    """

    memory: int | None = None
    seconds: float | None = None
    waiting: int = 400
    waiting_of_one: int = 100
    upload_megabytes: int = 50
    passing: bool = False


OWN = ServerLimits()
DEMO = ServerLimits(memory=2 * 2**30, seconds=120.0, waiting=12, waiting_of_one=2, upload_megabytes=10, passing=True)


def current() -> ServerLimits:
    """That of this process."""
    return DEMO if os.environ.get(VARIABLE) else OWN
