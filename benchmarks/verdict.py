"""The verdict on problems whose limit is known: the confusion matrix, and that of the half no threshold was tuned on.

python benchmarks/verdict.py [--only LIMIT]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from typing import get_args

from _labelled import Labelled, labelled

from lsr_core.diagnosis.evidence import figures
from lsr_core.diagnosis.loss_path import loss_paths
from lsr_core.diagnosis.verdict import verdict_of
from lsr_core.refinement.refine import refine
from lsr_core.refinement.summary import Limit, Verdict

LIMITS: tuple[Limit, ...] = get_args(Limit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=LIMITS)
    only = parser.parse_args().only
    counts: dict[str, Counter[tuple[str, str]]] = {"all": Counter(), "not tuned on": Counter()}
    for case in labelled((only,) if only else None):
        started = time.perf_counter()
        found = judged(case)
        counts["all"][case.limit, found.limit] += 1
        if not case.tuned:
            counts["not tuned on"][case.limit, found.limit] += 1
        print(
            f"{case.problem.name:16} -> {found.limit:13} {found.confidence:.2f}  {time.perf_counter() - started:4.1f} s  "
            + "; ".join(f"{item.name} {item.value:.3g}" for item in found.evidence)
            + f"  {found.signatures}",
            flush=True,
        )
    for name, matrix in counts.items():
        right = sum(count for (truth, said), count in matrix.items() if truth == said)
        print(f"\n{name}: {right} of {matrix.total()} right; rows are the truth, columns the verdict")
        print(" " * 14 + "".join(f"{limit:>14}" for limit in LIMITS))
        for truth in LIMITS:
            print(f"{truth:14}" + "".join(f"{matrix[truth, said]:14d}" for said in LIMITS))
    print(json.dumps({name: [[t, s, n] for (t, s), n in sorted(matrix.items())] for name, matrix in counts.items()}))


def judged(case: Labelled) -> Verdict:
    refinement = refine(case.problem, progress=lambda stage, fraction: None, **case.settings)
    paths = loss_paths(refinement)
    known = figures(refinement, paths)
    print(
        f"    fitted {known.fitted:.3g}, held out {known.held_out:.3g}, degradation {known.degradation:.3g}, "
        f"base {known.base_error:.2e}, step {known.first_step}, weights {known.weight_rounding:.1e}"
    )
    return verdict_of(refinement, paths)


if __name__ == "__main__":
    main()
