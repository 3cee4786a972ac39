"""A dashboard that `lsr dashboard` starts, and what it answers."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

BROWSER = "--browser"  # no option of the command: leaves out that no browser is opened
Answer = tuple[int, dict[str, list[str]], bytes]


@dataclass
class Shared:
    """A dashboard that listens on all addresses."""

    port: int
    said: str
    process: subprocess.Popen[bytes]
    log: Path
    address: str = "127.0.0.1"

    @property
    def token(self) -> str:
        (link,) = re.findall(r"http://\S+", self.said.splitlines()[-1])
        return parse_qs(urlsplit(link).query).get("token", [""])[0]

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self.address, self.port, timeout=20)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        named: dict[str, list[str]] = {}
        for name, value in response.getheaders():
            named.setdefault(name.lower(), []).append(value)
        body = response.read()
        connection.close()
        return response.status, named, body

    @property
    def cookie(self) -> str:
        _, headers, _ = self.ask(f"/?token={self.token}")
        return headers["set-cookie"][0].split(";")[0]


def start(
    home: Path,
    *options: str,
    address: str = "127.0.0.1",
    environment: dict[str, str] | None = None,
    python: Sequence[str] = ("-m", "lsr_app"),
) -> Iterator[Shared]:
    """Start one in `home` that listens on all addresses unless the options say otherwise; ends with the loop over it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *python, "dashboard", "--host", "0.0.0.0", "--port", str(port)]
    options = tuple(one for one in options if one != BROWSER) + (() if BROWSER in options else ("--no-browser",))
    log = home / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "--runs", str(home / "runs"), *options],
            cwd=home,
            stdout=stream,
            stderr=stream,
            env={**os.environ, **(environment or {})},
        )
    try:
        end = time.monotonic() + 60
        said = ""
        while time.monotonic() < end and process.poll() is None and "LSR Explorer: " not in said:
            time.sleep(0.1)
            said = log.read_text(errors="replace")
        assert process.poll() is None, said
        socket.create_connection((address, port), timeout=5).close()  # what is said to answer does
        own = (line for line in said.splitlines() if "0.0.0.0" in line or "LSR Explorer" in line)
        yield Shared(port, "\n".join(own), process, log, address)
    finally:
        process.terminate()
        process.wait(timeout=30)
