"""How a request is answered without Streamlit, and what is known of one."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

App = ASGIApp
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
__all__ = [
    "COMMON",
    "NOTHING",
    "PAGE",
    "App",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "address",
    "refuse",
    "reply",
    "values",
]


def values(scope: Scope, name: str) -> list[str]:
    """All values of a header, as they came."""
    return Headers(scope=scope).getlist(name)


def address(scope: Scope) -> str:
    """Address of the other side; '' where there is none."""
    return str((scope.get("client") or ("",))[0])


def reply(status: int, body: str, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """A short page of our own."""
    policy = {"content-security-policy": NOTHING.removesuffix("; sandbox"), "cache-control": "no-store"}
    return HTMLResponse(body, status, {**COMMON, **policy, **(headers or {})})


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, body: str, headers: Mapping[str, str] | None = None
) -> None:
    """The same to a request, or to the handshake of a WebSocket before it is accepted."""
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})  # HTTP 403
            return
    await reply(status, body, headers)(scope, receive, send)
