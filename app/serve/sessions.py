"""How many pages may be open, in all and of one visitor, and how fast new ones may come.

A session of Streamlit costs memory and three file descriptors, for two minutes longer than its page is open.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from lsr_app.serve.asgi import PAGE, App, Message, Receive, Scope, Send, address, refuse, values
from lsr_app.serve.limits import Bucket, Buckets, visitor

OF_VISITOR, OF_ADDRESS, IN_ALL = 12, 72, 96
AT_ONCE_OF_ADDRESS = 24  # a class; then one a second
SPARE = 32  # above that, for visitors who have a page open already
RETRY_SECONDS = 30
MESSAGES, MESSAGES_PER_SECOND = 300, 30.0
FULL = (
    "<p>This dashboard has as many pages open as it can serve: {count}{whose}. Try again in {seconds} seconds; "
    "this page does so by itself. A place becomes free when somebody closes a page.</p>"
)
BUSY = "<p>Pages are opened here faster than this dashboard can serve them. Try again in {seconds} seconds; this page does so by itself.</p>"
AGAIN = "<meta http-equiv=refresh content={seconds}>"


class Sessions:
    """Counts the WebSockets behind it; one too many is told when to come again, and so is the page that would open it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._open: Counter[str] = Counter()
        self._by_visitor = Buckets(OF_VISITOR, 0.25)
        self._by_address = Buckets(AT_ONCE_OF_ADDRESS, 1.0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http" and (why := self._why_no_page(scope)):
            await refuse(scope, receive, send, 503, *why)
        else:
            await self._app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        who = (visitor(scope), f"from {address(scope)}")
        if why := self._why_not(*who) or self._too_fast(*who):
            await refuse(scope, receive, send, 503, *why)
            return
        self._by_visitor.of(who[0]).take()
        self._by_address.of(who[1]).take()
        with self._counted(*who):
            await self._app(scope, _paced(receive, send), send)

    def _why_no_page(self, scope: Scope) -> tuple[str, dict[str, str]] | None:
        """A page that could open no session is not sent; only a browser asks for one like this."""
        path = scope["path"]
        if scope["method"] != "GET" or path.startswith(("/_stcore/", "/static/", "/media/", "/component/")):
            return None
        if "document" not in values(scope, "sec-fetch-dest"):
            return None
        return self._why_not(visitor(scope), f"from {address(scope)}")

    def _why_not(self, who: str, where: str) -> tuple[str, dict[str, str]] | None:
        spare = SPARE if self._open[who] else 0
        for name, most, whose in (
            (who, OF_VISITOR, " of yours"),
            (where, OF_ADDRESS + spare, " from your address"),
            ("all", IN_ALL + spare, ""),
        ):
            if self._open[name] >= most:
                return _later(FULL, RETRY_SECONDS, count=most, whose=whose)
        return None

    def _too_fast(self, who: str, where: str) -> tuple[str, dict[str, str]] | None:
        wait = max(self._by_visitor.of(who).wait(), 0.0 if self._open[who] else self._by_address.of(where).wait())
        return _later(BUSY, math.ceil(wait)) if wait > 0 else None

    @contextmanager
    def _counted(self, *names: str) -> Iterator[None]:
        for name in (*names, "all"):
            self._open[name] += 1
        try:
            yield
        finally:
            self._open.subtract((*names, "all"))
            self._open = +self._open  # forgets those who have none


def _later(sentence: str, seconds: int, **named: object) -> tuple[str, dict[str, str]]:
    body = PAGE + AGAIN.format(seconds=seconds) + sentence.format(seconds=seconds, **named)
    return body, {"retry-after": str(seconds)}


def _paced(receive: Receive, send: Send) -> Receive:
    """What comes, no faster than a hand moves a slider; text, which Streamlit does not speak, ends the connection."""
    bucket = Bucket(MESSAGES, MESSAGES_PER_SECOND)

    async def receiving() -> Message:
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        if message.get("bytes") is None:
            await send({"type": "websocket.close", "code": 1003})
            return {"type": "websocket.disconnect", "code": 1003}
        while not bucket.take():
            await asyncio.sleep(max(bucket.wait(), 0.01))
        return message

    return receiving
