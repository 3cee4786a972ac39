"""Run in a network namespace of its own: starts dashboards, uses them, and prints as JSON how many packets wanted to leave.

The only way out is an interface that leads nowhere, on which all packets are counted; so are questions to a name server on this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tests.app.serving import Shared, start

AWAY, NAMES, ALL = "10.99.0.1", 53, 0x0003


def way_out() -> int:
    """Make an interface that all packets for elsewhere take; they are read from the file that is returned."""
    file = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(file, 0x400454CA, struct.pack("16sH22x", b"away", 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI
    for line in (
        "link set lo up",
        "link set away addrgenmode none",
        f"addr add {AWAY}/24 dev away",
        "link set away up",
        "route add default via 10.99.0.254",
    ):
        subprocess.run(["ip", *line.split()], check=True)
    return file


class Counter:
    """Packets that go elsewhere, and those on this machine that ask for a name."""

    def __init__(self) -> None:
        self.left = 0
        self.packets: list[str] = []
        self._out = way_out()
        self._inside = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL))  # type: ignore[attr-defined]
        for watch in (self._watch_out, self._watch_names):
            threading.Thread(target=watch, daemon=True).start()

    def _watch_out(self) -> None:
        while data := os.read(self._out, 2**16):
            self.left += 1
            self.packets.append(data[:40].hex())

    def _watch_names(self) -> None:
        while True:
            data, (interface, protocol, *_) = self._inside.recvfrom(2**16)
            header = (data[0] & 15) * 4 if protocol == 0x0800 else 40
            self.left += interface == "lo" and data[header + 2 : header + 4] == NAMES.to_bytes(2, "big")


def ask_for_a_name() -> None:
    with contextlib.suppress(OSError):
        socket.getaddrinfo("checkip.amazonaws.com", 80)


def use(opened: Shared) -> list[float]:
    """A visit, a page that is drawn, and handshakes that are refused; the seconds of each of these."""
    from websockets.sync.client import connect

    from benchmarks._attackers import new_cookie, run_page, session

    cookie = "" if not opened.token else opened.cookie
    assert opened.ask("/", Cookie=cookie)[0] == 200
    for path in ("/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/auth/login"):
        opened.ask(path, Cookie=cookie, Origin=f"http://127.0.0.1:{opened.port}")

    async def draw() -> None:
        async with session(opened.port, new_cookie(), cookie) as page:
            await run_page(page)
            await run_page(page, "lr=1")

    asyncio.run(draw())
    seconds = []
    own = f"127.0.0.1:{opened.port}"
    for headers in (
        {"Origin": "http://elsewhere.example"}, {"Origin": f"http://127.0.0.1:{opened.port + 1}"}, {"Origin": "null"},
        {"Host": "rebound.example", "Origin": "http://rebound.example"}, {"Host": f"{AWAY}:{opened.port}", "Origin": f"http://{AWAY}:{opened.port}"},
    ):  # fmt: skip
        begun = time.perf_counter()
        assert opened.ask("/", Cookie=cookie, **headers)[0] in (400, 403)
        seconds.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        asked = {"Cookie": cookie, **{name: value for name, value in headers.items() if name == "Origin"}}
        with pytest.raises(Exception, match="403"):
            connect(f"ws://{own}/_stcore/stream", additional_headers=asked, open_timeout=20)
        seconds.append(time.perf_counter() - begun)
    return seconds


def main() -> None:
    counter = Counter()
    seconds: list[float] = []
    for options in (("--host", "127.0.0.1"), ("--no-auth",), ()):
        with tempfile.TemporaryDirectory() as home:
            folder = Path(home) / ".streamlit"
            folder.mkdir()
            (folder / "config.toml").write_text(
                '[browser]\ngatherUsageStats = true\n[theme]\nbase = "http://192.0.2.1/t.toml"\n'
            )
            for opened in start(Path(home), *options, environment={"HOME": home}):
                seconds += use(opened)
    time.sleep(0.5)
    left = counter.left
    # What is counted is seen to be counted.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.sendto(b"x", ("192.0.2.1", 9))
    ask = threading.Thread(target=ask_for_a_name, daemon=True)
    ask.start()
    time.sleep(0.5)
    told = {"left": left, "seen": counter.left - left, "slowest": max(seconds), "median": statistics.median(seconds)}
    print(json.dumps({**told, "packets": counter.packets[:left]}))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
