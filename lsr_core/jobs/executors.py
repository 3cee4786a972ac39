"""Who works on a queued run: the queue of this machine, or a cluster through submitit.

Whoever it is, the job is the command line `python -m lsr_core.jobs RUN/run.json`; the cluster's machines need the same installation and the folder
of runs at the same path.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import Any, Protocol

from lsr_core.errors import InputError
from lsr_core.jobs import dispatcher, queue, remote
from lsr_core.jobs.requeue import CommandLine
from lsr_core.storage.records import Failure
from lsr_core.storage.runs import Run, RunStore

OPTIONS = {  # of `slurm:…`: what submitit calls each, and what it may be
    "partition": ("slurm_partition", r"[\w.,-]{1,100}"),
    "account": ("slurm_account", r"[\w.-]{1,100}"),
    "qos": ("slurm_qos", r"[\w.-]{1,100}"),
    "time": ("timeout_min", r"[1-9]\d{0,5}"),
    "cpus": ("cpus_per_task", r"[1-9]\d{0,3}"),
    "mem": ("mem_gb", r"[1-9]\d{0,4}"),
}
NUMBERS = ("time", "cpus", "mem")
DEFAULT_MINUTES = 24 * 60
_children: list[Any] = []  # submitit's views of processes that were started here


class Executor(Protocol):
    """Takes queued runs to where they are worked on."""

    def submit(self, run: Run) -> None:
        """Let a queued run be worked on when its turn comes.

        Raises:
            InputError: it was not taken; the run is still queued.
        """
        ...

    def look(self, run: Run) -> None:
        """Leave the run failed where its job ended without its work done."""
        ...

    def cancel(self, run: Run) -> None:
        """End the job and leave the run cancelled."""
        ...

    def log(self, run: Run) -> str:
        """What the job has said."""
        ...


class Local:
    """The queue of this machine, one job at a time."""

    def submit(self, run: Run) -> None:
        queue.start(run)

    def look(self, run: Run) -> None:
        dispatcher.wake(RunStore(run.path.parent))

    def cancel(self, run: Run) -> None:
        queue.cancel(run)

    def log(self, run: Run) -> str:
        return run.log()


class Nobody:
    """Leaves a run to whoever starts the command line, such as torchrun."""

    def submit(self, run: Run) -> None:
        return

    def look(self, run: Run) -> None:
        return

    def cancel(self, run: Run) -> None:
        queue.cancel(run)

    def log(self, run: Run) -> str:
        return run.log()


class Submitit:
    """A cluster with Slurm, or processes of this machine side by side.

    Args:
        name: as it was asked for.
        cluster: of submitit: slurm or local.
        parameters: as submitit names them.
    """

    def __init__(self, name: str, cluster: str, parameters: dict[str, Any]) -> None:
        self.name, self._cluster, self._parameters = name, cluster, parameters

    def submit(self, run: Run) -> None:
        submitit = remote.import_submitit()
        if self._cluster == "slurm" and (
            missing := [name for name in ("sbatch", "srun") if shutil.which(name) is None]
        ):
            raise InputError(f"there is no {missing[0]} here; submit where Slurm's commands are", key="executor")
        folder = remote.folder_of(run)
        shutil.rmtree(folder, ignore_errors=True)  # of the job that an iteration was before
        folder.mkdir(parents=True, mode=0o700)
        try:
            executor = submitit.AutoExecutor(folder, cluster=self._cluster)
            executor.update_parameters(name=f"lsr-{run.id[:8]}", **self._parameters)
            command = [sys.executable, "-m", "lsr_core.jobs", str(run.path.resolve() / "run.json")]
            job = executor.submit(CommandLine(command))
            if self._cluster == "local":
                reap()
                _children.append(job)
            remote.note(run, remote.ClusterJob(executor=self.name, cluster=self._cluster, job=str(job.job_id)))
        except (RuntimeError, OSError, subprocess.SubprocessError, submitit.core.utils.FailedJobError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            said = " ".join(str(error).split())[-300:]
            raise InputError(f"{self.name} did not take the job: {said}", key="executor") from error

    def look(self, run: Run) -> None:
        sentence = remote.ended_without_a_word(run)
        if sentence is not None:
            run.append_log(f"failed: {sentence}")
            dispatcher.end(run, "failed", Failure(message=sentence))

    def cancel(self, run: Run) -> None:
        queue.cancel(run)

    def log(self, run: Run) -> str:
        return f"{run.log()}\n{remote.log(run)}".strip()


def executor_of(name: str) -> Executor:
    """By name: `local`, `nobody`, `submitit` (processes of this machine, all at once), `slurm` or `slurm:partition=…,time=…`.

    Raises:
        InputError: there is none of this name, or it has no such option.
    """
    kind, _, given = name.partition(":")
    if kind == "local" and not given:
        return Local()
    if kind == "nobody" and not given:
        return Nobody()
    if kind == "submitit" and not given:
        return Submitit(name, "local", {"timeout_min": DEFAULT_MINUTES})
    if kind == "slurm":
        return Submitit(name, "slurm", _parameters(given))
    raise InputError(
        f"is {name[:60]!r}; give local, nobody, submitit, or slurm:partition=NAME,time=MINUTES", key="executor"
    )


def reap() -> int:
    """Collect the exit codes of ended processes, so that none stays as a zombie; how many are left."""
    _children[:] = [job for job in _children if not job.done()]
    return len(_children)


def look_after(store: RunStore) -> None:
    """Have jobs looked at that a cluster has, so that none that ended there is waited for."""
    reap()
    for run in remote.all_taken(store):
        with suppress(
            InputError, OSError
        ):  # without submitit, or with a damaged record, only the run's own signs of life tell
            found = remote.taken(run)
            if found is not None:
                Submitit(found.executor, found.cluster, {}).look(run)


def _parameters(given: str) -> dict[str, Any]:
    found: dict[str, Any] = {"timeout_min": DEFAULT_MINUTES}
    for part in given.split(",") if given else ():
        key, _, value = part.partition("=")
        if key not in OPTIONS or not re.fullmatch(OPTIONS[key][1], value):
            raise InputError(
                f"has {part[:60]!r}; slurm takes {', '.join(OPTIONS)} (time in minutes, mem in GB), as in slurm:partition=NAME,time=60",
                key="executor",
            )
        found[OPTIONS[key][0]] = int(value) if key in NUMBERS else value
    return found
