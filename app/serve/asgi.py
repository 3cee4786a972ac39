"""The words of the interface between server and application, and how a request is answered without Streamlit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
COMMON = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
PAGE = "<!doctype html><meta charset=utf-8><title>LSR Explorer</title>"


def headers_of(scope: Scope) -> list[Header]:
    found: list[Header] = scope.get("headers", [])
    return found


def values(scope: Scope, name: bytes) -> list[str]:
    """All values of a header, as they came."""
    return [value.decode("latin-1") for key, value in headers_of(scope) if key == name]


def address(scope: Scope) -> str:
    """Address of the other side; '' where there is none."""
    return str((scope.get("client") or ("",))[0])


async def reply(send: Send, status: int, body: str, headers: list[Header] | None = None) -> None:
    """A short page of our own."""
    policy = {"content-security-policy": NOTHING.removesuffix("; sandbox"), "cache-control": "no-store"}
    named = {**COMMON, **policy, "content-type": "text/html; charset=utf-8", "content-length": str(len(body.encode()))}
    sent = [*((key.encode(), value.encode()) for key, value in named.items()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body.encode()})


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, body: str, headers: list[Header] | None = None
) -> None:
    """The same to a request, or to the handshake of a WebSocket before it is accepted."""
    if scope["type"] == "http":
        await reply(send, status, body, headers)
        return
    await receive()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})  # HTTP 403
        return
    sent = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store"), *(headers or [])]
    await send({"type": "websocket.http.response.start", "status": status, "headers": sent})
    await send({"type": "websocket.http.response.body", "body": body.encode()})
