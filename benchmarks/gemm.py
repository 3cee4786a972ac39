"""How near the phases made of matrix products come to this machine's own rate for the same shapes: one JSON line.

    python benchmarks/gemm.py [--repeats 3] [--rank 1000]

Phases of sine2d in float64: the modes of the factored route (J Ω by layer factors, times C), and J Ω and Jᵀ Q by row
blocks. The products inside a phase are listed by watching it once; each shape is then timed by itself, into memory that
is there already. `share` is the time these bare products take over the time of the whole phase, so all
elementwise work, copies and derivatives inside a phase count against it; `inside` is the same over the time that the
products take in the phase itself, as the profiler sees it.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import _harness as harness
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import lsr_core
from lsr_core import Split

# Where the two factors stand among the arguments of a product.
PRODUCTS = {"mm": (0, 1), "bmm": (0, 1), "addmm": (1, 2), "addmm_": (1, 2), "baddbmm": (1, 2), "baddbmm_": (1, 2)}
SMALL = 1e6  # operations below which a product is not made of arithmetic
Shape = tuple[tuple[int, ...], bool, tuple[int, ...], bool]


class Watch(TorchDispatchMode):
    """Counts the matrix products by shapes and by which factors come transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[Shape] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        where = PRODUCTS.get(function.overloadpacket.__name__)
        if where is not None:
            left, right = (args[position] for position in where)
            self.seen[tuple(left.shape), transposed(left), tuple(right.shape), transposed(right)] += 1
        return function(*args, **(kwargs or {}))


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--rank", type=int, default=1000)
    parser.add_argument("--points", type=int, default=8_000)
    parser.add_argument("--row-points", type=int, default=1_500, help="points of the phases by row blocks")
    options = parser.parse_args()
    harness.begin(options)
    machine = harness.Machine()
    rank, n_points, n_rows = (20, 500, 100) if options.quick else (options.rank, options.points, options.row_points)
    problem = lsr_core.load_problem("sine2d")
    points = problem.train.inputs[:n_points].double()

    factored = lsr_core.refine(problem, max_rank=rank, rank=rank, strategy="factored")
    few = dataclasses.replace(problem, train=Split(*(part[:100] for part in problem.train)), validation=None, test=None)
    rows = lsr_core.refine(few, max_rank=1, rank=1, strategy="row-blocks")
    operator = rows.setting.strategy.at(points[:n_rows])
    directions = torch.randn(operator.shape[1], rank, dtype=torch.float64)
    range_ = torch.randn(operator.shape[0], rank, dtype=torch.float64)
    phases: dict[str, Callable[[], Tensor]] = {
        "factored modes": lambda: factored.subspace.modes(points),
        "row blocks J Ω": lambda: operator.matmat(directions),
        "row blocks Jᵀ Q": lambda: operator.rmatmat(range_),
    }
    results = {name: measure(name, phase, options.repeats) for name, phase in phases.items()}
    square = torch.randn(2048, 2048, dtype=torch.float64)
    line = {
        "benchmark": "gemm",
        "rank": rank,
        "points": n_points,
        "row_points": n_rows,
        "repeats": options.repeats,
        "square_2048_gflops": 2 * 2048**3 / harness.gemm_seconds(square, square) / 1e9,
        "phases": results,
        "smallest_share": min(result["share"] for result in results.values()),
    }
    harness.emit({**line, "machine": machine.report()})


def measure(name: str, phase: Callable[[], Tensor], repeats: int) -> harness.Outcome:
    """Phase and bare products in turn, so that both see the same machine."""
    with Watch() as watch:
        phase()
    shapes = watch.seen
    wall: list[float] = []
    bare: list[float] = []
    inside: list[float] = []
    for _ in range(repeats):
        wall.append(harness.timed(lambda: {"done": len(phase())})["seconds"])
        bare.append(sum(count * alone(shape) for shape, count in shapes.items()))
        inside.append(profiled(phase))
        harness.note(f"{name}: {wall[-1]:.2f} s, its products alone {bare[-1]:.2f} s, in the phase {inside[-1]:.2f} s")
    operations = sum(count * flops(shape) for shape, count in shapes.items())
    middle = {key: sorted(values)[len(values) // 2] for key, values in (("wall", wall), ("bare", bare), ("in", inside))}
    return {
        "seconds": middle["wall"],
        "bare_seconds": middle["bare"],
        "gflop": operations / 1e9,
        "gflops": operations / middle["wall"] / 1e9,
        "bare_gflops": operations / middle["bare"] / 1e9,
        "share": ratio(bare, wall),
        "inside": ratio(bare, inside),
    }


def ratio(tops: Iterable[float], bottoms: Iterable[float]) -> float:
    """The median of the ratios of neighbours."""
    ratios = sorted(top / bottom if bottom else math.nan for top, bottom in zip(tops, bottoms, strict=True))
    return ratios[len(ratios) // 2]


def profiled(phase: Callable[[], Tensor]) -> float:
    """Seconds that the products take inside the phase."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        phase()
    names = {f"aten::{name}" for name in PRODUCTS}
    return sum(entry.self_cpu_time_total for entry in profile.key_averages() if entry.key in names) / 1e6


def alone(shape: Shape) -> float:
    """Seconds of one product of this shape; stacks of products by their first."""
    left, left_t, right, right_t = shape
    stack = left[0] if len(left) == 3 else 1
    a, b = made(left[-2:], left_t), made(right[-2:], right_t)
    big = flops(shape) > SMALL
    return stack * harness.gemm_seconds(a, b, repeats=1, at_least=0.05 if big else 0.001)


def made(shape: tuple[int, ...], is_transposed: bool) -> Tensor:
    return torch.randn(shape[::-1], dtype=torch.float64).T if is_transposed else torch.randn(shape, dtype=torch.float64)


def flops(shape: Shape) -> float:
    left, _, right, _ = shape
    return 2.0 * math.prod(left) * right[-1]


def transposed(matrix: Tensor) -> bool:
    return matrix.ndim == 2 and matrix.stride(0) == 1 and matrix.stride(1) != 1


if __name__ == "__main__":
    main()
