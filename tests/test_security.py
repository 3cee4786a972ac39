"""SECURITY.md promises nothing without a test: what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
FILES = sorted(set(re.findall(r"`((?:tests/)?[\w/]*test_\w+\.py)`", TEXT)))
NAMES = sorted(set(re.findall(r"`(test_\w+)…?`", TEXT)))


def test_files_that_are_named_are_there() -> None:
    assert len(FILES) > 15
    missing = [name for name in FILES if not (ROOT / name).is_file() and not (ROOT / "tests/app" / name).is_file()]
    assert not missing


def test_tests_that_are_named_are_there() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(NAMES) > 25
    assert not [name for name in NAMES if f"def {name}" not in code]
