"""Writes the list of tests that CI leaves out, from what pytest says of their durations.

    LSR_ALL_TESTS=1 python -m pytest --ignore tests/browser --durations=0 -n 2 --dist loadfile | tee tests.log
    LSR_ALL_TESTS=1 python -m pytest tests/browser --durations=0 | tee journeys.log
    python -m tests.slow tests.log journeys.log

Only the tests themselves are counted: leaving one out does not save a fixture that others need.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path

LISTED = Path(__file__).with_name("slow.txt")
LINE = re.compile(r"\s*([\d.]+)s call\s+(tests/\S.*)$")
SECONDS, JOURNEY_SECONDS = 1.2, 38.0  # a test, and one in a browser, may take in CI


def slow(lines: Iterable[str], unit: float = 1.0) -> list[str]:
    """Names of the tests of pytest's report that took longer, sorted.

    Args:
        unit: seconds of the report in a second of CI, on a machine that was slower or had other work.
    """
    found = (LINE.match(line.rstrip("\n")) for line in lines)
    return sorted({match[2] for match in found if match and float(match[1]) / unit > _allowed(match[2])})


def _allowed(name: str) -> float:
    return JOURNEY_SECONDS if name.startswith("tests/browser/") else SECONDS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=Path, nargs="+")
    parser.add_argument("--unit", type=float, default=1.0, help="how many times slower the machine was")
    given = parser.parse_args()
    lines = [line for log in given.logs for line in log.read_text(encoding="utf-8").splitlines()]
    found = slow(lines, given.unit)
    LISTED.write_text("".join(f"{name}\n" for name in found), encoding="utf-8")
    print(f"{len(found)} tests take longer than CI has for them")


if __name__ == "__main__":
    main()
