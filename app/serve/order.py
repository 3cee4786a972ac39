"""What the command line tells the server it starts, and the line by which the server knows that the command line is there.

The order goes through the server's standard input, so that neither its arguments nor its environment, which workers inherit, hold the
token. The input stays open; its end means that whoever started the server is gone, however that came about.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import IO, Any


@dataclass(frozen=True)
class Order:
    """Where to listen, under which other addresses browsers come, and the token they need, if any."""

    host: str
    port: int
    token: str | None = None
    origins: list[str] = field(default_factory=list)

    @property
    def shared(self) -> bool:
        """Whether others than those at this machine are meant to come."""
        return bool(self.origins) or not is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def start(order: Order, environment: Mapping[str, str], **streams: Any) -> subprocess.Popen[bytes]:
    """Start a server. Modules that lie in the working folder are not taken for those of the product."""
    command = [sys.executable, "-P", "-m", "lsr_app.serve"]
    safe = {**environment, "PYTHONSAFEPATH": "1"}  # and not for those of its workers either
    server = subprocess.Popen(command, env=safe, stdin=subprocess.PIPE, **streams)
    assert server.stdin is not None
    try:
        server.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        server.stdin.flush()
    except BrokenPipeError:
        pass  # it has ended already, which whoever waits for it sees
    return server


def read(stream: IO[bytes]) -> Order:
    """In the server: the order."""
    return Order(**json.loads(stream.readline(2**16)))
