"""The verdict on forty small equations whose answer is known: a field wrong by more than 10 % is never recommended, and what is the matter is named.

python benchmarks/equations_verdict.py [--only KIND] [--half tuned|unseen]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter

from _forty import Case, forty
from _typed import field_error

from lsr_core.diagnosis.verdict import verdict_of
from lsr_core.refinement.refine import refine

WRONG = 0.1
COUNTED = ("problems", "named rightly", "wrong field recommended")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", help="a kind")
    parser.add_argument("--half", choices=["tuned", "unseen"])
    arguments = parser.parse_args()
    counts: dict[str, Counter[str]] = {}
    for case in forty(arguments.only):
        if arguments.half is None or case.tuned == (arguments.half == "tuned"):
            found = judged(case)
            for group in (case.kind, "looked at" if case.tuned else "not looked at", "all"):
                counts.setdefault(group, Counter()).update(found)
    for group, count in counts.items():
        print(f"{group:20} " + "  ".join(f"{what} {count[what]}" for what in COUNTED))
    print(json.dumps({group: dict(count) for group, count in counts.items()}))


def judged(case: Case) -> dict[str, int]:
    began = time.process_time()
    refinement = refine(case.problem, **case.settings)
    verdict = verdict_of(refinement)
    error = field_error(case.problem, refinement.predictor, case.truth)
    # a field that turned out right may be called so, whatever it was built for
    right = verdict.limit in case.limits or (verdict.use and error <= WRONG)
    bad = verdict.use and error > WRONG
    mark = "" if right else "  <-- misnamed"
    print(
        f"{case.kind:18} {case.index} {case.name:40} error {error:8.1e}  {verdict.limit:13} use {verdict.use!s:5} "
        f"{time.process_time() - began:5.1f} s{'  <-- RECOMMENDED' if bad else mark}",
        flush=True,
    )
    return {"problems": 1, "named rightly": int(right and not bad), "wrong field recommended": int(bad)}


if __name__ == "__main__":
    main()
