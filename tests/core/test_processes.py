"""One refinement over several processes: the run of one, however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from lsr_core.errors import Cancelled, InputError, LSRError
from lsr_core.jobs import seats, team
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.sharing import refuse_more_than
from lsr_core.storage.bundles import copy_bundle
from lsr_core.storage.runs import Run, RunStore
from tests import bundles

SAME = 1e-10


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


def queued(store: RunStore, tmp_path: Path, processes: int, rows: int = 24, kind: str = "refine") -> Run:
    bundle = bundles.write(tmp_path / f"tiny-{rows}", data=bundles.arrays(rows=rows))
    run = store.create(
        problem="tiny",
        config=RefineConfig(max_rank=8),
        owner="test",
        title="t",
        kind=kind,
        settings={seats.KEY: processes},
    )
    copy_bundle(bundle, run.problem_path)
    return run


def same(one: Run, other: Run) -> None:
    for name in ("train_mse", "val_mse", "test_mse", "delta_norm"):
        assert np.allclose(getattr(one.sweep, name), getattr(other.sweep, name), rtol=SAME, atol=0), name
    assert np.allclose(one.fields.network, other.fields.network, rtol=SAME)
    assert one.summary.rank == other.summary.rank


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "--process" in child.cmdline()]


@pytest.mark.always
def test_two_processes_find_what_one_finds(store: RunStore, tmp_path: Path) -> None:
    alone, shared = (queued(store, tmp_path, count) for count in (1, 2))
    for run in (alone, shared):
        execute(run)
        assert run.status().status == "complete"
    same(shared, alone)
    assert alone.summary.processes is None
    assert shared.summary.processes is not None
    assert shared.summary.processes.count == 2
    assert not children()
    assert team.INTERFACE not in os.environ


@pytest.mark.slow
def test_four_processes_and_as_many_as_samples(store: RunStore, tmp_path: Path) -> None:
    alone, four = (queued(store, tmp_path, count, rows=9) for count in (1, 4))
    execute(alone)
    execute(four)
    same(four, alone)


def at_the_basis(act: object) -> object:
    """A progress callback that acts once, when the basis is built."""
    done = []

    def report(stage: str, fraction: float) -> None:
        if stage == "basis" and not done:
            done.append(stage)
            act()  # type: ignore[operator]

    return report


@pytest.mark.slow
def test_a_process_that_is_killed_ends_the_run_as_failed(store: RunStore, tmp_path: Path) -> None:
    run = queued(store, tmp_path, 2, rows=4000)
    with pytest.raises(LSRError, match="process 1 of 2"):
        execute(run, at_the_basis(lambda: children()[0].send_signal(signal.SIGKILL)))  # type: ignore[arg-type]
    status = run.status()
    assert status.status == "failed"
    assert status.error is not None
    assert "was ended by signal 9 without a word" in status.error.message
    assert not children()


@pytest.mark.slow
def test_a_process_that_fails_by_itself_is_quoted(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queued(store, tmp_path, 2)
    monkeypatch.setattr(team, "_start", started_broken)
    with pytest.raises(LSRError, match="process 1 of 2"):
        execute(run)
    assert run.status().status == "failed"
    assert "process 1: " in run.log()
    assert "nothing here" in run.log()


def started_broken(run: Run, seat: seats.Seat, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A process that says why it ends."""
    assert seat.meeting is not None
    with (seat.meeting / f"log-{seat.rank}").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-c", "raise SystemExit('nothing here')"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


@pytest.mark.slow
def test_cancelling_ends_all_processes(store: RunStore, tmp_path: Path) -> None:
    run = queued(store, tmp_path, 2, rows=4000)

    def cancel() -> None:
        raise Cancelled("asked to stop")

    with pytest.raises(Cancelled):
        execute(run, at_the_basis(cancel))  # type: ignore[arg-type]
    assert run.status().status == "cancelled"
    assert not children()


def test_more_processes_than_samples_are_refused_by_all(store: RunStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="are 3, but there are 2 training samples"):
        refuse_more_than(2, 3)
    with pytest.raises(InputError, match="whole number from 1 to 512"):
        seats.processes_of(queued(store, tmp_path, 0).manifest)
    with pytest.raises(InputError, match="are for refinements, and this job is of the kind iterate"):
        seats.processes_of(queued(store, tmp_path, 2, kind="iterate").manifest)


def torchrun(rank: int, run: Run, port: int) -> subprocess.Popen[str]:
    """A process as torchrun starts it."""
    seat = {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return subprocess.Popen(
        [sys.executable, "-m", "lsr_core.jobs", str(run.path / "run.json")],
        env={**os.environ, **seat, "OMP_NUM_THREADS": "1", team.INTERFACE: team._loopback()},
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.slow
def test_other_data_are_refused_by_digest(store: RunStore, tmp_path: Path) -> None:
    run, other = queued(store, tmp_path, 1), queued(RunStore(tmp_path / "elsewhere"), tmp_path, 1, rows=25)
    port = free_port()
    processes = [torchrun(0, run, port), torchrun(1, other, port)]
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert "the problem, the settings or the versions of process 1 differ" in said[1]
    assert run.status().status == "failed"
    error = run.status().error
    assert error is not None
    assert "the problem, the settings or the versions of process 1 differ from those of process 0" in error.message
    assert other.status().status == "queued"


@pytest.mark.slow
def test_torchrun(store: RunStore, tmp_path: Path) -> None:
    alone, shared = (queued(store, tmp_path, 1) for _ in range(2))
    execute(alone)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    done = subprocess.run(
        [*command, "-m", "lsr_core.jobs", str(shared.path / "run.json")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    same(shared, alone)
    assert shared.summary.processes is not None
    shutil.rmtree(shared.path)
