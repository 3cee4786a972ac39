"""Connections on a real socket, with limits small enough for a test: those that do nothing go, those that are served stay."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

uvicorn = pytest.importorskip("uvicorn")
connections = pytest.importorskip("lsr_app.serve.connections")

HEADER = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("HEADER_SECONDS", 0.6), ("SILENT_SECONDS", 0.4), ("BODY_SECONDS", 1.5), ("UNREAD_SECONDS", 0.5), ("LOOK_SECONDS", 0.05),
        ("WAITING_OF_ADDRESS", 8), ("WAITING_IN_ALL", 12), ("SERVED_OF_ADDRESS", 5), ("SERVED_IN_ALL", 6),
    ):  # fmt: skip
        monkeypatch.setattr(connections, name, value)
    monkeypatch.setattr(connections.Guarded, "crowd", connections.Crowd())


class Application:
    """Answers at once; below /hold when it may, below /large with more than fits into a buffer, below /body when it has read."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.read = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/hold":
            await self.go.wait()
        while scope["path"] == "/body":
            message = await receive()
            self.read += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        body = b"x" * (30_000_000 if scope["path"] == "/large" else 2)
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[tuple[Application, Callable[[], Awaitable[Streams]]]]:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    application = Application()
    settings = uvicorn.Config(
        application, lifespan="off", log_config=None, timeout_graceful_shutdown=1, **connections.protocols()
    )
    server = uvicorn.Server(settings)
    task = asyncio.create_task(server._serve([made]))
    while not server.started:
        await asyncio.sleep(0.01)
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.getsockname()[1])
        writers.append(writer)
        return reader, writer

    yield application, connect
    for writer in writers:
        writer.transport.abort()
    server.should_exit = True
    await task


async def gone(reader: asyncio.StreamReader) -> bool:
    """Whether the server ends the connection within some seconds."""
    try:
        async with asyncio.timeout(5):
            while await reader.read(2**16):
                pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_who_says_nothing_or_only_begins_is_cut_off() -> None:
    async def check() -> None:
        async with serving() as (_, connect):
            silent, half, kept, drip = [await connect() for _ in range(4)]
            half[1].write(HEADER[:20])
            kept[1].write(HEADER)
            assert b"200" in await kept[0].readline()

            async def dripping() -> None:
                with contextlib.suppress(ConnectionError):
                    for byte in HEADER[:-1] * 10:
                        drip[1].write(bytes([byte]))
                        await asyncio.sleep(0.1)

            task = asyncio.create_task(dripping())
            assert all(await asyncio.gather(*(gone(reader) for reader, _ in (silent, half, kept, drip))))
            task.cancel()

    asyncio.run(check())


def test_waiting_connections_never_keep_another_out() -> None:
    async def check() -> None:
        async with serving() as (_, connect):
            for _ in range(60):
                await connect()
            reader, writer = await connect()
            writer.write(HEADER)
            async with asyncio.timeout(5):
                assert b"200" in await reader.readline()
            crowd = connections.Guarded.crowd
            assert len(crowd.waiting) <= connections.WAITING_OF_ADDRESS

    asyncio.run(check())


def test_requests_beyond_the_limit_are_not_served_and_others_stay() -> None:
    async def check() -> None:
        async with serving() as (application, connect):
            held = [await connect() for _ in range(connections.SERVED_OF_ADDRESS)]
            for _, writer in held:
                writer.write(HEADER.replace(b"/ ", b"/hold "))
            while len(connections.Guarded.crowd.served) < len(held):
                await asyncio.sleep(0.01)
            reader, writer = await connect()
            writer.write(HEADER)
            assert await gone(reader)
            await asyncio.sleep(1.0)  # longer than anybody may be silent, and these are not: the server is slow
            application.go.set()
            for reader, _ in held:
                assert b"200" in await reader.readline()

    asyncio.run(check())


@pytest.mark.parametrize("pause", [1.0, 0.1])
def test_a_body_that_does_not_come_is_not_waited_for(pause: float) -> None:
    """Neither when it stops nor when it drips."""

    async def check() -> None:
        async with serving() as (application, connect):
            reader, writer = await connect()
            writer.write(b"PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nab")

            async def dripping() -> None:
                with contextlib.suppress(ConnectionError):
                    for _ in range(100):
                        await asyncio.sleep(pause)
                        writer.write(b"x")

            task = asyncio.create_task(dripping())
            assert await gone(reader)
            task.cancel()
            assert 2 <= application.read < 100

    asyncio.run(check())


def test_an_answer_that_nobody_takes_is_dropped_and_a_slow_reader_gets_all() -> None:
    async def check() -> None:
        async with serving() as (_, connect):
            ignoring, slow = [await connect() for _ in range(2)]
            for _, writer in (ignoring, slow):
                writer.write(HEADER.replace(b"/ ", b"/large "))
            ignoring[1].transport.pause_reading()  # type: ignore[attr-defined]
            got = 0
            while got < 30_000_000:
                part = await slow[0].read(2**20)
                assert part
                got += len(part)
                await asyncio.sleep(0.04)
            crowd = connections.Guarded.crowd
            async with asyncio.timeout(5):
                while any(one.transport.get_write_buffer_size() for one in crowd.served):
                    await asyncio.sleep(0.05)

    asyncio.run(check())
