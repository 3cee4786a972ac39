"""What a visitor may take of a server: pages, bytes on their way, lines of its log. Others have the rest."""

from __future__ import annotations

import asyncio
import io
import logging
from typing import Any

import pytest

from lsr_app.serve import sessions, uploads
from lsr_app.serve.limits import Bucket, Buckets
from lsr_app.serve.logs import Sparing
from lsr_app.serve.sessions import Sessions
from lsr_app.serve.uploads import Uploads
from tests.app.asking import Inner, ask, scope

ONE, OTHER, THIRD = (f"2|{'00' * 4}|{digit * 32}|1" for digit in "abc")
DOCUMENT = {"Sec-Fetch-Dest": "document"}


class Hours:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def cookie(value: str) -> dict[str, str]:
    return {"Cookie": f"_streamlit_xsrf={value}"}


def invented(number: int) -> dict[str, str]:
    return cookie(f"2|{'00' * 4}|{number:032x}|1")


async def until(condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("never came")


def test_a_bucket_lets_through_what_time_fills() -> None:
    clock = Hours()
    bucket = Bucket(2, 0.5, clock)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    assert bucket.wait() == 2.0
    clock.now = 2.0
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock.now = 1e9
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_buckets_of_names_are_apart_and_not_without_end() -> None:
    buckets = Buckets(1, 0.001, most=3)
    assert buckets.of("a").take()
    assert not buckets.of("a").take()
    assert buckets.of("b").take()
    for name in "cde":
        buckets.of(name)
    assert len(buckets._known) == 3


async def fill(guarded: Sessions, inner: Inner, *headers: dict[str, str]) -> list[asyncio.Task[Any]]:
    """Pages that stay open; the tasks of those that were let in."""
    tasks = [asyncio.create_task(ask(guarded, scope(each, kind="websocket"))) for each in headers]
    await until(lambda: inner.reached + sum(task.done() for task in tasks) >= len(tasks))
    return [task for task in tasks if not task.done()]


def test_one_visitor_has_so_many_pages_and_the_next_is_told_when_to_come() -> None:
    async def check() -> None:
        inner = Inner()
        guarded = Sessions(inner)
        opened = await fill(guarded, inner, *[cookie(ONE)] * (sessions.OF_VISITOR + 5))
        assert len(opened) == sessions.OF_VISITOR
        status, headers, body = await ask(guarded, scope(cookie(ONE), kind="websocket"))
        assert (status, headers["retry-after"]) == (503, "30")
        assert "Try again in 30 seconds" in body
        status, _, body = await ask(guarded, scope({**cookie(ONE), **DOCUMENT}))
        assert status == 503
        assert "12 of yours" in body
        assert "http-equiv=refresh content=30" in body
        inner.go.set()
        assert (await ask(guarded, scope({**cookie(OTHER), **DOCUMENT})))[0] == 0  # another's page is served
        assert (await ask(guarded, scope(cookie(OTHER), kind="websocket")))[0] == 0
        await asyncio.gather(*opened)
        assert (await ask(guarded, scope({**cookie(ONE), **DOCUMENT})))[0] == 0  # and his own, when he has closed some
        assert guarded._open == {}

    asyncio.run(check())


def test_invented_cookies_do_not_fill_the_server_for_those_who_are_there() -> None:
    async def check() -> None:
        inner = Inner()
        guarded = Sessions(inner)
        here = await fill(guarded, inner, cookie(ONE))
        opened = await fill(guarded, inner, *map(invented, range(240)))
        assert len(here) == 1
        assert len(opened) <= sessions.OF_ADDRESS
        again = await fill(guarded, inner, cookie(ONE))
        assert len(again) <= 1
        inner.go.set()
        await asyncio.gather(*here, *opened, *again)

    asyncio.run(check())


def test_pages_that_come_and_go_are_counted_as_well() -> None:
    """Streamlit keeps a session for two minutes after its page is gone."""

    async def check() -> None:
        inner = Inner()
        inner.go.set()
        guarded = Sessions(inner)
        found = [await ask(guarded, scope(cookie(ONE), kind="websocket")) for _ in range(40)]
        assert [status for status, _, _ in found].count(0) == sessions.OF_VISITOR
        assert found[-1][0] == 503
        assert 1 <= int(found[-1][1]["retry-after"]) <= 4

    asyncio.run(check())


def test_messages_keep_a_pace_and_text_ends_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock.now += seconds

    clock = Hours()
    monkeypatch.setattr(sessions.asyncio, "sleep", sleep)
    monkeypatch.setattr(sessions, "Bucket", lambda size, rate: Bucket(size, rate, clock))

    async def check() -> None:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "websocket.receive", "bytes": b"x"}

        async def text() -> Any:
            return {"type": "websocket.receive", "text": "x"}

        async def send(message: Any) -> None:
            sent.append(message)

        paced = sessions._paced(receive, send)
        for _ in range(sessions.MESSAGES + 30):
            await paced()
        assert sum(waited) == pytest.approx(1.0, abs=0.05)
        assert (await sessions._paced(text, send)())["type"] == "websocket.disconnect"
        assert sent == [{"type": "websocket.close", "code": 1003}]

    asyncio.run(check())


