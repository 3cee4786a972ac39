"""The processes of one refinement: started here or by torchrun, process 0 in charge of the run, the others at work on their rows until it is done."""

from __future__ import annotations

import hashlib
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
from typing import TYPE_CHECKING, NamedTuple

import psutil

from lsr_core.errors import Cancelled, InputError, LSRError
from lsr_core.storage.records import JobKind, Manifest, Worker
from lsr_core.storage.runs import Run
from lsr_core.storage.workers import find
from lsr_core.version import VERSION

if TYPE_CHECKING:
    from lsr_core.linalg.gloo import Gloo
    from lsr_core.linalg.reduction import Reduction
    from lsr_core.refinement.config import RefineConfig

KEY = "processes"  # in the settings of a run
MOST = 512
START_SECONDS = 120.0  # for a process to load its libraries
LEAVE_SECONDS = 5.0
REFUSED = 3  # exit code of a process with a sentence of its own
TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
INTERFACE = "GLOO_SOCKET_IFNAME"


@dataclass(frozen=True)
class Seat:
    """The place of a process: its number, how many there are, and the folder where they meet (None: as the environment says)."""

    rank: int
    size: int
    meeting: Path | None

    def ready(self) -> Path:
        """The file that says that the process has loaded its libraries."""
        assert self.meeting is not None
        return self.meeting / f"ready-{self.rank}"

    def group(self) -> Gloo:
        """The others, once all are there; raises as `Gloo`."""
        from lsr_core.linalg.gloo import Gloo

        return Gloo(self.rank, self.size, None if self.meeting is None else self.meeting / "store")


def seat_of_torchrun() -> Seat | None:
    """The place that torchrun gave to this process; None where it was not started by it, or alone."""
    if not all(name in os.environ for name in TORCHRUN) or int(os.environ["WORLD_SIZE"]) < 2:
        return None
    return Seat(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), None)


def processes_of(manifest: Manifest) -> int:
    """How many processes a run asks for.

    Raises:
        InputError: no whole number from 1, or a kind of job whose rows are not shared.
    """
    asked = manifest.settings.get(KEY, 1)
    refuse_count(asked)
    assert isinstance(asked, int)
    if asked > 1:
        refuse_kind(manifest.kind)
    return asked


def refuse_kind(kind: JobKind) -> None:
    """Refuse jobs of which only one process knows how; raises as `processes_of`."""
    if kind != "refine":
        raise InputError(f"are for refinements, and this job is of the kind {kind}; start it with one", key=KEY)


def refuse_count(asked: object) -> None:
    """Refuse what is no number of processes; raises as `processes_of`."""
    if not isinstance(asked, int) or isinstance(asked, bool) or not 1 <= asked <= MOST:
        raise InputError(f"is {str(asked)[:40]}; give a whole number from 1 to {MOST}", key=KEY)


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


class Joined(NamedTuple):
    """What a process shares with the others, the config with the memory that it may use, and the others on this machine."""

    reduction: Reduction
    config: RefineConfig
    peers: dict[int, tuple[int, float]]


def joined(group: Gloo, run: Run, config: RefineConfig) -> Joined:
    """Called by all processes alike; raises as `Team.join`."""
    import torch

    from lsr_core.linalg.reduction import Reduction
    from lsr_core.refinement.plan import budget_of

    reduction = Reduction(group)
    reduction.agree("the problem, the settings or the versions", _fingerprint(run, torch.__version__))
    host = int.from_bytes(hashlib.sha256(socket.gethostname().encode()).digest()[:7])
    every = reduction.joined(torch.tensor([[host, budget_of(config)]]))
    beside = int((every[:, 0] == host).sum())
    shares = reduction.joined(torch.tensor([budget_of(config) // beside]))
    budget = config.memory_budget or int(reduction.share(shares.min())[0])
    mine = torch.tensor([[os.getpid(), psutil.Process().create_time()]], dtype=torch.float64)
    known = reduction.joined(mine).tolist()
    here = {rank: (int(pid), started) for rank, (pid, started) in enumerate(known) if int(every[rank, 0]) == host}
    return Joined(reduction, config.model_copy(update={"memory_budget": budget}), here)


def _fingerprint(run: Run, torch_version: str) -> str:
    """Of everything that the processes must have alike."""
    found = [VERSION, torch_version, run.manifest.config.model_dump_json()]
    for path in sorted(path for path in run.problem_path.rglob("*") if path.is_file()):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        found.append(f"{path.relative_to(run.problem_path)} {digest}")
    return "\n".join(found)
