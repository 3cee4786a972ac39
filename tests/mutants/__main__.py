"""Faults put into the solves and the residuals one at a time, and whether a test notices.

    OMP_NUM_THREADS=1 python -m tests.mutants [--sample 100] [--seed 0] [--only lsr_core/linalg/ridge.py] [--named]

A process that has the libraries loaded, and nothing of this project, forks for each fault; the fork imports the faulty module and runs the
module's tests until the first fails. Prints a line for each fault that none noticed, then one line of JSON.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.machinery
import json
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutants.mutate import mutants
from tests.mutants.named import NAMED
from tests.mutants.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("torch", "torch.func", "numpy", "scipy.linalg", "pydantic", "safetensors.torch")
LONGEST_SECONDS = 1800.0
TIMES_AS_LONG = 6  # as without a fault: what takes longer does not end
Fault = tuple[str, Path, str, tuple[str, ...]]  # words, file, source with the fault, tests


def main() -> int:
    """1 if a fault known by name was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="so many faults, drawn at random; all if not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="faults of this file")
    parser.add_argument("--named", action="store_true", help="only the faults known by name")
    given = parser.parse_args()
    for library in LIBRARIES:
        importlib.import_module(library)
    known = [] if given.only else list(named())
    chosen = [] if given.named else drawn(given.only, given.sample, given.seed)
    started, left, missed = time.monotonic(), [], 0
    usual = {tests: seconds_of(tests) for tests in dict.fromkeys(tests for *_, tests in (*known, *chosen))}
    for place, (words, path, source, tests) in enumerate([*known, *chosen]):
        if not noticed(path, source, tests, 10 + TIMES_AS_LONG * usual[tests]):
            left.append(words)
            missed += place < len(known)
            print("not noticed:", words, flush=True)
    total = len(known) + len(chosen)
    print(json.dumps({"faults": total, "noticed": total - len(left), "seconds": round(time.monotonic() - started)}))
    return 1 if missed else 0


def named() -> Iterator[Fault]:
    """The faults known by name, each in the one file that has its line."""
    sources = {path: path.read_text() for path in sorted((ROOT / "lsr_core").rglob("*.py"))}
    for fault in NAMED:
        homes = [path for path, source in sources.items() if fault.was in source]
        if len(homes) != 1:
            raise SystemExit(f"{fault.name}: {len(homes)} files have the line {fault.was!r}; name the one it is now")
        yield fault.name, homes[0], sources[homes[0]].replace(fault.was, fault.becomes), fault.tests


def drawn(only: str | None, sample: int | None, seed: int) -> list[Fault]:
    """Faults of the modules that are listed."""
    found = [
        (f"{name}:{one.line} {one.fault}", ROOT / name, one.source, tests)
        for name, tests in TARGETS.items()
        if only in (None, name)
        for one in mutants((ROOT / name).read_text())
    ]
    if sample is not None and sample < len(found):
        found = random.Random(seed).sample(found, sample)
    return found


def seconds_of(tests: Sequence[str]) -> float:
    """What the tests take without a fault."""
    began = time.monotonic()
    if noticed(ROOT / "none", "", tests):
        raise SystemExit(f"without any fault the tests do not pass: {' '.join(tests)}")
    return time.monotonic() - began


def noticed(path: Path, source: str, tests: Sequence[str], longest: float = LONGEST_SECONDS) -> bool:
    """Whether the tests fail, or take for ever, with this source in place of the file's."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = _tested(path, source, tests)
        finally:
            os._exit(code)
    ends = time.monotonic() + longest
    while time.monotonic() < ends:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status != 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _tested(path: Path, source: str, tests: Sequence[str]) -> int:
    import pytest

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    given = importlib.machinery.SourceFileLoader.get_code

    def faulty(self: importlib.machinery.SourceFileLoader, name: str) -> object:
        return compile(source, str(path), "exec") if Path(self.path) == path else given(self, name)

    importlib.machinery.SourceFileLoader.get_code = faulty  # type: ignore[method-assign, assignment]
    os.chdir(ROOT)
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))


if __name__ == "__main__":
    raise SystemExit(main())