def upload(length: int | str, who: str = ONE, session: str = "s", **more: str) -> dict[str, Any]:
    headers = {**cookie(who), "Content-Length": str(length), **more}
    return scope(headers, f"{uploads.PATH}{session}/f", method="PUT")


def test_uploads_wait_for_room_and_leave_some_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(uploads, "PATIENCE_SECONDS", 0.2)

    async def check() -> None:
        inner = Inner()
        guarded = Uploads(inner, lambda session: (0, 0))
        mine = [asyncio.create_task(ask(guarded, upload(uploads.MOST))) for _ in range(25)]
        theirs = [asyncio.create_task(ask(guarded, upload(uploads.MOST, OTHER))) for _ in range(25)]
        await until(lambda: inner.reached == 4)
        refused = await ask(guarded, upload(uploads.MOST, THIRD))
        assert (refused[0], refused[1]["retry-after"]) == (503, "30")
        assert inner.reached == 4
        monkeypatch.setattr(uploads, "PATIENCE_SECONDS", 60.0)
        waiting = asyncio.create_task(ask(guarded, upload(uploads.MOST, THIRD)))
        await asyncio.sleep(0.01)
        inner.go.set()
        assert (await waiting)[0] == 0
        found = [status for status, _, _ in await asyncio.gather(*mine, *theirs)]
        assert set(found) <= {0, 503}
        assert guarded._flying == {}

    asyncio.run(check())


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (upload(uploads.MOST + uploads.FRAME + 1), 413),
        (upload("5e3"), 411),
        (upload("-1"), 411),
        (upload("\xb2"), 411),
        (upload(1, **{"Transfer-Encoding": "chunked"}), 411),
        (upload(uploads.MOST, session="full"), 413),
        (scope({"Content-Length": "70000"}, "/_stcore/agent/mcp", method="POST"), 413),
        (scope({"Transfer-Encoding": "chunked"}, "/", method="POST"), 411),
        (upload(uploads.MOST), 0),
        (scope({}), 0),
    ],
)
def test_bodies_say_how_long_they_are_and_are_not_longer(asked: dict[str, Any], expected: int) -> None:
    async def check() -> None:
        inner = Inner()
        inner.go.set()
        held = {"full": (uploads.KEPT_OF_SESSION - 1, uploads.KEPT_OF_SESSION)}
        assert (await ask(Uploads(inner, lambda session: held.get(session, (0, 0))), asked))[0] == expected
        assert inner.reached == (expected == 0)

    asyncio.run(check())


def logged(clock: Hours) -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    logger = logging.Logger("of this test")
    logger.addHandler(Sparing(stream, clock))
    return logger, stream


def test_a_flood_is_a_few_lines_and_a_count() -> None:
    clock = Hours()
    logger, stream = logged(clock)
    for number in range(100_000):
        try:
            raise ValueError(f"flood {number} " + "x" * 10_000)
        except ValueError:
            logger.exception("Exception in ASGI application")
    assert stream.getvalue().count("Exception in ASGI application") == 5
    assert len(stream.getvalue()) < 12_000
    clock.now = 60.0
    logger.warning("another")
    assert "[99995 more were not written]" in stream.getvalue()


def test_many_kinds_of_lines_have_a_limit_together() -> None:
    clock = Hours()
    logger, stream = logged(clock)
    for number in range(3_000):
        record = logger.makeRecord("many", logging.WARNING, f"file{number}.py", number, "line %d", (number,), None)
        logger.handle(record)
    assert stream.getvalue().count("line ") == 200


def test_what_comes_from_outside_draws_nothing_on_the_terminal() -> None:
    logger, stream = logged(Hours())
    logger.warning("origin=%s", "http://x\r\x1b]0;title\x07\x9b31m")
    assert not set(stream.getvalue()) & set("\r\x1b\x07\x9b")


def test_a_stream_that_is_full_stops_nothing() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    logger = logging.Logger("of this test")
    logger.addHandler(Sparing(Full(), Hours()))
    logger.warning("x")
