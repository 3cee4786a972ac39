"""From nothing but the page to a refined field, by the script that times it: an equation on an L with a hole, typed, and a flow from scratch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Server

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "newcomer.py"
SECONDS = 1500

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("way", "largest"),
    [("holed", [1e-6]), ("cavity", [0.02, 0.02, 0.1])],  # of u, v and p of the flow, whose pressure is the hardest
    ids=["an L with a hole", "the flow under a lid"],
)
def test_somebody_new_comes_to_the_right_field(
    way: str, largest: list[float], browser: Browser, server: Server
) -> None:
    command = [sys.executable, str(SCRIPT), "--way", way, "--url", server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert len(told["relative_l2_by_output"]) == len(largest)
    assert all(error < most for error, most in zip(told["relative_l2_by_output"], largest, strict=True)), told
    assert "Traceback" not in server.log.read_text(encoding="utf-8", errors="replace")
