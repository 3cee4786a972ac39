"""What a server does before a page asks for it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lsr_app import ahead
from lsr_app.shell import pages


def headers_of(kind: bytes, path: str = "/") -> list[tuple[bytes, bytes]]:
    """What a browser is sent where the server answers with content of this kind."""
    sent: list[Any] = []

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(ahead.Preload(answer)({"type": "http", "path": path}, None, send))  # type: ignore[arg-type]
    found: list[tuple[bytes, bytes]] = sent[0]["headers"]
    return found


@pytest.mark.parametrize(
    ("path", "first"), [("/", "PlotlyChart"), ("/rank", "PlotlyChart"), ("/runs", "DataFrame"), ("/no", "PlotlyChart")]
)
def test_a_page_names_the_scripts_it_needs_and_a_file_names_none(path: str, first: str) -> None:
    import streamlit

    links = [value.decode() for key, value in headers_of(b"text/html; charset=utf-8", path) if key == b"link"]
    names = [link.split(">")[0].removeprefix("</") for link in links]
    assert first in names[0]
    assert len(names) == len(pages.found().get(path.strip("/"), pages.found()[pages.HOME]).scripts)
    assert all((Path(streamlit.__file__).parent / "static" / name).is_file() for name in names)
    assert [key for key, _ in headers_of(b"text/javascript", path)] == [b"content-type"]


def test_imports_are_complete_when_a_page_goes_on() -> None:
    """In a process of its own, which has imported nothing yet."""
    script = (
        "import sys; from lsr_app import ahead; ahead.finish_imports(); assert 'torch' not in sys.modules; "
        "ahead.start_imports(); ahead.finish_imports(); assert all(name in sys.modules for name in ahead.LARGE)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env=dict(os.environ))
