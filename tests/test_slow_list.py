"""The list of slow tests names tests that are there, and is made from what pytest prints."""

from __future__ import annotations

from pathlib import Path

from tests import slow

ROOT = Path(__file__).parents[1]
REPORT = """
============ slowest durations ============
12.10s call     tests/core/test_a.py::test_one[a b, c]
9.00s setup    tests/core/test_a.py::test_two
2.30s call     tests/core/test_a.py::Test::test_two
1.10s call     tests/core/test_a.py::test_three
32.00s call     tests/browser/test_b.py::test_journey
3 failed, 4 passed in 20.00s
"""


def test_it_is_what_took_longer_than_that() -> None:
    assert slow.slow(REPORT.splitlines()) == [
        "tests/core/test_a.py::Test::test_two",
        "tests/core/test_a.py::test_one[a b, c]",
    ]
    assert slow.slow(REPORT.splitlines(), unit=2.0) == ["tests/core/test_a.py::test_one[a b, c]"]


def test_every_name_is_that_of_a_test() -> None:
    gone = []
    for name in slow.LISTED.read_text(encoding="utf-8").splitlines():
        path, *_, test = name.split("[")[0].split("::")
        if f"def {test}(" not in (ROOT / path).read_text(encoding="utf-8"):
            gone.append(name)
    assert gone == []
