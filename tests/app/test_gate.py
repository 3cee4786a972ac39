"""A shared dashboard: no route answers without the token, and no address that is passed on holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lsr_app.serve.gate import Gate, page_policy
from tests.app.serving import Shared, start

websockets = pytest.importorskip("websockets.sync.client")
ROUTES = (
    "/", "/rank", "/favicon.png", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/_stcore/script-health-check",
    "/_stcore/upload_file/a/b", "/_stcore/stream", "/_stcore/bidi-components/x", "/_stcore/agent/openapi.json", "/media/x.png",
    "/component/x/index.html", "/static/js/index.js", "/app/static/x", "/auth/login", "/%2e%2e/%2e%2e/etc/passwd", "//", "/nothing/at/all",
    "/api/runs", "/api/runs/x/sweep.csv",
)  # fmt: skip
METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    yield from start(tmp_path_factory.mktemp("shared"))


def test_what_it_exposes_is_said_and_the_link_holds_a_long_token(shared: Shared) -> None:
    for word in ("other machines", "not encrypted", "50 MB", "start jobs"):
        assert word in shared.said
    assert len(shared.token) >= 43  # 256 bits


@pytest.mark.parametrize("path", ROUTES)
def test_no_route_answers_without_the_token(shared: Shared, path: str) -> None:
    for method in METHODS:
        for extra in ({}, {"Cookie": f"lsr_access_{shared.port}={'0' * 64}"}, {"Cookie": "garbage;;=;\xff"}):
            status, headers, body = shared.ask(path, method, **extra)
            assert status == 401, (method, path)
            assert "set-cookie" not in headers
            assert b"Streamlit" not in body
    assert shared.ask(f"{path}?token=wrong")[0] == 401
    assert shared.ask(f"{path}?token=")[0] == 401


def test_with_the_cookie_they_answer(shared: Shared) -> None:
    expected = {
        "/": 200,
        "/rank": 200,
        "/_stcore/health": 200,
        "/_stcore/host-config": 200,
        "/media/x.png": 404,
        "/api/runs": 200,
    }
    for path, status in expected.items():
        assert shared.ask(path, Cookie=shared.cookie)[0] == status, path
    assert shared.ask("/_stcore/upload_file/a/b", "PUT", Cookie=shared.cookie)[0] in (
        400,
        403,
    )  # refused by the page's own checks


def test_the_socket_opens_only_with_the_cookie(shared: Shared) -> None:
    address = f"ws://127.0.0.1:{shared.port}/_stcore/stream"
    for headers in ({}, {"Cookie": "lsr_access=1"}, {"Authorization": f"Bearer {shared.token}"}):
        with pytest.raises(Exception, match="403"):
            websockets.connect(address, additional_headers=headers, open_timeout=20)
    with pytest.raises(Exception, match="403"):
        websockets.connect(f"{address}?token={shared.token}", open_timeout=20)
    with websockets.connect(address, additional_headers={"Cookie": shared.cookie}, open_timeout=20) as opened:
        assert opened.protocol.state.name == "OPEN"
    with pytest.raises(Exception, match="403"):  # another site cannot use a visitor's cookie even if a browser sent it
        websockets.connect(
            address, additional_headers={"Cookie": shared.cookie}, origin="http://elsewhere.example", open_timeout=20
        )


def test_the_token_leaves_the_address_at_once(shared: Shared) -> None:
    status, headers, body = shared.ask(f"/rank?run=abc&token={shared.token}&x=%22%3E")
    assert status == 200
    assert shared.token not in body.decode()
    assert 'content="0;url=/rank?run=abc&amp;x=%22%3E"' in body.decode()
    (cookie,) = headers["set-cookie"]
    assert shared.token not in cookie
    for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert headers["cache-control"] == ["no-store"]
    again = shared.ask(f"/?token={shared.token}", Cookie=shared.cookie)
    assert b"Streamlit" not in again[2]  # the page itself is never reached with it


def test_pages_carry_the_headers_once(shared: Shared) -> None:
    _, headers, _ = shared.ask("/", Cookie=shared.cookie)
    (policy,) = headers["content-security-policy"]
    assert "'unsafe-eval'" not in policy
    assert "script-src 'self' 'sha256-" in policy
    assert "frame-ancestors 'none'" in policy
    for name, value in (
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ):
        assert headers[name] == [value]
    assert "sandbox" in shared.ask("/media/x.png", Cookie=shared.cookie)[1]["content-security-policy"][0]


def test_without_password_only_when_said(tmp_path: Path) -> None:
    for opened in start(tmp_path, "--no-auth"):
        assert "without a password" in opened.said
        assert opened.token == ""
        status, headers, _ = opened.ask("/")
        assert status == 200
        assert headers["x-frame-options"] == ["DENY"]


def test_on_this_machine_another_name_or_page_is_refused_and_frames_are(tmp_path: Path) -> None:
    """What DNS rebinding and pages of other ports would send, to the server that `lsr dashboard` starts."""
    for opened in start(tmp_path, "--host", "127.0.0.1"):
        own = f"127.0.0.1:{opened.port}"
        for host in (own, "localhost"):
            status, headers, _ = opened.ask("/", Host=host)
            assert status == 200
            assert headers["x-frame-options"] == ["DENY"]
            assert headers["x-content-type-options"] == ["nosniff"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"][0]
        for path in ("/", "/_stcore/health", "/_stcore/stream", "/media/x.png"):
            assert opened.ask(path, Host="evil.example")[0] == 400
            assert opened.ask(path, Origin="http://127.0.0.1:1")[0] == 403
        address = f"ws://{own}/_stcore/stream"
        for origin in ("http://elsewhere.example", "http://127.0.0.1:1", "null", f"https://{own}", f"http://{own}.x"):
            with pytest.raises(Exception, match="403"):
                websockets.connect(address, origin=origin, open_timeout=20)
        with websockets.connect(address, origin=f"http://{own}", open_timeout=20) as page:
            page.send("no bytes")  # which Streamlit would write a traceback about
            with pytest.raises(Exception, match="1003"):
                page.recv(timeout=20)
        assert opened.log.read_text().count("\n") == 1  # where it is, and nothing else


def passed(
    path: str, query: bytes = b"", headers: list[tuple[bytes, bytes]] | None = None, token: str = "secret"
) -> Any:
    """Status and body of the gate alone; None where the request was let through."""
    sent: list[Any] = []
    reached: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope)

    async def receive() -> Any:
        return {}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": query, "headers": headers or [],
        "server": ("127.0.0.1", 1), "scheme": "http",
    }  # fmt: skip
    asyncio.run(Gate(app, token, page_policy([]))(scope, receive, send))
    return None if reached else (sent[0]["status"], sent[1]["body"].decode())


def test_the_clean_address_stays_on_this_host() -> None:
    for path in ("//elsewhere.example/x", "/\\elsewhere.example", "///x", '/"><script>alert(1)</script>'):
        status, body = passed(path, b"token=secret")
        assert status == 200
        target = body.split("url=")[1].split('"')[0]
        assert target.startswith("/")
        assert not target.startswith(("//", "/\\"))
        assert "<script" not in body


def test_a_link_from_elsewhere_is_followed_once_more_from_here() -> None:
    """A strict cookie is not sent along with a click on another site."""
    came = [(b"sec-fetch-site", b"cross-site"), (b"sec-fetch-mode", b"navigate")]
    assert passed("/rank", b"run=abc", came) == (200, passed("/rank", b"run=abc", came)[1])
    assert "url=/rank?run=abc" in passed("/rank", b"run=abc", came)[1]
    assert passed("/rank", b"", [(b"sec-fetch-site", b"same-origin"), (b"sec-fetch-mode", b"navigate")])[0] == 401
    assert passed("/media/x", b"", [(b"sec-fetch-site", b"cross-site"), (b"sec-fetch-mode", b"no-cors")])[0] == 401
