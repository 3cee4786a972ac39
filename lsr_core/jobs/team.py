"""The processes of one refinement: started here or by torchrun, process 0 in charge of the run, the others at work on their rows until it is done."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from lsr_core.errors import Cancelled, InputError, LSRError
from lsr_core.jobs.seats import KEY, Seat, joined, processes_of, seat_of_torchrun
from lsr_core.storage.records import Worker
from lsr_core.storage.runs import Run
from lsr_core.storage.workers import find

if TYPE_CHECKING:
    from lsr_core.linalg.gloo import Gloo
    from lsr_core.linalg.reduction import Reduction
    from lsr_core.refinement.config import RefineConfig

START_SECONDS = 120.0  # for a process to load its libraries
LEAVE_SECONDS = 5.0
REFUSED = 3  # exit code of a process with a sentence of its own
INTERFACE = "GLOO_SOCKET_IFNAME"


@dataclass
class Team:
    """What process 0 knows of the others.

    Attributes:
        seat: of process 0; None where it is alone.
        children: the others where they were started here, by number.
        peers: process id and start time of those on this machine, by number.
    """

    run: Run
    seat: Seat | None
    children: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    group: Gloo | None = None
    peers: dict[int, tuple[int, float]] = field(default_factory=dict)

    def join(self, config: RefineConfig) -> tuple[Reduction, RefineConfig]:
        """Meet the others; what they share, and the config with the memory that each may use.

        Raises:
            InputError: they have another problem or another version.
            Lost: they did not come.
        """
        if self.seat is None:
            from lsr_core.linalg.reduction import ALONE

            return ALONE, config
        self._wait()
        self.group = self.seat.group()
        found = joined(self.group, self.run, config)
        self.peers = found.peers
        return found.reduction, found.config

    def check(self) -> None:
        """Stop here where another process was ended; one that ended with a sentence is heard when its rows are missed.

        Raises:
            Lost: it was.
        """
        from lsr_core.linalg.gloo import Lost

        for rank, child in self.children.items():
            if child.poll() not in (None, 0, REFUSED):
                raise Lost(f"process {rank} has ended")

    def told(self, error: Exception) -> LSRError:
        """The sentence on a process that was lost, with what it said last in the log of the run."""
        deadline = time.monotonic() + LEAVE_SECONDS
        while self.children and time.monotonic() < deadline and not self._ended():
            time.sleep(0.02)
        size = len(self.children) + 1
        for rank in self._ended():
            said = self._log_of(rank).strip()
            for line in said.splitlines()[-20:]:
                self.run.append_log(f"process {rank}: {line[:500]}")
            code = self.children[rank].returncode
            how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
            last = f"; it said last: {said.splitlines()[-1][:500]}" if said else " without a word"
            return LSRError(f"process {rank} of {size} (0 to {size - 1}) {how}{last}")
        for rank in self.gone():
            return LSRError(f"process {rank} has ended; its output, where torchrun was started, says why")
        return LSRError(f"{error}; its output, where it was started, says why")

    def gone(self) -> list[int]:
        """Others on this machine that live no more."""
        host = socket.gethostname()
        workers = {rank: Worker(host=host, pid=pid, started=started) for rank, (pid, started) in self.peers.items()}
        return [rank for rank, worker in workers.items() if find(worker) is None]

    def _ended(self) -> list[int]:
        return [rank for rank, child in self.children.items() if child.poll() not in (None, 0)]

    def _wait(self) -> None:
        """Until all others have loaded their libraries."""
        from lsr_core.linalg.gloo import Lost

        assert self.seat is not None
        seats = [Seat(rank, self.seat.size, self.seat.meeting) for rank in self.children]
        deadline = time.monotonic() + START_SECONDS
        while not all(seat.ready().exists() for seat in seats):
            if self._ended() or time.monotonic() > deadline:
                raise Lost("a process did not begin")
            time.sleep(0.02)

    def _log_of(self, rank: int) -> str:
        assert self.seat is not None
        assert self.seat.meeting is not None
        with suppress(OSError):
            return (self.seat.meeting / f"log-{rank}").read_text(errors="replace")[-10_000:]
        return ""

    def dismiss(self, *, at_once: bool) -> None:
        """Let the others leave, or make them."""
        deadline = time.monotonic() + (0 if at_once else LEAVE_SECONDS)
        for child in self.children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
            if child.poll() is None:
                child.kill()
                child.wait()
            assert child.stdin is not None
            child.stdin.close()
        if self.group is not None:
            self.group.close()


@contextmanager
def together(run: Run) -> Iterator[Team]:
    """The team of a run, as long as its rows are shared; a process that is lost becomes an error that names it.

    Raises:
        LSRError: a process was lost.
    """
    from lsr_core.linalg.gloo import Lost

    seat = seat_of_torchrun()
    count = processes_of(run.manifest) if seat is None else 1
    if seat is not None or count == 1:
        team = Team(run, seat)
        with _ending(team, Lost):
            yield team
        return
    with _meeting() as meeting, _few_threads(count) as environment:
        team = Team(run, Seat(0, count, meeting))
        with _ending(team, Lost):
            for rank in range(1, count):
                team.children[rank] = _start(run, Seat(rank, count, meeting), environment)
            yield team


@contextmanager
def _ending(team: Team, lost: type[Exception]) -> Iterator[None]:
    try:
        yield
    except lost as error:
        told = team.told(error)
        team.dismiss(at_once=True)
        raise told from error
    except Cancelled as error:
        gone = team.gone() if not team.children else []  # torchrun ends all when it finds one ended
        team.dismiss(at_once=True)
        if gone:
            raise team.told(error) from error
        raise
    except BaseException:
        team.dismiss(at_once=True)
        raise
    team.dismiss(at_once=False)


@contextmanager
def _meeting() -> Iterator[Path]:
    """A folder that nobody else may read, and gloo kept to this machine."""
    before = os.environ.get(INTERFACE)
    os.environ[INTERFACE] = before or _loopback()
    folder = Path(tempfile.mkdtemp(prefix="lsr-processes-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if before is None:
            del os.environ[INTERFACE]


@contextmanager
def _few_threads(count: int) -> Iterator[Mapping[str, str]]:
    """This process's threads shared among all: the same number for each, so that all round alike. Yields the others' environment."""
    import torch

    before = torch.get_num_threads()
    each = max(1, before // count)
    torch.set_num_threads(each)
    try:
        yield {**os.environ, "OMP_NUM_THREADS": str(each), "MKL_NUM_THREADS": str(each)}
    finally:
        torch.set_num_threads(before)


def _loopback() -> str:
    for name, addresses in psutil.net_if_addrs().items():
        if any(address.family == socket.AF_INET and address.address == "127.0.0.1" for address in addresses):
            return name
    raise InputError("this machine has no loopback interface to share rows over; use one process", key=KEY)


def _start(run: Run, seat: Seat, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Another process; it ends with this one, whose end closes its input."""
    assert seat.meeting is not None
    command = [sys.executable, "-m", "lsr_core.jobs", str(run.path / "run.json")]
    place = ["--process", str(seat.rank), "--of", str(seat.size), "--meeting", str(seat.meeting)]
    with (seat.meeting / f"log-{seat.rank}").open("wb") as log:
        return subprocess.Popen(
            [*command, *place],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=dict(environment),
            start_new_session=True,
        )
