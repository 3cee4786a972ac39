"""Connections: how long one may take to say what it wants, and how many may be there.

One that owes a complete header is worth nothing yet, so it never keeps another out: when there are too many, the one that has waited
longest goes, of the address that has most. A browser sends its header with the first packet and is out of this before others come;
on a busy machine its process may wait for its turn between the two, hence as many as the files of a server (1,024) leave room for.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HEADER_SECONDS = 10.0  # from the connection, or from the last answer on it, to a complete header
SILENT_SECONDS = 20.0  # without a byte of a body that was announced
BODY_SECONDS = 900.0  # for a whole body: 50 MB at 55 kB/s
UNREAD_SECONDS = 60.0  # without the other side taking a byte of an answer
WAITING_OF_ADDRESS, WAITING_IN_ALL = 256, 320
SERVED_OF_ADDRESS, SERVED_IN_ALL = 96, 192
LOOK_SECONDS = 1.0


class Crowd:
    """The HTTP connections that are open: those that wait for a header since when, and those that are served."""

    def __init__(self) -> None:
        self.waiting: dict[Guarded, float] = {}
        self.served: dict[Guarded, float] = {}
        self._looking: asyncio.TimerHandle | None = None

    def waits(self, one: Guarded) -> None:
        """It has no request now."""
        self.leave(one)
        of_address = Counter(other.address for other in self.waiting)
        if of_address[one.address] >= WAITING_OF_ADDRESS:
            self._end_oldest(one.address)
        elif len(self.waiting) >= WAITING_IN_ALL:
            self._end_oldest(of_address.most_common(1)[0][0])
        self.waiting[one] = one.loop.time()
        if self._looking is None:
            self._looking = one.loop.call_later(LOOK_SECONDS, self._look, one.loop)

    def serves(self, one: Guarded) -> None:
        """It has asked something. Beyond the limits nobody answers it."""
        if one in self.served:
            return
        self.leave(one)
        of_address = sum(other.address == one.address for other in self.served)
        if of_address >= SERVED_OF_ADDRESS or len(self.served) >= SERVED_IN_ALL:
            one.transport.abort()
            return
        self.served[one] = one.loop.time()

    def leave(self, one: Guarded) -> None:
        """It is gone, or a WebSocket now."""
        self.waiting.pop(one, None)
        self.served.pop(one, None)

    def _end_oldest(self, address: str) -> None:
        oldest = next(one for one in self.waiting if one.address == address)
        del self.waiting[oldest]
        oldest.transport.abort()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for one in [one for one, since in self.waiting.items() if now - since > HEADER_SECONDS]:
            del self.waiting[one]
            one.transport.abort()
        for one, since in list(self.served.items()):
            if one.is_stuck(now, since):
                self.leave(one)
                one.transport.abort()
            elif one.is_done():
                self.waits(one)
        again = self.waiting or self.served
        self._looking = loop.call_later(LOOK_SECONDS, self._look, loop) if again else None


class Guarded(H11Protocol):
    """uvicorn's HTTP connection, as one of a crowd."""

    crowd: ClassVar[Crowd] = Crowd()
    address = ""
    _heard = 0.0
    _unread, _unread_since = 0, 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self.crowd.waits(self)

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        super().data_received(data)
        if self.transport.get_protocol() is not self:
            self.crowd.leave(self)
        elif not self.is_done():
            self.crowd.serves(self)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.is_done() and self in self.crowd.served:
            self.crowd.waits(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.leave(self)
        super().connection_lost(exc)

    def is_done(self) -> bool:
        """Whether no request is under way, and all of the last answer has left."""
        return (self.cycle is None or self.cycle.response_complete) and not self.transport.get_write_buffer_size()

    def is_stuck(self, now: float, since: float) -> bool:
        """Whether the other side neither sends what it announced nor takes what it asked for."""
        unread = self.transport.get_write_buffer_size()
        if unread != self._unread or not unread:
            self._unread, self._unread_since = unread, now
        if now - self._unread_since > UNREAD_SECONDS:
            return True
        if self.cycle is None or self.cycle.response_complete or not self.cycle.more_body:
            return False
        return now - since > BODY_SECONDS or (not self.flow.read_paused and now - self._heard > SILENT_SECONDS)


class GuardedSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket; what does not answer a ping is cut off, whatever it has not read yet."""

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = (
                True  # by an answer that refuses it; uvicorn would write of each that none was given
            )

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


def protocols() -> dict[str, Any]:
    """Arguments of `uvicorn.Config` for connections such as these."""
    return {
        "http": Guarded,
        "ws": GuardedSocket,
        "ws_max_size": 4 * 2**20,
        "ws_ping_interval": 20.0,
        "ws_ping_timeout": 20.0,
        "ws_per_message_deflate": False,
        "timeout_keep_alive": int(HEADER_SECONDS),
        "h11_max_incomplete_event_size": 64 * 2**10,
        "backlog": 32,  # accepted at once; fewer than may wait, so that one that comes with its header is heard before it goes
    }
