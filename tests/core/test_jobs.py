"""Jobs as processes: they finish, wait, are cancelled and killed, and the run always says so."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from lsr_core.errors import InputError
from lsr_core.jobs import dispatcher, queue, standby
from lsr_core.jobs.rebuild import delta_at
from lsr_core.jobs.tickets import Tickets
from lsr_core.jobs.worker import execute
from lsr_core.refinement import plan, resources, serverlimits
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.forecast import forecast
from lsr_core.storage import digests, workers
from lsr_core.storage.bundles import copy_bundle, load_problem
from lsr_core.storage.records import Status, Worker
from lsr_core.storage.runs import Run, RunStore
from tests import bundles

SECONDS = 90.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    made = RunStore(tmp_path / "runs")
    yield made
    for run in made.list():
        queue.cancel(run)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "tiny")


@pytest.fixture
def long_bundle(tmp_path: Path) -> Path:
    """A problem that keeps a worker busy for longer than any test waits."""
    return bundles.write(tmp_path / "long", data=bundles.arrays(rows=200_000))


LONG = RefineConfig(strategy="matrix-free", power_iterations=20)


def queued(store: RunStore, bundle: Path, **settings: object) -> Run:
    run = store.create(problem="tiny", config=RefineConfig(**settings), owner="test", title="t")  # type: ignore[arg-type]
    copy_bundle(bundle, run.problem_path)
    return run


def wait(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_a_worker_process_completes_a_run_that_holds_everything(store: RunStore, bundle: Path) -> None:
    run = queue.submit(store, bundle, RefineConfig(max_rank=8), owner="test")
    wait(lambda: run.status().status in ("complete", "failed"))
    assert run.status().status == "complete", run.log()
    assert run.status().fraction == 1.0
    summary = run.summary
    assert summary.refined.train_mse < summary.base.train_mse  # type: ignore[operator]
    assert run.sweep.max_rank == 8
    assert set(run.fields.ranks) <= set(range(9))
    assert run.paths.nonlinear.shape == (len(run.paths.ranks), len(run.paths.alpha))
    assert len(run.spectrum.singular_values) == 8
    assert run.manifest.environment["torch"] == torch.__version__
    assert not list(run.path.rglob("*.tmp"))
    assert run.size() < 2 * run.manifest.forecast_bytes  # type: ignore[operator]


def test_a_worker_that_stood_by_does_the_next_job_and_only_that(store: RunStore, bundle: Path) -> None:
    standby.prepare()
    standby.prepare()
    [waiting] = standby._ready
    first, second = (queue.submit(store, bundle, RefineConfig(max_rank=3), owner="test") for _ in range(2))
    assert not standby._ready
    wait(lambda: all(run.status().status in ("complete", "failed") for run in (first, second)))
    assert [run.status().status for run in (first, second)] == ["complete", "complete"]
    wait(lambda: waiting.poll() == 0)


def test_a_worker_that_stands_by_ends_with_its_server() -> None:
    standby.prepare()
    waiting = standby._ready.pop()
    assert waiting.stdin is not None
    waiting.stdin.close()
    assert waiting.wait(timeout=SECONDS) == 0
    standby.prepare()
    standby._ready[0].kill()
    standby._ready[0].wait(timeout=SECONDS)
    assert standby.take(["run.json"]) is None


def test_a_run_copied_elsewhere_opens_there(store: RunStore, bundle: Path, tmp_path: Path) -> None:
    run = queued(store, bundle, max_rank=6)
    execute(run)
    shutil.copytree(run.path, tmp_path / "other" / run.id)
    copied = RunStore(tmp_path / "other").open(run.id)
    assert copied.summary == run.summary
    np.testing.assert_array_equal(copied.fields.refined_error, run.fields.refined_error)
    torch.testing.assert_close(delta_at(copied, 3), delta_at(run, 3))


def test_the_step_at_any_rank_is_rebuilt_from_problem_config_and_seed(store: RunStore, bundle: Path) -> None:
    run = queued(store, bundle, max_rank=8, rank=5, seed=4)
    execute(run)
    assert torch.equal(delta_at(run, 0), torch.zeros(21, dtype=torch.float64))
    for rank in (3, 5, 8):
        problem = load_problem(run.problem_path)
        delta = delta_at(run, rank)
        jacobian, residual = _features(problem)
        assert float((residual + jacobian @ delta).square().sum()) == pytest.approx(run.sweep.train_mse[rank], rel=1e-6)
    with pytest.raises(InputError, match="ranks 0 to 8"):
        delta_at(run, 9)


def _features(problem: object) -> tuple[torch.Tensor, torch.Tensor]:
    from tests.core import test_refine

    return test_refine.features(problem)  # type: ignore[arg-type]


def test_cancelling_ends_the_worker_within_two_seconds(store: RunStore, long_bundle: Path) -> None:
    run = queue.submit(store, long_bundle, LONG, owner="test")
    wait(lambda: run.status().status == "running" and run.status().stage == "basis")
    worker = run.status().worker
    assert worker is not None
    began = time.monotonic()
    queue.cancel(run)
    assert time.monotonic() - began < 2
    assert workers.find(worker) is None
    assert run.status().status == "cancelled"
    queue.cancel(run)
    assert run.status().status == "cancelled"


def test_a_killed_worker_shows_as_a_failed_run_and_the_others_stay(
    store: RunStore, bundle: Path, long_bundle: Path
) -> None:
    done = queued(store, bundle, max_rank=4)
    execute(done)
    run = queue.submit(store, long_bundle, LONG, owner="test")
    wait(lambda: run.status().status == "running")
    psutil.Process(run.status().worker.pid).kill()  # type: ignore[union-attr]
    wait(lambda: run.status().status == "failed")
    wait(lambda: run.recorded_status().status == "failed")  # by the dispatcher, which waited for it
    status = run.status()
    assert status.status == "failed"
    assert "worker process ended" in status.error.message  # type: ignore[union-attr]
    assert done.status().status == "complete"
    assert done.summary.problem == "tiny"


def test_one_at_a_time_first_come_first_served(store: RunStore, bundle: Path, long_bundle: Path) -> None:
    first = queue.submit(store, long_bundle, LONG, owner="test")
    wait(lambda: first.status().status == "running")
    second, third = (queue.submit(store, bundle, RefineConfig(max_rank=3), owner="test") for _ in range(2))
    time.sleep(1.0)
    assert (second.status().status, second.status().worker) == ("queued", None)
    assert [queue.ahead(run) for run in (first, second, third)] == [0, 1, 2]
    queue.cancel(first)
    wait(lambda: third.status().status == "complete")
    assert second.status().status == "complete"
    wait(lambda: not list(store.root.glob(".queue/*-*")))
    wait(lambda: not any(thread.name == "dispatcher" for thread in threading.enumerate()))


def test_owners_take_turns(store: RunStore, bundle: Path) -> None:
    tickets = Tickets(store.root)
    made = []
    for owner in ("a", "a", "a", "b", "b", "c"):
        made.append(store.create(problem="tiny", config=RefineConfig(), owner=owner, title="t"))
        tickets.add(made[-1], owner)
        time.sleep(0.002)  # tickets are ordered by milliseconds
    a0, a1, a2, b0, b1, c0 = (run.id for run in made)
    assert [ticket.run_id for ticket in tickets.waiting()] == [a0, b0, c0, a1, b1, a2]
    assert tickets.start(tickets.waiting()[0])
    assert [ticket.run_id for ticket in tickets.waiting()] == [b0, c0, a1, b1, a2]
    tickets.remove(b0)
    assert [ticket.run_id for ticket in tickets.waiting()] == [b1, c0, a1, a2]
    assert not tickets.start(tickets.waiting()[0]._replace(run_id=b0))


def test_waiting_takes_no_process_and_has_a_limit(
    store: RunStore, bundle: Path, long_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = queue.submit(store, long_bundle, LONG, owner="test")
    wait(lambda: first.status().status == "running")
    monkeypatch.setattr(serverlimits, "OWN", serverlimits.ServerLimits(waiting=4, waiting_of_one=3))
    before = len(psutil.Process().children(recursive=True))
    for _ in range(3):
        queue.submit(store, bundle, RefineConfig(max_rank=1), owner="test")
    time.sleep(0.5)
    assert len(psutil.Process().children(recursive=True)) == before
    with pytest.raises(InputError, match=r"3 of your jobs wait, which is as many as may; (the one at work|come again)"):
        queue.submit(store, bundle, RefineConfig(max_rank=1), owner="test")
    queue.submit(store, bundle, RefineConfig(max_rank=1), owner="other")
    with pytest.raises(InputError, match="4 jobs wait in this folder of runs"):
        queue.submit(store, bundle, RefineConfig(max_rank=1), owner="third")
    assert len(store.list()) == 5


def test_a_stopped_worker_keeps_its_process_and_loses_its_turn(
    store: RunStore, bundle: Path, long_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "SILENT_SECONDS", 1.5)
    first = queue.submit(store, long_bundle, LONG, owner="test")
    wait(lambda: first.status().status == "running" and first.status().stage == "basis")
    worker = first.status().worker
    assert worker is not None
    psutil.Process(worker.pid).suspend()
    second = queue.submit(store, bundle, RefineConfig(max_rank=3), owner="test")
    wait(lambda: second.status().status == "complete")
    assert first.status().status == "running"
    queue.cancel(first)
    assert first.status().status == "cancelled"
    assert workers.find(worker) is None


def test_a_later_server_goes_on_with_what_waits(store: RunStore, bundle: Path) -> None:
    run = queue.create(store, bundle, RefineConfig(max_rank=3), owner="test")
    Tickets(store.root).add(run, "test")  # as a server leaves it that was killed
    gone = queue.create(store, bundle, RefineConfig(max_rank=3), owner="test")
    Tickets(store.root).add(gone, "test")
    store.delete(gone)
    dispatcher.wake(store)
    wait(lambda: run.status().status == "complete")


def test_runs_of_another_machine_do_not_hold_anybody_up(store: RunStore, bundle: Path) -> None:
    copied = queued(store, bundle)
    elsewhere = Worker(host="elsewhere.invalid", pid=1, started=0.0)
    copied.write_status(Status(status="running", worker=elsewhere, heartbeat=time.time() + 1e6))
    assert copied.status().status == "failed"
    run = queue.submit(store, bundle, RefineConfig(max_rank=3), owner="test")
    wait(lambda: run.status().status == "complete")


def test_a_waiting_list_that_is_a_link_is_not_followed(store: RunStore, bundle: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    store.root.mkdir()
    (store.root / ".queue").symlink_to(outside)
    with pytest.raises(InputError, match="link"):
        queue.submit(store, bundle, RefineConfig(max_rank=3), owner="test")
    assert not list(outside.iterdir())


def test_a_queued_run_can_be_cancelled(store: RunStore, bundle: Path, long_bundle: Path) -> None:
    first = queue.submit(store, long_bundle, LONG, owner="test")
    wait(lambda: first.status().status == "running")
    second = queue.submit(store, bundle, RefineConfig(max_rank=3), owner="test")
    queue.cancel(second)
    assert second.status().status == "cancelled"
    assert queue.ahead(second) is None


def test_a_full_disk_is_one_sentence_and_nothing_half_written(
    store: RunStore, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queued(store, bundle, max_rank=4)

    def full(self: Run, result: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Run, "write_result", full)
    with pytest.raises(OSError, match="No space left"):
        execute(run)
    status = run.status()
    assert status.status == "failed"
    assert status.error.message == "the disk is full; make room and start again"  # type: ignore[union-attr]
    assert not (run.path / "summary.json").exists()
    assert not list(run.path.rglob("*.tmp"))


def test_what_does_not_fit_is_refused_before_it_is_tried(
    store: RunStore, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = load_problem(bundle)
    expected = forecast(problem, RefineConfig(max_rank=20))
    assert expected.fits
    monkeypatch.setattr(plan, "available_bytes", lambda: resources.LIBRARIES + 10_000)
    tight = forecast(problem, RefineConfig(max_rank=20))
    assert not tight.fits
    assert 0 <= tight.largest_rank < 20
    run = queued(store, bundle, max_rank=20)
    with pytest.raises(InputError, match=r"max_rank: Needs about .* but only .* may be used"):
        execute(run)
    assert run.status().status == "failed"
    assert not (run.path / "sweep.npz").exists()


def test_a_bad_bundle_leaves_no_run(store: RunStore, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        queue.submit(store, tmp_path / "nothing", RefineConfig(), owner="test")
    assert store.list() == []


def test_a_worker_on_another_machine_is_known_by_its_heartbeat() -> None:
    elsewhere = Worker(host="elsewhere.invalid", pid=1, started=0.0)
    assert workers.is_alive(Status(status="running", worker=elsewhere, heartbeat=time.time()))
    assert not workers.is_alive(Status(status="running", worker=elsewhere, heartbeat=time.time() - 1000))
    assert workers.find(elsewhere) is None


def test_a_process_with_the_same_number_but_another_start_is_not_the_worker() -> None:
    me = workers.this_process()
    assert workers.find(me) is not None
    assert workers.find(me.model_copy(update={"started": me.started - 100})) is None


def test_waiting_for_a_turn_does_not_load_torch() -> None:
    code = "import lsr_core.jobs.__main__, lsr_core.jobs.dispatcher, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestRunsFromElsewhere:
    """A run is untrusted input like any other."""

    @pytest.fixture
    def run(self, store: RunStore, bundle: Path) -> Run:
        run = queued(store, bundle, max_rank=4)
        execute(run)
        return Run(run.path)

    @pytest.mark.parametrize("bad", ["../../etc", "", "A" * 32, "0" * 31, "0" * 33, "0" * 31 + "/"])
    def test_ids_that_are_none(self, store: RunStore, bad: str) -> None:
        with pytest.raises(InputError, match="32 characters"):
            store.open(bad)

    def test_unknown_id(self, store: RunStore) -> None:
        with pytest.raises(InputError, match="no run with this id"):
            store.open("0" * 32)

    def test_a_link_out_of_the_folder_is_not_a_run(self, store: RunStore, run: Run, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        shutil.move(run.path, outside)
        run.path.symlink_to(outside)
        with pytest.raises(InputError, match="no run with this id"):
            store.open(run.id)

    def test_truncated_arrays(self, run: Run) -> None:
        path = run.path / "fields.npz"
        path.write_bytes(path.read_bytes()[:200])
        with pytest.raises(InputError, match=r"fields\.npz: has 200 bytes, digests\.json says"):
            _ = run.fields
        digests.write(run.path)  # whoever made the run can do that
        with pytest.raises(InputError, match=r"fields\.npz: not a complete npz"):
            _ = run.fields

    def test_pickled_arrays(self, run: Run) -> None:
        np.savez(run.path / "sweep.npz", train_mse=np.array([object()], dtype=object))
        digests.write(run.path)
        with pytest.raises(InputError, match=r"sweep\.npz: train_mse: holds Python objects"):
            _ = run.sweep

    def test_unknown_format(self, run: Run) -> None:
        path = run.path / "run.json"
        given = {**json.loads(path.read_text()), "format_version": 99}
        path.write_text(json.dumps({key: value for key, value in given.items() if key != "sha256"}))
        with pytest.raises(InputError, match=r"run\.json: format_version: run format 99"):
            _ = run.manifest

    def test_a_step_of_the_wrong_size(self, run: Run) -> None:
        from safetensors.torch import save_file

        save_file({"delta": torch.zeros(3)}, run.delta_path)
        digests.write(run.path)
        with pytest.raises(InputError, match=r"delta\.safetensors: delta: does not hold 21"):
            delta_at(run, run.summary.rank)

    def test_unreadable_runs_are_left_out_of_the_list(self, store: RunStore, run: Run) -> None:
        (run.path / "run.json").write_text("{")
        assert store.list() == []

    def test_deleting(self, store: RunStore, run: Run) -> None:
        store.delete(run)
        assert store.list() == []
        assert list(store.root.glob(".deleted*")) == []
