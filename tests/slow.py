"""Writes the list of tests that CI leaves out, from what pytest says of their durations.

    LSR_ALL_TESTS=1 python -m pytest --durations=0 -n 2 --dist loadfile | tee log
    python -m tests.slow log [--seconds 2.5]

Only the tests themselves are counted: leaving one out does not save a fixture that others need.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path

LISTED = Path(__file__).with_name("slow.txt")
LINE = re.compile(r"\s*([\d.]+)s call\s+(tests/\S.*)$")


def slow(lines: Iterable[str], seconds: float) -> list[str]:
    """Names of the tests of pytest's report that took longer, sorted."""
    found = (LINE.match(line.rstrip("\n")) for line in lines)
    return sorted(match[2] for match in found if match and float(match[1]) > seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--seconds", type=float, default=2.5)
    given = parser.parse_args()
    found = slow(given.log.read_text(encoding="utf-8").splitlines(), given.seconds)
    LISTED.write_text("".join(f"{name}\n" for name in found), encoding="utf-8")
    print(f"{len(found)} tests took more than {given.seconds:g} s")


if __name__ == "__main__":
    main()
