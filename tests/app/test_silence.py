"""No packet leaves this machine because of a dashboard: not at its start, not in use, not by a refused handshake, not at its end."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def own_network() -> list[str]:
    """How to run something in a network namespace of its own."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("unshare and ip are not here, which make a network of its own")
    for command in (["unshare", "--net"], ["unshare", "--net", "--user", "--map-root-user"]):
        tried = [*command, "ip", "tuntap", "add", "dev", "away", "mode", "tun"]
        if subprocess.run(tried, capture_output=True, check=False).returncode == 0:
            return command
    pytest.skip("this machine lets nobody have a network of their own")


@pytest.mark.slow
def test_no_packet_leaves() -> None:
    pytest.importorskip("websockets")
    command = [*own_network(), sys.executable, "-m", "tests.app.silence"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stderr
    print(result.stdout)
    told = json.loads(result.stdout.splitlines()[-1])
    assert told["seen"] > 0, "the counter counts nothing"
    assert told["left"] == 0, told["packets"]
