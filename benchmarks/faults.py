"""Every write of a job, an export, an upload and the queue fails in turn, every large allocation of a job too, and jobs are killed at every write.

    python -m benchmarks.faults [--every 1]

After each: all runs open or say what is missing, nothing is left behind, and the next job runs. One line of JSON for each loop.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from lsr_app import places
from lsr_app.making import rebuild
from lsr_app.owning import ownproblems
from lsr_core.errors import LSRError
from lsr_core.jobs import queue, worker
from lsr_core.jobs.tickets import Tickets
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage import atomic
from lsr_core.storage.bundles import copy_bundle
from lsr_core.storage.records import FINAL_STATES
from lsr_core.storage.runs import Run, RunStore
from tests import bundles, faults

CONFIG = RefineConfig(max_rank=4)
LARGE = 16_384  # bytes of an allocation that is made to fail; the problem is small
LAST = 2000


class House:
    """A folder of runs with one complete run, and the bundle that jobs are made of."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bundle = bundles.write(root / "bundle", data=bundles.arrays(rows=64))
        self.store = RunStore(root / "runs")
        os.environ[places.RUNS_VARIABLE] = str(self.store.root)
        self.good = self.job()

    def queued(self) -> Run:
        return queue.create(self.store, self.bundle, CONFIG, owner="faults")

    def job(self) -> Run:
        """A whole job in this process."""
        run = self.queued()
        worker.execute(run)
        return run

    def check(self) -> None:
        """What must hold after any failure."""
        for run in self.store.list():
            status = run.status()
            if run.id == self.good.id:
                assert status.status == "complete", status
            if status.status == "complete":
                assert Run(run.path).sweep.max_rank == CONFIG.max_rank
                assert Run(run.path).fields.ranks is not None
                assert Run(run.path).summary.rank >= 0
            elif status.status == "failed":
                assert status.error is not None
                assert len(status.error.message) > 10
        left = [path for path in self.root.rglob("*") if atomic.is_temporary(path.name) or ".deleted" in path.name]
        assert not left, left
        again = self.job()
        assert again.status().status == "complete"
        self.store.delete(again)

    def tidy(self) -> None:
        """All runs but the first go, as their owner would have it."""
        for run in self.store.list():
            if run.id != self.good.id:
                Tickets(self.store.root).remove(run.id)
                self.store.delete(run)


def operations(house: House) -> dict[str, Callable[[], Any]]:
    """What is made to fail, each from a state of its own."""
    store, exported = house.store, house.root / "exported"
    exported.mkdir(exist_ok=True)

    def cancelled() -> None:
        run = house.queued()
        Tickets(store.root).add(run, "faults")
        queue.cancel(run)

    def export(form: str, name: str) -> Callable[[], Any]:
        return lambda: rebuild.main([str(house.good.path), "2", form, str(exported / name)])

    return {
        "job": house.job,
        "queue": cancelled,
        "rename": lambda: house.good.write_manifest(house.good.manifest.model_copy(update={"title": "new"})),
        "delete": lambda: store.delete(house.queued()),
        "upload": lambda: ownproblems.add("faults", lambda folder: copy_bundle(house.bundle, folder)),
        "export predictor": export("predictor", "predictor.safetensors"),
        "export python": export("python", "module.zip"),
        "export report": export("report", "report.html"),
    }


def writes(house: House, name: str, number: int, *, lasting: bool, every: int = 1) -> dict[str, Any]:
    """One operation, with an error at each of its writes in turn."""
    failed = 0
    for at in range(0, LAST, every):
        act = operations(house)[name]
        with faults.failing_writes(house.root, at, faults.refuse(number), lasting=lasting) as count:
            try:
                code = act()
            except (LSRError, OSError):
                code = 1
        assert count.reached or code != 1, f"{name} fails by itself"
        failed += count.reached
        house.check()
        house.tidy()
        if not count.reached:
            break
    return {"loop": f"{name}: {errno_name(number)}{', lasting' if lasting else ''}", "failures": failed}


def kills(house: House, every: int = 1) -> dict[str, Any]:
    """A job that dies at each of its writes in turn."""
    died = 0
    for at in range(0, LAST, every):
        run = house.queued()

        def dying(run: Run = run, at: int = at) -> None:
            with faults.failing_writes(house.root, at, faults.die):
                worker.execute(run)

        code = faults.in_child(dying)
        died += code == 9
        status = Run(run.path).status()
        assert status.status in ("queued", *FINAL_STATES), status.status
        house.store.tidy(seconds=-1)  # as the next worker does
        house.check()
        house.tidy()
        if code == 0:
            break
    return {"loop": "job: killed", "failures": died}


def allocations(house: House, every: int = 1) -> dict[str, Any]:
    """A job whose tensors of some size cannot be had, each in turn."""
    failed = 0
    for at in range(0, LAST, every):
        run = house.queued()
        with faults.Scarce(at, LARGE) as scarce:
            try:
                worker.execute(run)
            except LSRError:
                assert run.status().status == "failed"
        failed += scarce.count.reached
        house.check()
        house.tidy()
        if not scarce.count.reached:
            break
    return {"loop": "job: no memory", "failures": failed}


def errno_name(number: int) -> str:
    import errno

    return errno.errorcode[number]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take each n-th place only")
    parser.add_argument("--only", help="an operation")
    given = parser.parse_args()
    torch.set_num_threads(1)
    worker.BEAT_SECONDS = 1e6  # a write less that comes when it likes
    with tempfile.TemporaryDirectory() as scratch:
        house = House(Path(scratch).resolve())
        for name in operations(house):
            if given.only not in (None, name):
                continue
            for number in faults.ERRORS:
                for lasting in (False, True):
                    print(json.dumps(writes(house, name, number, lasting=lasting, every=given.every)), flush=True)
        if given.only in (None, "kill"):
            print(json.dumps(kills(house, given.every)), flush=True)
        if given.only in (None, "memory"):
            print(json.dumps(allocations(house, given.every)), flush=True)


if __name__ == "__main__":
    main()
