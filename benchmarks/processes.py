"""Rows shared among processes: processor time against one process, and the bytes that many would send, counted and by formula.

    python -m benchmarks.processes                    # one process, then two, over gloo
    python -m benchmarks.processes --simulate 4 16 64 # threads that stand for processes, on tiny rows

The formulas are those of docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.linalg.gloo import Gloo
from lsr_core.linalg.groups import in_threads
from lsr_core.linalg.reduction import Reduction
from lsr_core.networks import architectures
from lsr_core.problems.splits import Split
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.sizes import PROBES, directions

HEADER = 64  # bytes before each tensor


def problem(rows: int, width: int, depth: int) -> SupervisedProblem:
    """A network of random weights and a smooth function."""
    torch.manual_seed(0)
    model = architectures.build("mlp", {"layers": [2, *[width] * depth, 1]}).double()

    def split(count: int) -> Split:
        inputs = 2 * torch.rand(count, 2, dtype=torch.float64) - 1
        return Split(inputs, torch.sin(3 * inputs.sum(dim=1, keepdim=True)))

    return SupervisedProblem("shared", model, split(rows), split(rows // 4), split(rows // 2))


def timed(count: int, strategy: str, rank: int, rows: int) -> tuple[list[float], Refinement]:
    """Processor seconds of each process, and what the first one found."""
    with tempfile.TemporaryDirectory() as folder:
        given = ["--rank", str(rank), "--rows", str(rows), "--strategy", strategy, "--meeting", folder]
        command = [sys.executable, "-m", "benchmarks.processes", "--of", str(count), *given]
        others = [
            subprocess.Popen([*command, "--process", str(number)], stdout=subprocess.PIPE) for number in range(1, count)
        ]
        seconds, found = work(0, count, Path(folder), strategy, rank, rows)
        return [seconds, *(json.loads(other.communicate()[0]) for other in others)], found


def work(number: int, count: int, folder: Path, strategy: str, rank: int, rows: int) -> tuple[float, Refinement]:
    torch.set_num_threads(1)
    made = problem(rows, 100, 3)
    refine(problem(50, 8, 2), max_rank=2)  # what is done once is not counted
    group = Gloo(number, count, folder / "store") if count > 1 else None
    began = time.process_time()
    found = refine(made, max_rank=rank, strategy=strategy, reduction=Reduction(group))
    seconds = time.process_time() - began
    if group is not None:
        group.close()
    return seconds, found


def simulated(count: int, rank: int, rows: int) -> tuple[int, int, int]:
    """Bytes that all of many processes send, that the busiest one sends, and that all do by the formula."""
    found = in_threads(
        count,
        lambda thread: refine(problem(rows, 8, 2), max_rank=rank, strategy="factored", reduction=Reduction(thread)),
    )
    processes = found[0].summary.processes
    assert processes is not None
    return processes.sent_bytes, processes.most_sent_bytes, formula(found[0], count, rank, rows)


def formula(found: Refinement, count: int, rank: int, rows: int) -> int:
    """Bytes of the factored route: see docs/scale.md."""
    setting = found.setting
    omega = directions(setting.sizes, setting.config, rank)
    columns = omega + PROBES + 1
    up_and_down = sum(packed(rows, columns, count)) + (count - 1) * packed_size(rows, columns)
    shared = (count - 1) * (omega**2 + 2 * omega * min(omega, rows) + min(omega, rows))
    shown, rungs = len(found.display_points), len(found.fields.ranks)
    return 8 * round(up_and_down + shared + (count - 1 + math.log2(count) / 2) * shown * (rungs + 1))


def packed_size(rows: int, columns: int) -> int:
    """Entries of a trapezoid."""
    height = min(rows, columns)
    return height * columns - height * (height - 1) // 2


def packed(rows: int, columns: int, count: int) -> Iterator[int]:
    """Entries that go up from each process but the first: a triangle of the rows that it has gathered."""
    for number in range(1, count):
        gathered = min(number & -number, count - number)
        yield packed_size(gathered * rows // count, columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulate", type=int, nargs="*", help="numbers of processes")
    parser.add_argument("--rank", type=int, default=300)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--strategy", default="factored")
    parser.add_argument("--process", type=int, default=0)
    parser.add_argument("--of", type=int, default=2)
    parser.add_argument("--meeting", type=Path)
    given = parser.parse_args()
    if given.process:
        print(json.dumps(work(given.process, given.of, given.meeting, given.strategy, given.rank, given.rows)[0]))
        return
    if given.simulate:
        print("processes  sent by all  by the busiest  by formula")
        for count in given.simulate:
            every, most, expected = simulated(count, min(given.rank, 20), 640)
            print(f"{count:9} {every:12,} {most:15,} {expected:11,}")
        return
    (alone, one), (both, two) = (timed(count, given.strategy, given.rank, given.rows) for count in (1, given.of))
    gap = abs(one.sweep.test_mse - two.sweep.test_mse).max() / one.sweep.test_mse[0]
    sent = two.summary.processes
    assert sent is not None
    print(
        f"{given.strategy}: one process {alone[0]:.1f} s, {given.of} processes {', '.join(f'{s:.1f}' for s in both)} s of a core"
    )
    print(
        f"{max(both) / alone[0]:.2f} of the time, {sent.sent_bytes / 2**20:.1f} MiB sent, test errors apart by {gap:.1e} of the network's"
    )


if __name__ == "__main__":
    main()
