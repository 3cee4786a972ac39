"""Memory of whole jobs against their forecast: one JSON line a job, then a summary.

    python benchmarks/memory.py [--networks 50] [--seed 0] [--only NAME] [--trace] [--tight 0.8]

Every job is a worker as a page starts it, forked from a process that stands by with the libraries loaded; its `ru_maxrss` is what is
reported, and a job above 6 GB or 15 minutes is ended. The zoo has problems of each kind; the random networks are of all kinds, with
widths, samples, outputs and ranks drawn at random. With `--tight` the budget is that share of what the job is expected to take in 5 GB,
so that the plan has to be a more frugal one, or the job is refused.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import _harness as harness
import torch
from pydantic import ByteSize
from torch import Tensor

from lsr_core import Architecture, RefineConfig, Split, SupervisedProblem
from lsr_core.errors import InputError
from lsr_core.jobs.queue import create
from lsr_core.kinds.classes.problem import ClassificationProblem, one_hot
from lsr_core.networks import architectures
from lsr_core.refinement.forecast import forecast
from lsr_core.storage.bundles import load_problem, save_problem
from lsr_core.storage.runs import RunStore

MOST_BYTES, MOST_SECONDS, BUDGET = 6 * harness.GIB, 900, "5GB"
Settings = dict[str, object]
Made = tuple[str, dict[str, Any], tuple[int, ...], int]  # architecture, arguments, shape of an input, samples

SHIPPED: dict[str, tuple[str, Settings]] = {
    "sine2d 150": ("sine2d", {"max_rank": 150}),
    "sine2d 60 float32": ("sine2d", {"max_rank": 60, "dtype": "float32"}),
    "sine2d 30 row blocks": ("sine2d", {"max_rank": 30, "strategy": "row-blocks"}),
    "sine2d 5 matrix-free": ("sine2d", {"max_rank": 5, "strategy": "matrix-free"}),
    "sine2d 60 a tenth": ("sine2d", {"max_rank": 60, "parameter_fraction": 0.1}),
    "noisy1d": ("noisy1d", {}),
    "digits (classes)": ("digits", {"max_rank": 40}),
    "antiderivative (DeepONet)": ("antiderivative", {"max_rank": 60}),
    "burgers-operator (FNO)": ("burgers-operator", {"max_rank": 20}),
    "sequence (transformer)": ("sequence", {"max_rank": 40}),
    "poisson (PINN)": ("poisson", {"max_rank": 100}),
    "burgers (PINN)": ("burgers", {"max_rank": 100}),
    "allen-cahn (PINN), Gauss-Newton": ("allen-cahn", {"max_rank": 100, "gauss_newton": 1}),
}
LARGE: dict[str, tuple[Made, Settings]] = {
    "MLP 4 M": (("mlp", {"layers": [8, 1000, 1000, 1000, 1000, 1000, 4]}, (8,), 1000), {"max_rank": 40}),
    "MLP 4 M row blocks": (
        ("mlp", {"layers": [8, 1000, 1000, 1000, 1000, 1000, 4]}, (8,), 500),
        {"max_rank": 10, "strategy": "row-blocks"},
    ),
    "CNN 1.4 M": (
        ("cnn-classifier", {"image": [1, 32, 32], "channels": [64, 128], "hidden": 160}, (1, 32, 32), 1000),
        {"max_rank": 40},
    ),
    "CNN 1.4 M row blocks": (
        ("cnn-classifier", {"image": [1, 32, 32], "channels": [64, 128], "hidden": 160}, (1, 32, 32), 60),
        {"max_rank": 20, "strategy": "row-blocks"},
    ),
    "CNN all convolutions": (
        ("cnn-classifier", {"image": [3, 32, 32], "channels": [32, 64, 128, 128], "hidden": 8}, (3, 32, 32), 100),
        {"max_rank": 40},
    ),
    "FNO 2d": (("fno-2d", {"grid": [32, 32], "width": 12, "depth": 3, "modes": [8, 8]}, (1024,), 30), {"max_rank": 20}),
    "transformer 0.2 M": (
        ("transformer-regressor", {"length": 20, "features": 4, "width": 64, "depth": 4, "feedforward": 256}, (20, 4), 300),
        {"max_rank": 60},
    ),
}  # fmt: skip


def main() -> None:
    options = harness.parser(__doc__)
    options.add_argument("--networks", type=int, default=50, help="random networks")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--trace", action="store_true", help="the high-water mark by stage")
    options.add_argument("--tight", type=float, help="budget as a share of the forecast with 5 GB")
    options.add_argument("--standby", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--skip", type=int, default=0, help="jobs to leave out at the start")
    given = options.parse_args()
    if given.standby:
        stand_by()
        return
    standby = Standby()
    machine = harness.Machine()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for place, (name, make, settings) in enumerate(jobs(2 if given.quick else given.networks, given.seed)):
            if place >= given.skip and given.only in (None, name):
                line = {"job": name, **measured(Path(folder) / str(place), make, settings, standby, given)}
                lines.append(line)
                harness.emit(line)
    harness.emit({"benchmark": "memory", **summary(lines), "machine": machine.report()})


def jobs(networks: int, seed: int) -> Iterator[tuple[str, Callable[[], Any], Settings]]:
    """Name, maker of the problem and settings of every job."""
    for name, (shipped, settings) in SHIPPED.items():
        yield name, lambda shipped=shipped: load_problem(shipped), settings
    for name, (made, settings) in LARGE.items():
        yield name, lambda made=made: problem(*made), settings
    for number in range(networks):
        made, settings = drawn(random.Random(seed * 1000 + number))
        yield f"random {number}: {made[0]}", lambda made=made: problem(*made), settings


def problem(architecture: str, arguments: dict[str, Any], shape: tuple[int, ...], samples: int) -> SupervisedProblem:
    """A network at random weights and a wave of what it gives: LSR needs no training to show its cost."""
    torch.manual_seed(0)
    model = architectures.build(architecture, arguments)
    inputs = torch.rand(2 * samples, *shape)
    with torch.no_grad():
        outputs = torch.cat([model(part) for part in inputs.split(64)])

    def split(where: slice) -> Split:
        return Split(inputs[where], targets(outputs)[where])

    def targets(values: Tensor) -> Tensor:
        classes = one_hot(torch.randint(values.shape[1], (len(values),)), values.shape[1]) if labelled else values
        return classes if labelled else torch.sin(3 * values)

    labelled = architecture == "cnn-classifier"
    kind = ClassificationProblem if labelled else SupervisedProblem
    parts = (slice(samples), slice(samples, samples + samples // 2), slice(samples + samples // 2, None))
    return kind("made", model, *map(split, parts), architecture=Architecture(architecture, arguments))


def drawn(draw: random.Random) -> tuple[Made, Settings]:
    """A random network, its data and the settings."""
    kind = draw.choice(["mlp", "mlp", "cnn-classifier", "deeponet", "fno-1d", "fno-2d", "transformer-regressor"])
    samples = draw.choice([100, 300, 1000])
    settings: Settings = {"max_rank": draw.choice([5, 20, 60, 120]), "seed": draw.randrange(100)}
    if kind == "mlp":
        width, inputs = draw.choice([16, 64, 256, 500]), draw.choice([1, 4, 30])
        layers = [inputs, *[width] * draw.randint(1, 5), draw.choice([1, 3, 20])]
        settings["strategy"] = draw.choice(["auto", "auto", "row-blocks", "matrix-free"]) if width < 256 else "auto"
        return (kind, {"layers": layers}, (inputs,), samples), settings
    samples = min(samples, 200)
    if kind == "cnn-classifier":
        side, channels = draw.choice([8, 16]), [draw.choice([4, 16, 48]) for _ in range(draw.randint(1, 3))]
        image = [draw.choice([1, 3]), side, side]
        return (
            kind,
            {"image": image, "channels": channels, "hidden": draw.choice([16, 100])},
            tuple(image),
            samples,
        ), settings
    if kind == "deeponet":
        width, sensors = draw.choice([20, 60, 150]), draw.choice([10, 50])
        arguments = {
            "branch": [sensors, width, width],
            "trunk": [1, width, width],
            "grid": {"points": draw.choice([10, 60])},
        }
        return (kind, arguments, (sensors,), samples), settings
    width, depth = draw.choice([4, 8, 16]), draw.randint(1, 4)
    if kind == "fno-1d":
        points = draw.choice([32, 64])
        return (kind, {"points": points, "width": width, "depth": depth, "modes": 12}, (points,), samples), settings
    if kind == "fno-2d":
        side = draw.choice([8, 16])
        arguments = {"grid": [side, side], "width": width, "depth": depth, "modes": [4, 4]}
        return (kind, arguments, (side**2,), min(samples, 60)), settings
    length = draw.choice([5, 20])
    arguments = {"length": length, "features": 3, "width": 4 * width, "depth": depth, "feedforward": 8 * width}
    return (kind, arguments, (length, 3), samples), settings  # fmt: skip


def measured(
    folder: Path, make: Callable[[], Any], settings: Settings, standby: Standby, given: argparse.Namespace
) -> dict[str, Any]:
    """Forecast and measured memory of one job."""
    bundle = save_problem(folder / "bundle", make())
    config = RefineConfig.model_validate({"memory_budget": BUDGET, **settings})
    try:
        expected = forecast(load_problem(bundle), config)
        if given.tight is not None:
            config = config.model_copy(update={"memory_budget": ByteSize(given.tight * expected.peak_bytes)})
            expected = forecast(load_problem(bundle), config)
    except InputError as error:
        return {"state": "refused", "why": error.message}
    run = create(RunStore(folder / "runs"), bundle, config, owner="benchmark")
    started = time.perf_counter()
    stages, peak = standby.work(run.path)
    status = run.status()
    line = {
        "strategy": expected.strategy,
        "forecast_mb": round(expected.peak_bytes / harness.MIB),
        "peak_mb": round(peak / harness.MIB),
        "peak_over_forecast": peak / expected.peak_bytes,
        "peak_over_budget": peak / expected.available_bytes,
        "seconds": time.perf_counter() - started,
        "state": status.status,
        "fits": expected.fits,
    }
    if status.error is not None:
        line["why"] = status.error.message
    if given.trace:
        line |= {
            "stages_mb": stages,
            "terms_mb": {k: round(v / harness.MIB) for k, v in getattr(expected, "stages", {}).items()},
        }
    return line


class Standby:
    """A process with the libraries loaded, which forks a worker for each run."""

    def __init__(self) -> None:
        command = [sys.executable, __file__, "--standby"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def work(self, run: Path) -> tuple[dict[str, int], int]:
        """The high-water mark (MB) by stage, and `ru_maxrss` (bytes) of the worker."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{run}\n")
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            raise RuntimeError(f"the process that stands by ended with {self._process.wait()} during {run.name}")
        stages, peak = json.loads(answer)
        return stages, peak


