"""Faults put into the solves and the residuals one at a time, and whether a test notices.

    OMP_NUM_THREADS=1 python -m tests.mutants [--sample 100] [--seed 0] [--only lsr_core/linalg/ridge.py] [--named]

Tests are collected once, and watched once to see which of them reach which line. For each fault a fork takes on the faulty code and
runs the tests that reach its line, the quickest first, until one fails. Prints a line for each fault that none noticed, but for those
that `harmless` explains, then one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants.harmless import HARMLESS
from tests.mutants.mutate import Mutant, mutants
from tests.mutants.named import NAMED
from tests.mutants.targets import TARGETS
from tests.mutants.trying import Fault, Trying

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """1 if a fault known by name was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="so many faults, drawn at random; all if not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="faults of this file")
    parser.add_argument("--named", action="store_true", help="only the faults known by name")
    given = parser.parse_args()
    known = [] if given.only else list(named())
    chosen = [] if given.named else drawn(given.only, given.sample, given.seed)
    started, trying = time.monotonic(), Trying([*known, *chosen], sys.stdout)
    tests = dict.fromkeys(test for fault in trying.faults for test in fault.tests)
    pytest.main(
        ["-s", "-o", "addopts=", "-p", "no:terminal", "-p", "no:cacheprovider", *(str(ROOT / test) for test in tests)],
        [trying],
    )
    found = {"faults": len(trying.faults), "noticed": len(trying.noticed)}
    print(json.dumps({**found, "seconds": round(time.monotonic() - started)}))
    return 1 if set(known) - trying.noticed else 0


def named() -> Iterator[Fault]:
    """The faults known by name, each in the one file that has its line."""
    sources = {path: path.read_text() for path in sorted((ROOT / "lsr_core").rglob("*.py"))}
    for fault in NAMED:
        homes = [path for path, source in sources.items() if fault.was in source]
        if len(homes) != 1:
            raise SystemExit(f"{fault.name}: {len(homes)} files have the line {fault.was!r}; name the one it is now")
        source = sources[homes[0]]
        line = source[: source.index(fault.was)].count("\n") + 1
        yield Fault(fault.name, homes[0], line, source.replace(fault.was, fault.becomes), fault.tests)


def explained(name: str, one: Mutant) -> bool:
    line = (ROOT / name).read_text().splitlines()[one.line - 1]
    return any(known.covers(name, line, one.fault) for known in HARMLESS)


def drawn(only: str | None, sample: int | None, seed: int) -> list[Fault]:
    """Faults of the modules that are listed."""
    found = [
        Fault(f"{name}:{one.line} {one.fault}", ROOT / name, one.line, one.source, tests)
        for name, tests in TARGETS.items()
        if only in (None, name)
        for one in mutants((ROOT / name).read_text())
        if not explained(name, one)
    ]
    if sample is not None and sample < len(found):
        found = random.Random(seed).sample(found, sample)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
