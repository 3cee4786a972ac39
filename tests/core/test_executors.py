"""Jobs that others work on: processes side by side through submitit, and Slurm by what its commands are documented to do."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lsr_core.errors import InputError
from lsr_core.jobs import executors, queue, remote, requeue
from lsr_core.jobs.executors import executor_of
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.bundles import copy_bundle, save_problem
from lsr_core.storage.records import FINAL_STATES, Status, Worker
from lsr_core.storage.runs import Run, RunStore
from lsr_core.storage.steps import StepStore
from tests import bundles
from tests.core.test_iteration import poisson

SECONDS = 480.0  # twelve workers load their libraries at once
SBATCH = """#!/bin/bash
echo "$@" >> {folder}/asked
if grep -q "partition=nowhere" "${{@: -1}}"; then echo "sbatch: error: invalid partition specified: nowhere" >&2; exit 1; fi
number=$((100 + $(ls {folder} | grep -c "^job-")))
touch {folder}/job-$number
cp "${{@: -1}}" {folder}/script-$number
[ -e {folder}/dead ] || {folder}/start $number 0
echo "Submitted batch job $number"
"""
START = """#!/bin/bash
SLURM_JOB_ID=$1 SLURM_JOBID=$1 SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_NODEID=0 SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_RESTART_COUNT=$2 \\
    SLURM_JOB_NODELIST=here setsid bash {folder}/script-$1 > /dev/null 2>&1 < /dev/null &
