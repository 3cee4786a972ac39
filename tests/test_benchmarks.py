"""Every table of figures names the command that makes it, and what is cheap of these commands is seen to run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("performance.md", "results.md")
TABLE = re.compile(r"^\|[-| ]+\|$", re.MULTILINE)
SCRIPT = re.compile(r"benchmarks[/.](\w+)")
COMMAND = re.compile(r"\blsr \w+ [\w-]+")
QUICK = (
    ["laplacian", "--no-memory"], ["sine2d", "--no-memory"], ["sweep"], ["gemm"], ["recipe"], ["conditioning"]
)  # fmt: skip
NAMES = re.compile(r"In its line [^.]*?are ((?:[^.`]|`[^`]*`)*)\.")


def sections() -> list[tuple[str, str]]:
    texts = {page: (ROOT / "docs" / page).read_text(encoding="utf-8") for page in PAGES}
    return [
        (f"{page}: {part.splitlines()[0]}", part) for page, text in texts.items() for part in text.split("\n## ")[1:]
    ]


def test_every_table_of_figures_names_a_command() -> None:
    with_tables = {name: part for name, part in sections() if TABLE.search(part)}
    assert len(with_tables) > 12
    assert [name for name, part in with_tables.items() if not SCRIPT.search(part) and not COMMAND.search(part)] == []


def test_scripts_that_are_named_are_there() -> None:
    named = {script for _, part in sections() for script in SCRIPT.findall(part)}
    assert len(named) > 15
    here = ROOT / "benchmarks"
    assert [name for name in named if not (here / f"{name}.py").is_file() and not (here / name).is_dir()] == []


@pytest.mark.slow
@pytest.mark.parametrize("script", QUICK, ids=lambda script: script[0])
def test_a_benchmark_runs_to_its_line(script: list[str]) -> None:
    """In tiny sizes; such scripts are called by nothing else, and one had long asked for what was gone."""
    name, *more = script
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / f"{name}.py"),
        "--quick",
        "--repeats",
        "1",
        "--threads",
        "1",
        *more,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    line = json.loads(done.stdout.splitlines()[-1])
    assert line["benchmark"] == name
    for key in names_in_the_page(name):
        assert f"'{key}'" in str(line)


def names_in_the_page(script: str) -> list[str]:
    """What the page says that the rows of its table are called in the line of a script."""
    told = [NAMES.search(part) for name, part in sections() if f"benchmarks/{script}.py" in part]
    return [key for found in told if found for key in re.findall(r"`(\w+)`", found[1])]
