"""The log of cases from public threads says which test holds each; that test is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LOG = (TESTS / "foreign" / "CASES.md").read_text(encoding="utf-8")
PLACES = ("core/test_intake_{}.py", "core/test_{}.py", "app/test_{}.py", "core/{}.py", "{}/files.py")
HELD = sorted(set(re.findall(r"`([a-z_]+: [^`]+)`", LOG)))


def test_forty_threads_and_every_case() -> None:
    threads = re.findall(r"^\| [\w.-]+/[\w.-]+#\d+ \|", LOG, re.MULTILINE)
    assert len(set(threads)) >= 40
    rows = re.findall(r"^\|(?! ?-|-).*\|$", LOG, re.MULTILINE)
    assert all(row.count("|") in (4, 5) for row in rows)


@pytest.mark.parametrize("held", HELD)
def test_what_is_said_to_hold_a_case_is_there(held: str) -> None:
    file, _, words = held.partition(": ")
    found = [TESTS / place.format(file) for place in PLACES if (TESTS / place.format(file)).is_file()]
    assert found, held
    text = "".join(path.read_text(encoding="utf-8") for path in found).lower()
    if file == "zoo":
        text += (TESTS / "core" / "oddities.py").read_text(encoding="utf-8").lower()
    missing = [word for word in re.findall(r"[a-z0-9]+", words.lower()) if word not in text]
    assert not missing, (held, missing)
