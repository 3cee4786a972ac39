"""Public names, options, keys and formats are those that were announced; `python -m tests.contract` writes the list again."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import lsr_core
from tests.contract.listing import current
from tests.contract.snapshot import CHANGELOG, announced, difference, read

ROOT = Path(__file__).parents[1]


@pytest.mark.always
def test_nothing_that_users_build_on_changes_unannounced(tmp_path: Path) -> None:
    gone, new = difference(read(), current(tmp_path))
    changes = [*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)]
    assert changes == [], "announce it in CHANGELOG.md, then run: python -m tests.contract"


@pytest.mark.parametrize("part", ["names", "options", "settings", "files", "arrays", "json"])
def test_a_line_that_goes_or_comes_is_seen(part: str) -> None:
    kept = read()
    assert len(kept[part]) > 40
    without = {**kept, part: kept[part][1:]}
    assert difference(kept, without) == ([f"{part}: {kept[part][0]}"], [])
    assert difference(without, kept) == ([], [f"{part}: {kept[part][0]}"])


def test_what_goes_has_to_be_named_in_the_newest_part_of_the_changelog() -> None:
    line = "names: lsr_core.sweep"
    newest, older = ["# Changelog\n\n## 2.0.0\n\n- ", "\n\n## 1.0.0\n\n- `sweep`\n"]
    assert not announced(line, f"{newest}faster{older}")
    assert announced(line, f"{newest}`sweep` is gone, take `refine`{older}")
    assert not announced("names: lsr_core.sweep(0: problem)", f"{newest}`sweep` takes less{older}")
    assert announced("names: lsr_core.sweep(0: problem)", f"{newest}`sweep(problem)` is gone{older}")
    assert not announced("options: lsr refine --rcond", f"{newest}`--rank` is gone{older}")
    assert announced("options: lsr refine --rcond", f"{newest}`lsr refine --rcond` is gone{older}")


def test_every_public_name_is_there_and_described() -> None:
    assert sorted(lsr_core.__all__) == lsr_core.__all__
    for name in lsr_core.__all__:
        assert getattr(lsr_core, name).__doc__, name
    assert set(lsr_core.__all__) == {
        name for names in importlib.import_module("lsr_core")._HOMES.values() for name in names
    }


def test_the_version_is_the_newest_of_the_changelog_and_of_the_citation() -> None:
    headings = [line for line in CHANGELOG.read_text(encoding="utf-8").splitlines() if line.startswith("## ")]
    assert headings[0].split()[1] == lsr_core.__version__
    assert f"version: {lsr_core.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
