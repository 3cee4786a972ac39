"""Who may ask: a page of this server under a name it has, or nobody's page; all others are answered before Streamlit sees them."""

from __future__ import annotations

import asyncio
import socket

import pytest

from lsr_app.serve.links import is_origin
from lsr_app.serve.origins import Origins, own_names
from tests.app.asking import Inner, ask, scope

HERE = {"Host": "127.0.0.1:8501"}
ADDRESSES = ("192.168.1.7", "::ffff:192.168.1.7", "fe80::1", "::1", "127.0.0.2")


def status(headers: dict[str, str], kind: str = "http", at: str = "127.0.0.1", host: str = "127.0.0.1") -> int:
    """0 where it passes; both kinds of server, whose difference is the names they have."""

    async def both() -> set[int]:
        found = set()
        for shared in (False, True):
            inner = Inner()
            inner.go.set()
            guarded = Origins(inner, own_names(host, shared), ["https://lab.example.org"])
            found.add((await ask(guarded, scope(headers, kind=kind, at=at)))[0])
            assert inner.reached == (found == {0})
        return found

    (one,) = asyncio.run(both())
    return one


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8501", "127.0.0.1.evil.example", "localhost.evil.example", "localhost.", "0.0.0.0:8501", "127.0.0.3",
     "2130706433", "0x7f.1", "192.168.1.7:8501", "[::1]:8501", "127.0.0.1:8501@evil.example", "", "127.0.0.1:", "lab.example.org:80",
     "127.0.0.1, evil.example", "local host", "\xff"],
)  # fmt: skip
def test_a_name_that_is_not_this_server_s_is_refused(host: str, kind: str) -> None:
    assert status({"Host": host}, kind) == 400


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1", "http://127.0.0.1:8502", "http://localhost:8501", "https://127.0.0.1:8501", "null", "",
     "http://127.0.0.1:8501/", "http://127.0.0.1:8501.evil.example", "HTTP://127.0.0.1:8501", "127.0.0.1:8501", "file://",
     "http://127.0.0.1:85010", "http://evil@127.0.0.1:8501", "http://lab.example.org", "ws://127.0.0.1:8501"],
)  # fmt: skip
def test_a_page_that_is_not_this_server_s_is_refused(origin: str, kind: str) -> None:
    assert status({**HERE, "Origin": origin}, kind) == 403


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_address_it_came_to_is_right_and_another_is_not(address: str) -> None:
    plain = address.removeprefix("::ffff:")
    shown = f"[{plain}]:8501" if ":" in plain else f"{plain}:8501"
    assert status({"Host": shown, "Origin": f"http://{shown}"}, at=address, host="0.0.0.0") == 0
    for other in {one.removeprefix("::ffff:") for one in ADDRESSES} - {plain}:
        assert status({"Host": f"[{other}]:8501" if ":" in other else other}, at=address, host="0.0.0.0") == 400


def test_what_passes() -> None:
    for host in ("127.0.0.1:8501", "localhost:8501", "LOCALHOST", "127.0.0.1:9000"):  # the last through a tunnel
        assert status({"Host": host}) == 0
        assert status({"Host": host, "Origin": f"http://{host.lower()}"}, "websocket") == 0
    assert status({"Host": "lab.example.org", "Origin": "https://lab.example.org"}) == 0
    assert status({**HERE, "Origin": "https://lab.example.org"}) == 0  # a proxy that names the host behind it
    assert status({"Host": "pc.example.org:8501"}, host="pc.example.org", at="10.0.0.1") == 0
    assert status({"Host": "localhost"}, at="10.0.0.1") == 400


def test_a_shared_server_has_the_name_of_its_machine() -> None:
    machine = socket.gethostname().lower()
    assert machine in own_names("0.0.0.0", shared=True)
    assert machine not in own_names("127.0.0.1", shared=False)


def test_nothing_of_ours_stands_in_another_page() -> None:
    for site in ("cross-site", "same-site"):
        for mode, kind in (("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("websocket", "websocket")):
            assert status({**HERE, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": kind}) == 403
        assert status({**HERE, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}) == 0
    assert status({**HERE, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}) == 0


def test_a_header_twice_is_refused() -> None:
    for name, value in (("host", "127.0.0.1:8501"), ("origin", "http://127.0.0.1:8501")):
        asked = scope({**HERE, "Origin": "http://127.0.0.1:8501"})
        asked["headers"].append((name.encode(), value.encode()))
        inner = Inner()
        assert asyncio.run(ask(Origins(inner, ["127.0.0.1"]), asked))[0] in (400, 403)
        assert inner.reached == 0


def test_what_is_an_origin() -> None:
    assert all(map(is_origin, ("https://lab.example.org", "http://10.0.0.1:8080", "http://[::1]:80")))
    for text in (
        "lab.example.org",
        "https://lab.example.org/",
        "https://a/b",
        "https://",
        "https://*.x",
        "null",
        "https://a\n",
    ):
        assert not is_origin(text)
