"""The place of a process among those of one refinement, and what they tell each other before they begin."""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

from lsr_core.errors import InputError
from lsr_core.storage.records import JobKind, Manifest
from lsr_core.storage.runs import Run
from lsr_core.version import VERSION

if TYPE_CHECKING:
    from lsr_core.linalg.gloo import Gloo
    from lsr_core.linalg.reduction import Reduction
    from lsr_core.refinement.config import RefineConfig

KEY = "processes"  # in the settings of a run
MOST = 512
TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


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
