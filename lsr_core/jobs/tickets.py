"""The waiting list of a folder of runs, on disk: an empty file a job, whose name says since when it waits, for which run, and whose it is.

Names only are read, never contents, so a list that somebody else wrote can order jobs and nothing more.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from hashlib import blake2s
from pathlib import Path
from typing import NamedTuple

from lsr_core.errors import InputError
from lsr_core.storage.runs import Run

FOLDER = ".queue"
STARTED = ".started"
_NAME = re.compile(rf"(\d{{15}})-([0-9a-f]{{32}})-([0-9a-f]{{16}})({re.escape(STARTED)})?")


class Ticket(NamedTuple):
    """One job: waiting, or started and not yet through."""

    since: int  # milliseconds of the clock
    run_id: str
    owner: str  # a digest
    started: bool

    @property
    def name(self) -> str:
        return f"{self.since:015d}-{self.run_id}-{self.owner}{STARTED if self.started else ''}"


class Tickets:
    """The tickets of one folder of runs."""

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER

    def started(self) -> list[Ticket]:
        """Jobs that were given to a worker and are not known to have ended."""
        return [ticket for ticket in self._all() if ticket.started]

    def waiting(self) -> list[Ticket]:
        """Jobs in the order of their turns: one of each owner in turn, of one owner the oldest first."""
        tickets = self._all()
        before = Counter(ticket.owner for ticket in tickets if ticket.started)
        turns = []
        for ticket in tickets:
            if not ticket.started:
                turns.append((before[ticket.owner], ticket))
                before[ticket.owner] += 1
        return [ticket for _, ticket in sorted(turns)]

    def add(self, run: Run, owner: str) -> None:
        """Let a run wait.

        Raises:
            OSError: the folder of runs cannot be written.
        """
        self.folder.mkdir(exist_ok=True)
        if self.folder.is_symlink():
            raise InputError("is a link; the waiting list must lie inside the folder of runs", file=FOLDER)
        ticket = Ticket(int(time.time() * 1000), run.id, digest_of(owner), started=False)
        (self.folder / ticket.name).touch()

    def start(self, ticket: Ticket) -> bool:
        """Mark as given to a worker; False if it was cancelled a moment ago."""
        try:
            (self.folder / ticket.name).rename(self.folder / ticket._replace(started=True).name)
        except FileNotFoundError:
            return False
        return True

    def remove(self, run_id: str) -> None:
        """Forget what there is of a run."""
        for ticket in self._all():
            if ticket.run_id == run_id:
                (self.folder / ticket.name).unlink(missing_ok=True)

    def _all(self) -> list[Ticket]:
        if self.folder.is_symlink() or not self.folder.is_dir():
            return []
        found = [_NAME.fullmatch(entry.name) for entry in self.folder.iterdir()]
        return sorted(Ticket(int(m[1]), m[2], m[3], m[4] is not None) for m in found if m)


def digest_of(owner: str) -> str:
    """What a ticket shows of an owner."""
    return blake2s(owner.encode(), digest_size=8).hexdigest()
