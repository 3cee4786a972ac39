"""What hostile visitors do to a dashboard on this machine, each kind bounded in count and in time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

import lsr_samples
from lsr_app import places
from lsr_core.errors import InputError
from lsr_core.jobs import queue
from lsr_core.jobs.tickets import Tickets
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.runs import RunStore

HOST = "127.0.0.1"
FILE_BYTES = 50 * 2**20 - 2**12
COOKIE = "_streamlit_xsrf"


def new_cookie() -> str:
    """A cookie in Streamlit's form, which is how the dashboard knows a browser."""
    mask, token = secrets.token_bytes(4), secrets.token_bytes(16)
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(token))
    return f"2|{mask.hex()}|{masked.hex()}|{int(time.time())}"


@contextlib.asynccontextmanager
async def session(port: int, cookie: str, access: str = "") -> AsyncIterator[ClientConnection]:
    """A WebSocket as the page opens it; `access` is the cookie of a shared dashboard."""
    async with connect(
        f"ws://{HOST}:{port}/_stcore/stream",
        additional_headers={"Cookie": f"{COOKIE}={cookie}; {access}"},
        origin=f"http://{HOST}:{port}",  # type: ignore[arg-type]
        subprotocols=["streamlit", cookie],  # type: ignore[list-item]
        max_size=None,
        open_timeout=20,
    ) as opened:
        yield opened


async def run_page(opened: ClientConnection, query: str = "") -> str:
    """Let the script run once, to its end; returns the id of the session."""
    ask = BackMsg()
    ask.rerun_script.query_string = query
    await opened.send(ask.SerializeToString())
    name = ""
    async with asyncio.timeout(60):
        async for data in opened:
            message = ForwardMsg()
            message.ParseFromString(data if isinstance(data, bytes) else data.encode())
            kind = message.WhichOneof("type")
            if kind == "new_session":
                name = message.new_session.initialize.session_id
            elif kind == "script_finished":
                return name
    raise ConnectionError("closed before the page was drawn")


async def half_open(port: int, count: int, until: float, seen: Counter[str]) -> None:
    """Connections that begin a header and never end it; those that are cut off come again, four times at most."""

    async def one(number: int) -> None:
        for _ in range(5):
            if time.monotonic() >= until:
                return
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(max(0.1, until - time.monotonic())):
                    reader, writer = await asyncio.open_connection(HOST, port)
                    seen["connected"] += 1
                    writer.write(b"GET / HTTP/1.1\r\nX-Slow: " if number % 2 else b"")
                    await reader.read()
                    seen["cut off"] += 1
                    writer.close()
            await asyncio.sleep(2.0)

    await asyncio.gather(*(one(number) for number in range(count)))


async def sessions(port: int, count: int, until: float, seen: Counter[str]) -> None:
    """Browsers with a cookie of their own each, two a second and faster, whose pages stay open."""

    async def one(number: int) -> None:
        await asyncio.sleep(number * 0.1)
        try:
            async with session(port, new_cookie()) as opened:
                seen["opened"] += 1
                await run_page(opened)
                seen["drawn"] += 1
                await asyncio.sleep(max(0.0, until - time.monotonic()))
        except WebSocketException as error:
            seen["told to wait" if "503" in str(error) else "closed"] += 1
        except (OSError, TimeoutError):
            seen["failed"] += 1

    await asyncio.gather(*(one(number) for number in range(count)))


async def uploads(port: int, count: int, until: float, seen: Counter[str]) -> None:
    """Files of nearly 50 MB for sessions of two visitors, all on their way at once."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    length = len(head) + FILE_BYTES + len(b"\r\n--x--\r\n")

    async def one(number: int, cookie: str, name: str) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        lines = (
            f"PUT /_stcore/upload_file/{name}/{number} HTTP/1.1", f"Host: {HOST}:{port}", f"Cookie: {COOKIE}={cookie}",
            f"X-Xsrftoken: {cookie}", "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {length}",
        )  # fmt: skip
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + head)
        with contextlib.suppress(OSError):
            for _ in range(FILE_BYTES // 2**20):
                writer.write(b"0" * 2**20)
                await asyncio.wait_for(writer.drain(), max(0.1, until - time.monotonic()))
                await asyncio.sleep(0.2)
            writer.write(b"0" * (FILE_BYTES % 2**20) + b"\r\n--x--\r\n")
        status = (await asyncio.wait_for(reader.readline(), 30)).decode().split()
        seen[f"answer {status[1]}" if len(status) > 1 else "cut off"] += 1
        writer.close()

    async def guarded(number: int, cookie: str, name: str) -> None:
        try:
            await one(number, cookie, name)
        except (OSError, TimeoutError):
            seen["cut off"] += 1

    first, second = new_cookie(), new_cookie()
    async with session(port, first) as one_page, session(port, second) as other_page:
        named = [(first, await run_page(one_page)), (second, await run_page(other_page))]
        await asyncio.gather(*(guarded(number, *named[number % 2]) for number in range(count)))


async def jobs(port: int, count: int, until: float, seen: Counter[str]) -> None:
    """Jobs of three visitors, queued as their pages do it; the server starts them one by one."""
    store = RunStore(places.runs_root())

    def submit(owner: str) -> str:
        try:
            queue.make_room(store, owner)
        except InputError:
            return "told to wait"
        run = queue.create(store, lsr_samples.folder("noisy1d"), RefineConfig(), owner=owner)
        Tickets(store.root).add(run, owner)
        return "queued"

    owners = [new_cookie() for _ in range(3)]
    for number in range(count):
        if time.monotonic() < until:
            seen[await asyncio.to_thread(submit, owners[number % 3])] += 1
    await asyncio.sleep(max(0.0, until - time.monotonic()))
    seen["waiting at the end"] = len(Tickets(store.root).waiting())
    for run in store.list():
        queue.cancel(run)


KINDS = {"half_open": half_open, "sessions": sessions, "uploads": uploads, "jobs": jobs}


def main() -> None:
    """`python -m benchmarks._attackers KIND PORT COUNT SECONDS`: attack, then print what was seen."""
    kind, port, count, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    seen: Counter[str] = Counter()
    asyncio.run(KINDS[kind](port, min(count, 4_000), time.monotonic() + min(seconds, 300.0), seen))
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
