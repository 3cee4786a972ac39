"""How true the time is that a running job says is left, for ten kinds of runs: one JSON line.

    python benchmarks/liveprogress.py [--kinds NAME ...] [--untaught]

Each kind is run twice in a folder of its own, by the worker that the dashboard starts; the second time its status is read as pages read
it, from a fifth of its time on. `error` is |forecast of the whole - whole| / whole, its median over a run; `median` that over the kinds. With
`--untaught` the first run is the one that is watched, on a machine that has seen no run of the kind.
`processor` are seconds of its worker.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

import lsr_samples
from lsr_core.diagnosis.plane import PlaneSettings
from lsr_core.errors import LSRError
from lsr_core.jobs import queue
from lsr_core.jobs.planing import create_plane
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.uses import only_used
from lsr_core.storage.bundles import read_description
from lsr_core.storage.records import JobKind
from lsr_core.storage.runs import Run, RunStore

FROM_SHARE = 0.2
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Watched:
    """A run of a few seconds."""

    problem: str
    config: RefineConfig = field(default_factory=RefineConfig)
    kind: JobKind = "refine"
    settings: dict[str, JsonValue] = field(default_factory=dict)


KINDS = {
    "data": Watched("sine2d", RefineConfig(max_rank=300)),
    "classes": Watched("digits", RefineConfig(max_rank=200)),
    "equation": Watched("burgers", RefineConfig(max_rank=150, gauss_newton=3)),
    "operator": Watched("antiderivative", RefineConfig(max_rank=150)),
    "race": Watched("sine2d", RefineConfig(max_rank=80), "race", {"iterations": 400}),
    "plane": Watched("sine2d", RefineConfig(max_rank=60), "plane"),
    "isolation": Watched("sine2d", RefineConfig(max_rank=60), "isolate", {"iterations": 15}),
    "training": Watched("sine2d", RefineConfig(max_rank=60), "training"),
    "iteration": Watched("poisson", RefineConfig(max_rank=60), "iterate", {"steps": 3, "seconds": 8.0}),
    "cases": Watched("antiderivative", RefineConfig(max_rank=80), "cases", {"cases": 40}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--untaught", action="store_true")
    options = parser.parse_args()
    found = {}
    for name in options.kinds:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = error(Watcher(RunStore(Path(folder)), KINDS[name]), taught=not options.untaught)
        print(name, found[name], file=sys.stderr, flush=True)
    line = {
        "benchmark": "liveprogress",
        "from_share": FROM_SHARE,
        "taught": not options.untaught,
        "error": {name: round(value, 3) for name, (value, *_) in found.items()},
        "seconds": {name: round(seconds, 1) for name, (_, seconds, _) in found.items()},
        "processor": {name: round(spent, 1) for name, (*_, spent) in found.items()},
        "median": round(statistics.median(value for value, *_ in found.values()), 3),
        "worst": round(max(value for value, *_ in found.values()), 3),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(line))


class Watcher:
    """Runs of one kind in one folder."""

    def __init__(self, store: RunStore, watched: Watched) -> None:
        self.store, self.watched = store, watched
        self._base = self._refined() if watched.kind == "plane" else None

    def _refined(self) -> Run:
        run = queue.create(self.store, lsr_samples.folder(self.watched.problem), self.watched.config, owner="benchmark")
        execute(run)
        return Run(run.path)

    def _created(self, seed: int) -> Run:
        watched = self.watched
        if self._base is not None:
            return create_plane(self.store, self._base, PlaneSettings(seed=seed), owner="benchmark")
        described = read_description(lsr_samples.folder(watched.problem))
        config = only_used(watched.config.model_copy(update={"seed": seed}), watched.kind, described.kind)
        return queue.create(
            self.store,
            lsr_samples.folder(watched.problem),
            config,
            owner="benchmark",
            kind=watched.kind,
            settings=watched.settings,
        )

    def watch(self, seed: int) -> list[tuple[float, float]]:
        """(elapsed, remaining) as its status said while it ran, the last of them its end with nothing left."""
        watched, run = self.watched, self._created(seed)
        worker = subprocess.Popen(
            [sys.executable, "-m", "lsr_core.jobs", str(run.path / "run.json")], stdout=subprocess.DEVNULL
        )
        told = []
        while worker.poll() is None:
            time.sleep(LOOK_SECONDS)
            try:
                status = run.status()
            except LSRError:
                continue
            if status.status == "running" and status.remaining is not None:
                told.append((status.elapsed, status.remaining))
        status = run.status()
        if status.status != "complete":
            raise SystemExit(f"{watched.kind} of {watched.problem} {status.status}: {status.error}")
        return [*told, (status.elapsed, 0.0)]


def error(watcher: Watcher, *, taught: bool) -> tuple[float, float, float]:
    """(median error of the forecasts of a run, its seconds, processor seconds of its worker)."""
    if taught:
        watcher.watch(seed=1)
    before = os.times()
    told = watcher.watch(seed=2)
    spent = os.times().children_user + os.times().children_system - before.children_user - before.children_system
    whole = told[-1][0]
    off = [
        abs(elapsed + remaining - whole) / whole for elapsed, remaining in told[:-1] if elapsed >= FROM_SHARE * whole
    ]
    return (statistics.median(off) if off else 0.0), whole, spent


if __name__ == "__main__":
    main()
