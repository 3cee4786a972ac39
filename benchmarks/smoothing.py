"""What a smoothing adds to a refinement, on sine2d at rank 1000: one JSON line.

    python benchmarks/smoothing.py [--repeats 5] [--rank 1000] --threads 1

The same call of `lsr_core.refine` with `regularise` none and auto in turn, in one process. `extra` is what auto takes beyond none, over none, by
the work of the process (`cpu_extra`) and by the clock.
"""

from __future__ import annotations

import _harness as harness

import lsr_core


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--rank", type=int, default=1000)
    options = parser.parse_args()
    harness.begin(options)
    machine = harness.Machine()
    rank = min(options.rank, 60) if options.quick else options.rank
    problem = lsr_core.load_problem("sine2d")

    def contender(rule: str) -> harness.Contender:
        return lambda: harness.refined(problem, max_rank=rank, regularise=rule)[1]

    rules = {rule: contender(rule) for rule in ("none", "auto")}
    for contend in rules.values():
        contend()  # libraries are loaded before the clock runs
    results = {name: harness.medians(found) for name, found in harness.alternate(rules, options.repeats).items()}
    none, auto = results["none"], results["auto"]
    harness.emit(
        {
            "benchmark": "smoothing",
            "rank": rank,
            "repeats": options.repeats,
            **results,
            "extra": auto["seconds"] / none["seconds"] - 1,
            "cpu_extra": auto["cpu_seconds"] / none["cpu_seconds"] - 1,
            "machine": machine.report(),
        }
    )


if __name__ == "__main__":
    main()