echo $! > {folder}/job-$1
"""
SCONTROL = """#!/bin/bash
echo "$@" >> {folder}/requeued
[ "$1" = requeue ] || exit 1
old=$(cat {folder}/job-$2)
setsid bash -c "kill -- -$old; while kill -0 -- -$old 2> /dev/null; do sleep 0.1; done; {folder}/start $2 1" > /dev/null 2>&1 < /dev/null &
"""
SRUN = """#!/bin/bash
while [ $# -gt 0 ]; do case "$1" in --unbuffered) shift;; --output|--error) shift 2;; *) break;; esac; done
exec "$@"
"""
SACCT = """#!/bin/bash
echo "JobID|State|NodeList"
for job in {folder}/job-*; do
    if [ -s $job ] && kill -0 $(cat $job) 2> /dev/null; then state=RUNNING; elif [ -s $job ]; then state=COMPLETED; else state=FAILED; fi
    echo "${{job##*-}}|$state|here"
done
"""
SCANCEL = """#!/bin/bash
echo "${{@: -1}}" >> {folder}/cancelled
kill -- -$(cat {folder}/job-${{@: -1}})
"""
COMMANDS = {"sbatch": SBATCH, "start": START, "srun": SRUN, "sacct": SACCT, "scancel": SCANCEL, "scontrol": SCONTROL}


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands that stand in for Slurm's; what they were asked lies in the folder."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in COMMANDS.items():
        path = folder / name
        path.write_text(text.format(folder=folder) if "{folder}" in text else text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def queued(store: RunStore, tmp_path: Path, rows: int = 24, **settings: object) -> Run:
    bundle = bundles.write(tmp_path / f"tiny-{rows}", data=bundles.arrays(rows=rows))
    run = store.create(problem="tiny", config=RefineConfig(**settings), owner="test", title="t")  # type: ignore[arg-type]
    copy_bundle(bundle, run.problem_path)
    return run


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kubernetes", "give local, nobody, submitit, or slurm"),
        ("slurm:colour=red", "slurm takes partition, account"),
        ("slurm:time=soon", "time in minutes"),
        ("slurm:partition=a b", "slurm takes partition"),
    ],
)
def test_what_is_no_executor(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        executor_of(name)


def test_nobody_leaves_a_run_to_others(store: RunStore, tmp_path: Path) -> None:
    run = queued(store, tmp_path)
    executor_of("nobody").submit(run)
    assert run.status().status == "queued"
    assert queue.ahead(run) is None
    executor_of("nobody").cancel(run)
    assert run.status().status == "cancelled"


def test_without_slurm_nothing_is_left(store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    run = queued(store, tmp_path)
    with pytest.raises(InputError, match="there is no sbatch here"):
        executor_of("slurm").submit(run)
    assert not remote.folder_of(run).exists()
    assert run.status().status == "queued"


def test_a_partition_that_does_not_exist(store: RunStore, tmp_path: Path, slurm: Path) -> None:
    run = queued(store, tmp_path)
    with pytest.raises(InputError, match=r"slurm:partition=nowhere did not take the job: .*invalid partition"):
        executor_of("slurm:partition=nowhere").submit(run)
    assert not remote.folder_of(run).exists()


def test_a_job_that_ends_before_it_begins(store: RunStore, tmp_path: Path, slurm: Path) -> None:
    (slurm / "dead").touch()
    run = queued(store, tmp_path)
    executor_of("slurm").submit(run)
    executors.look_after(store)
    status = run.status()
    assert status.status == "failed"
    assert status.error is not None
    assert "job 100 of slurm has ended (failed) before its work was done, and printed nothing" in status.error.message


def test_a_damaged_record_takes_no_page_down(store: RunStore, tmp_path: Path, slurm: Path) -> None:
    (slurm / "dead").touch()
    damaged, other = queued(store, tmp_path), queued(store, tmp_path)
    for run in (damaged, other):
        executor_of("slurm").submit(run)
    (remote.folder_of(damaged) / remote.RECORD).write_text("{}")
    executors.look_after(store)
    assert damaged.status().status == "queued"
    assert other.status().status == "failed"


@pytest.mark.slow
def test_slurm_works_on_a_run(store: RunStore, tmp_path: Path, slurm: Path) -> None:
    run = queued(store, tmp_path, max_rank=8)
    executor_of("slurm:partition=short,time=7,mem=3,cpus=2").submit(run)
    script = next(remote.folder_of(run).glob("*.sh")).read_text()
    assert "#SBATCH --partition=short" in script
    assert "#SBATCH --time=7" in script
    assert "#SBATCH --mem=3GB" in script
    assert "#SBATCH --cpus-per-task=2" in script
    wait(lambda: run.status().status in FINAL_STATES)
    assert run.status().status == "complete", run.log()
    executors.look_after(store)
    assert run.status().status == "complete"


@pytest.mark.slow
def test_cancelling_reaches_slurm(store: RunStore, tmp_path: Path, slurm: Path) -> None:
    run = queued(store, tmp_path, rows=200_000, strategy="matrix-free", power_iterations=20)
    executor_of("slurm").submit(run)
    wait(lambda: run.status().status == "running")
    queue.cancel(run)
    assert run.status().status == "cancelled"
    assert (slurm / "cancelled").read_text().split() == ["100"]


def iterating(store: RunStore, tmp_path: Path, steps: int) -> Run:
    save_problem(tmp_path / "equation", poisson())
    settings = {"steps": steps, "baselines": False, "align_steps": 15, "seconds": 600.0}
    return queue.create(
        store, tmp_path / "equation", RefineConfig(max_rank=60), owner="test", kind="iterate", settings=settings
    )


@pytest.mark.slow
def test_an_iteration_goes_on_when_slurm_starts_it_again(store: RunStore, tmp_path: Path, slurm: Path) -> None:
    """Before its time is up a job is sent SIGUSR2, and requeued by submitit; the run goes on from its last half step."""
    run = iterating(store, tmp_path, steps=40)
    executor_of("slurm:time=5").submit(run)
    wait(lambda: len(StepStore(run.path).steps()) > 3)
    os.killpg(int((slurm / "job-100").read_text()), signal.SIGUSR2)
    wait(lambda: "goes on after half step" in run.log())
    assert (slurm / "requeued").read_text().split() == ["requeue", "100"]
    assert run.status().status == "running"
    before = len(StepStore(run.path).steps())
    wait(lambda: len(StepStore(run.path).steps()) > before)
    assert [step.index for step in StepStore(run.path).steps()] == list(range(len(StepStore(run.path).steps())))
    queue.cancel(run)
    assert run.status().status == "cancelled"


def test_a_job_that_is_started_again_takes_a_run_whose_worker_is_gone(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queued(store, tmp_path)
    gone = Worker(host=os.uname().nodename, pid=2**22 + 5, started=1.0)
    run.write_status(run.status().model_copy(update={"status": "running", "worker": gone}))
    assert requeue.standing(run).status == "failed"
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert requeue.standing(run).status == "running"
    queue.cancel(run)


@pytest.mark.slow
def test_an_iteration_that_was_cancelled_is_taken_again(store: RunStore, tmp_path: Path) -> None:
    iteration = iterating(store, tmp_path, steps=200)
    executor_of("submitit").submit(iteration)
    wait(lambda: len(StepStore(iteration.path).steps()) > 3)
    queue.cancel(iteration)
    reached = len(StepStore(iteration.path).steps())
    queue.check_resumable(iteration)
    iteration.write_status(Status(status="queued"))
    executor_of("submitit").submit(iteration)
    wait(lambda: len(StepStore(iteration.path).steps()) > reached)
    assert "goes on after half step" in iteration.log()
    queue.cancel(iteration)
    assert iteration.status().status == "cancelled"


@pytest.mark.slow
def test_twelve_refinements_side_by_side(store: RunStore, tmp_path: Path) -> None:
    """One has a damaged bundle, one is cancelled as a page does it; neither touches the others."""
    runs = [queued(store, tmp_path, max_rank=4 + place) for place in range(11)]
    runs.append(queued(store, tmp_path, rows=200_000, strategy="matrix-free", power_iterations=20))
    (runs[1].problem_path / "data.npz").write_bytes(b"nothing")
    for run in runs:
        executor_of("submitit").submit(run)
    wait(lambda: runs[-1].status().status == "running")
    queue.cancel(runs[-1])
    wait(lambda: all(run.status().status in FINAL_STATES for run in runs))
    executors.look_after(store)
    assert [run.status().status for run in runs] == ["complete", "failed", *["complete"] * 9, "cancelled"]


@pytest.mark.slow
def test_several_side_by_side_and_one_of_them_fails(store: RunStore, tmp_path: Path) -> None:
    runs = [queued(store, tmp_path, max_rank=rank) for rank in (4, 6, 8)]
    (runs[1].problem_path / "data.npz").write_bytes(b"nothing")
    for run in runs:
        executor_of("submitit").submit(run)
    wait(lambda: all(run.status().status in FINAL_STATES for run in runs))
    assert [run.status().status for run in runs] == ["complete", "failed", "complete"]
    error = runs[1].status().error
    assert error is not None
    assert error.file == "data.npz"
    wait(lambda: executors.reap() == 0)
    store.delete(runs[0])
    executors.look_after(store)
    assert not remote.folder_of(runs[0]).exists()