def stand_by() -> None:
    """Answer each run named on the standard input with the memory that its worker took."""
    import lsr_core.diagnosis.directions
    import lsr_core.jobs.refining
    import lsr_core.jobs.worker  # noqa: F401
    from lsr_core.jobs.__main__ import main as worker

    for line in sys.stdin:
        run = Path(line.strip())
        child = os.fork()
        if child == 0:
            code = 1
            try:  # nothing of the parent's may run in the child, whatever happens
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                code = worker([str(run / "run.json")])
            finally:
                os._exit(code)
        stages, peak = watched(child, run / "status.json")
        harness.note(f"{run.name}: {peak // harness.MIB} MB")
        sys.stdout.write(json.dumps([stages, peak]) + "\n")
        sys.stdout.flush()


def watched(child: int, status: Path) -> tuple[dict[str, int], int]:
    """Wait for a worker and end it above the limits."""
    stages: dict[str, int] = {}
    began = time.monotonic()
    while True:
        ended, _, usage = os.wait4(child, os.WNOHANG)
        if ended:
            return stages, usage.ru_maxrss * 1024
        time.sleep(0.05)
        with contextlib.suppress(OSError, ValueError, KeyError):
            fields = dict(line.split(":", 1) for line in Path(f"/proc/{child}/status").read_text().splitlines())
            high = int(fields["VmHWM"].split()[0]) * 1024
            stages[json.loads(status.read_text()).get("stage") or "starting"] = round(high / harness.MIB)
            if high > MOST_BYTES or time.monotonic() - began > MOST_SECONDS:
                os.kill(child, signal.SIGKILL)


def summary(lines: list[dict[str, Any]]) -> dict[str, Any]:
    done = [line for line in lines if "peak_over_forecast" in line]
    ratios = sorted(line["peak_over_forecast"] for line in done)
    return {
        "jobs": len(lines),
        "complete": sum(line["state"] == "complete" for line in lines),
        "peak_over_forecast": {"median": statistics.median(ratios), "largest": ratios[-1], "smallest": ratios[0]} if ratios else {},
        "above_1.25": [line["job"] for line in done if line["peak_over_forecast"] > 1.25],
        "below_0.5": sum(ratio < 0.5 for ratio in ratios),
        "largest_peak_over_budget": max((line["peak_over_budget"] for line in done), default=None),
    }  # fmt: skip


if __name__ == "__main__":
    main()
