"""Requests to an ASGI application without a server."""

from __future__ import annotations

import asyncio
from typing import Any

Headers = dict[str, str]


def scope(
    headers: Headers, path: str = "/", kind: str = "http", method: str = "GET", at: str = "127.0.0.1"
) -> dict[str, Any]:
    """A request as uvicorn describes it, come to the address `at`."""
    return {
        "type": kind, "method": method, "path": path, "query_string": b"", "server": (at, 8501), "client": ("10.0.0.9", 1),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "scheme": "http", "extensions": {"websocket.http.response": {}},
    }  # fmt: skip


class Inner:
    """The application behind what is tested: counts, and holds each request until it may go."""

    def __init__(self) -> None:
        self.reached = 0
        self.go = asyncio.Event()
        self.got: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached += 1
        self.got.append(await receive())
        await self.go.wait()


async def ask(app: Any, asked: dict[str, Any], *messages: Any) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of the answer; 0 where the application behind was reached."""
    sent: list[Any] = []
    coming = iter(messages)

    async def receive() -> Any:
        return next(coming, {"type": "none"})

    async def send(message: Any) -> None:
        sent.append(message)

    await app(asked, receive, send)
    if not sent or "status" not in sent[0]:
        return 0, {}, ""
    headers = {name.decode().lower(): value.decode() for name, value in sent[0].get("headers", [])}
    return sent[0]["status"], headers, sent[1]["body"].decode()
