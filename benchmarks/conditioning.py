"""The convex race and the isolation on sine2d at rank 1000: one JSON line.

    python benchmarks/conditioning.py [--rank 1000] [--iterations 5000] [--dtype float64] [--strategy auto] [--isolate]

For every method: best loss over the floor of the direct solve, where it came within twice the floor, products and seconds. `claims`
answers what the lab promises: how far the best Adam and L-BFGS stay above the floor in original coordinates, and after how many
iterations they are within twice of it in whitened ones.
"""

from __future__ import annotations

from typing import Any

import _harness as harness

import lsr_core
from lsr_core import RefineConfig
from lsr_core.lab.isolation import IsolationSettings, isolate
from lsr_core.lab.race import RaceSettings, race
from lsr_core.lab.records import MethodRecord, RaceRecord


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--rank", type=int, default=1000)
    parser.add_argument("--iterations", type=int, default=5000)
    parser.add_argument("--dtype", default="both", help="float64, float32 or both")
    parser.add_argument(
        "--strategy", default="auto", help="auto, factored or row-blocks: where the subspace comes from"
    )
    parser.add_argument("--isolate", action="store_true", help="the isolation too")
    options = parser.parse_args()
    harness.begin(options)
    rank, iterations = (20, 50) if options.quick else (options.rank, options.iterations)
    machine = harness.Machine()
    problem = lsr_core.load_problem("sine2d")
    config = RefineConfig(max_rank=rank, strategy=options.strategy)
    record = race(
        problem, config, RaceSettings(iterations=iterations, dtype=options.dtype), on_record=lambda record: told(record)
    )
    line: dict[str, Any] = {
        "benchmark": "conditioning",
        "rank": rank,
        "iterations": iterations,
        "strategy": options.strategy,
        "base_loss": record.base_loss,
        "floor": record.floor,
        "condition_number": record.condition_number,
        "seconds": record.seconds,
        "methods": {f"{m.name}, {m.dtype}, {m.coordinates}": figures(m) for m in record.methods},
        "claims": claims(record),
    }
    if options.isolate:
        found = isolate(problem, config, IsolationSettings(iterations=5 if options.quick else 100))
        line["isolation"] = {
            contender.name: {
                "dimension": contender.dimension,
                "test_relative_l2": contender.errors.test,
                "seconds": contender.seconds,
            }
            for contender in found.contenders
        }
    harness.emit({**line, "machine": machine.report()})


def told(record: RaceRecord) -> None:
    if record.methods:
        last = record.methods[-1]
        harness.note(f"{last.name}, {last.dtype}, {last.coordinates}: {harness.shown(figures(last))}")


def figures(method: MethodRecord) -> harness.Outcome:
    return {
        "times_floor": method.times_floor,
        "within_twice_at": within_twice(method),
        "iterations": method.iterations,
        "products": method.products,
        "seconds": method.seconds,
        "settings": method.settings,
    }


def within_twice(method: MethodRecord) -> int | None:
    """First recorded iteration at which the loss is at most twice the floor."""
    if method.times_floor is None:
        return None
    floor = method.best_loss / method.times_floor
    pairs = zip(method.curve.iterations, method.curve.losses, strict=True)
    return next((iteration for iteration, loss in pairs if loss <= 2 * floor), None)


def claims(record: RaceRecord) -> harness.Outcome:
    found: harness.Outcome = {}
    for method in record.methods:
        if method.dtype == "float64" and method.name in ("adam", "lbfgs"):
            key = "times_floor" if method.coordinates == "original" else "within_twice_at"
            found[f"{method.name} {method.coordinates} {key}"] = figures(method)[key]
    return found


if __name__ == "__main__":
    main()
