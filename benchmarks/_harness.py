"""What the benchmarks share: alternating repetitions, peak memory in fresh processes, the machine, one JSON line."""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import lsr_core
from lsr_core import Refinement, SupervisedProblem

Outcome = dict[str, Any]
Contender = Callable[[], Outcome]
MIB = 2**20
GIB = 2**30
SHOWN = ("seconds", "peak_bytes")


def parser(description: str | None) -> argparse.ArgumentParser:
    """Options that every benchmark has; `--only` runs one contender once, for a process of its own."""
    options = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    options.add_argument("--repeats", type=int, default=3, help="alternating repetitions; medians are reported")
    options.add_argument("--quick", action="store_true", help="tiny sizes, to see that the script runs")
    options.add_argument("--threads", type=int, default=0, help="threads of PyTorch; 0 = its own choice")
    options.add_argument("--only", help=argparse.SUPPRESS)
    return options


def begin(options: argparse.Namespace) -> None:
    if options.threads:
        torch.set_num_threads(options.threads)


def alternate(contenders: Mapping[str, Contender], repeats: int) -> dict[str, list[Outcome]]:
    """Run the contenders in turn, `repeats` times over, in this process; each outcome gets its `seconds`.

    A contender may put `seconds` and `peak_bytes` into its outcome itself, where only a part of it is to count.
    """
    warm_up()
    outcomes: dict[str, list[Outcome]] = {name: [] for name in contenders}
    for repetition in range(repeats):
        for name, contender in contenders.items():
            outcome = timed(contender)
            outcome.pop("peak_bytes", None)  # means something in a fresh process only
            outcomes[name].append(outcome)
            note(f"{name} {repetition + 1}/{repeats}: {outcome['seconds']:.2f} s  {shown(outcome)}")
    return outcomes


def warm_up() -> None:
    """Let PyTorch load its rules of differentiation, which takes seconds once a process, for all contenders."""
    points, theta = torch.linspace(0, 1, 8)[:, None], torch.ones(1)
    torch.func.vmap(lambda tangent: torch.func.jvp(lambda t: torch.tanh(points * t), (theta,), (tangent,))[1])(
        torch.ones(2, 1)
    )
    torch.func.vmap(torch.func.vjp(lambda t: torch.tanh(points * t), theta)[1])(torch.ones(2, 8, 1))


def timed(contender: Contender) -> Outcome:
    """The outcome with its `seconds` by the clock and `cpu_seconds` of this process, which a busy machine disturbs less."""
    gc.collect()
    started, worked = time.perf_counter(), time.process_time()
    outcome = contender()
    elapsed, work = time.perf_counter() - started, time.process_time() - worked
    return {"seconds": elapsed, "cpu_seconds": work, **outcome}


def refined(problem: SupervisedProblem, **settings: object) -> tuple[Refinement, Outcome]:
    """One call of `lsr_core.refine`, timed from outside, and what a benchmark tells of it."""
    gc.collect()
    started, worked = time.perf_counter(), time.process_time()
    result = lsr_core.refine(problem, **settings)  # type: ignore[arg-type]
    seconds, work = time.perf_counter() - started, time.process_time() - worked
    summary = result.summary
    return result, {
        "seconds": seconds,
        "cpu_seconds": work,
        "peak_bytes": peak_bytes(),
        "rank": result.rank,
        "train_mse": summary.refined.train_mse,
        "test_mse": summary.refined.test_mse,
        "condition_number": summary.condition_number,
        "delta_norm": summary.delta_norm,
        "strategy": summary.strategy,
        "timings": summary.timings,
    }


def medians(outcomes: Sequence[Outcome]) -> Outcome:
    """The median of every number, the last of everything else, and all times."""
    last = outcomes[-1]
    merged: Outcome = {}
    for key, value in last.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        merged[key] = statistics.median(outcome[key] for outcome in outcomes) if number else value
        if isinstance(value, dict):
            merged[key] = medians([outcome[key] for outcome in outcomes])
    if "seconds" in last:
        merged["all_seconds"] = [round(outcome["seconds"], 3) for outcome in outcomes]
    return merged


def in_fresh_process(script: str, only: str, arguments: Sequence[str] = ()) -> Outcome:
    """Run `script --only NAME` in a process of its own; its outcome with `peak_bytes`.

    Raises:
        SystemExit: the process failed.
    """
    command = [sys.executable, script, "--only", only, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}")
    outcome: Outcome = json.loads(done.stdout.splitlines()[-1])
    note(f"{only} alone: {outcome['seconds']:.2f} s, {outcome['peak_bytes'] / MIB:.0f} MB  {shown(outcome)}")
    return outcome


def run_only(contenders: Mapping[str, Contender], name: str) -> None:
    """The other end of `in_fresh_process`."""
    outcome = timed(contenders[name])
    emit({"peak_bytes": peak_bytes(), **outcome})


def time_ratios(theirs: Outcome, ours: Outcome) -> Outcome:
    """Theirs over ours, by the clock and by the work of the process."""
    return {
        "time_ratio": theirs["seconds"] / ours["seconds"],
        "cpu_time_ratio": theirs["cpu_seconds"] / ours["cpu_seconds"],
    }


def peak_bytes() -> int:
    """Largest resident size of this process so far.

    On Linux from the memory map: what getrusage says begins with the size of the parent at the fork.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class Machine:
    """The machine, and how busy others kept it from the start of the benchmark to its end."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._load = os.getloadavg()[0]
        self._ticks = _ticks()

    def report(self) -> Outcome:
        ticks = [after - before for before, after in zip(self._ticks, _ticks(), strict=True)]
        steal = ticks[7] / sum(ticks) if len(ticks) > 7 and sum(ticks) else None
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return {
            "cpu": _cpu(),
            "cores": cores,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "python": platform.python_version(),
            "load_at_start": round(self._load, 2),
            "stolen_share": None if steal is None else round(steal, 3),
            "benchmark_seconds": round(time.perf_counter() - self._started, 1),
        }


def _ticks() -> list[int]:
    with contextlib.suppress(OSError):
        return [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return []


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def gemm_seconds(left: torch.Tensor, right: torch.Tensor, *, repeats: int = 5, at_least: float = 0.05) -> float:
    """Median time of `left @ right` into memory that is there already."""
    out = left @ right
    times = []
    for _ in range(repeats):
        count, started = 0, time.perf_counter()
        while True:
            torch.mm(left, right, out=out)
            count += 1
            elapsed = time.perf_counter() - started
            if elapsed >= at_least:
                break
        times.append(elapsed / count)
    return statistics.median(times)


def rounded(value: Any, digits: int = 4) -> Any:
    """Numbers to a few significant digits, through dicts and lists."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, dict):
        return {key: rounded(entry, digits) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(entry, digits) for entry in value]
    return value


def shown(outcome: Outcome) -> str:
    flat = {key: value for key, value in outcome.items() if isinstance(value, int | float | str) and key not in SHOWN}
    return json.dumps(rounded(flat))


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def emit(line: Mapping[str, Any]) -> None:
    print(json.dumps(rounded(dict(line))), flush=True)
