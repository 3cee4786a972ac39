"""The verdict on 108 problems whose limit is known: named rightly, agreed with by the run's own numbers, and the same at other loads.

python benchmarks/verdict.py [--only KIND] [--half tuned|unseen] [--repeat 3]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from _labelled import Labelled, labelled
from _sixty import Known, noise_free_error, sixty
from _statements import contradictions
from _typed import field_error

from lsr_core.diagnosis.loss_path import loss_paths
from lsr_core.diagnosis.verdict import verdict_of
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.summary import Verdict

WRONG = 0.1  # relative error of a field that nobody may be told to use
SPIN = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="a limit of the 48, or a kind of the 60")
    parser.add_argument("--half", choices=["tuned", "unseen"])
    parser.add_argument(
        "--repeat", type=int, default=3, help="verdicts of each problem; the second one beside a process that spins"
    )
    arguments = parser.parse_args()
    counts: dict[str, Counter[str]] = {}
    for case in cases(arguments.only):
        if arguments.half is None or case.tuned == (arguments.half == "tuned"):
            found = judged(case, arguments.repeat)
            for group in (
                case.kind,
                "the 48" if case.old else "the 60",
                "looked at" if case.tuned else "not looked at",
                "all",
            ):
                counts.setdefault(group, Counter()).update(found)
    for group, found in counts.items():
        print(f"{group:16} " + "  ".join(f"{what} {found[what]}" for what in ("problems", *COUNTED)))
    print(json.dumps({group: dict(found) for group, found in counts.items()}))


COUNTED = ("rightly named", "contradicted", "wrong field recommended", "another verdict when repeated", "recommended")
OLD: dict[str, frozenset[str]] = {"nonconvexity": frozenset({"nonconvexity", "units"})}


class Case:
    """A problem of either set in one form."""

    def __init__(self, source: Labelled | Known) -> None:
        self.old = isinstance(source, Labelled)
        self.source = source
        self.kind = source.limit if isinstance(source, Labelled) else source.kind
        self.index, self.tuned = source.index, source.tuned
        self.problem, self.settings = source.problem, source.settings

    def rightly(self, found: Verdict) -> bool:
        if isinstance(self.source, Labelled):
            return found.limit in OLD.get(self.source.limit, frozenset({self.source.limit}))
        units = [item.numbers for item in found.evidence if item.name == "idle_units"]
        names = {item.name for item in found.evidence}
        counted = all(any(numbers[name] == count for numbers in units) for name, count in self.source.counts.items())
        return found.limit in self.source.limits and self.source.needs <= names and counted

    def error(self, refinement: Refinement) -> float | None:
        """Of the refined field against a truth that the run has not seen."""
        if isinstance(self.source, Labelled):
            return None
        if self.source.truth is not None:
            assert isinstance(self.problem, PhysicsProblem)
            return field_error(self.problem, refinement.predictor, self.source.truth)
        return noise_free_error(self.source, refinement.predictor)


def cases(only: str | None) -> Iterator[Case]:
    for known in sixty((only,) if only else None):
        yield Case(known)
    for case in labelled((only,) if only else None):  # type: ignore[arg-type]
        yield Case(case)


def judged(case: Case, repeat: int) -> Counter[str]:
    """Refine and judge a problem a few times, and print what was found."""
    started = time.process_time()
    verdicts = []
    refinement: Refinement | None = None
    for number in range(repeat):
        with spinning(number % 2):
            refinement = refine(case.problem, progress=lambda stage, fraction: None, **case.settings)
            verdicts.append(verdict_of(refinement, loss_paths(refinement)))
    assert refinement is not None
    found, error = verdicts[-1], case.error(refinement)
    against = contradictions(found, refinement)
    wrongly_used = found.use and error is not None and error > WRONG
    same = len({(one.limit, one.confidence, one.sentence, one.advice, one.use) for one in verdicts}) == 1
    print(
        f"{case.kind:14} {case.index:2} {'' if case.rightly(found) else 'NOT '}-> {found.limit} ({found.confidence})"
        f"{', use' if found.use else ''}{'' if error is None else f', error {error:.1e}'}{'' if same else ', NOT REPEATED'}  "
        f"{time.process_time() - started:.1f} CPU-s  "
        + "; ".join(f"{item.name} {item.value:.3g}" for item in found.evidence)
        + "".join(f"\n    AGAINST: {words}" for words in against),
        flush=True,
    )
    return Counter({
        "problems": 1, "rightly named": case.rightly(found), "contradicted": bool(against), "wrong field recommended": wrongly_used,
        "another verdict when repeated": not same, "recommended": found.use,
    })  # fmt: skip


@contextmanager
def spinning(count: int) -> Iterator[None]:
    """Other processes that keep the cores busy meanwhile."""
    busy = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
