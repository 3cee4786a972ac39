"""The README's examples run as they are printed, and its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs_and_refines() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    rank, base, refined = done.stdout.split()
    assert int(rank) > 0
    assert float(refined) < 1e-3 * float(base)


@pytest.mark.parametrize("command", ["dashboard", "samples", "refine", "iterate", "training", "runs", "path", "export"])
def test_the_commands_exist(command: str) -> None:
    assert f"`lsr {command}" in README
    done = subprocess.run(
        [sys.executable, "-m", "lsr_app", command, "--help"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
