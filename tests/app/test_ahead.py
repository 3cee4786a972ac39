"""What a server does before a page asks for it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lsr_app import ahead


def headers_of(kind: bytes) -> list[tuple[bytes, bytes]]:
    """What a browser is sent where the server answers with content of this kind."""
    sent: list[Any] = []

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(ahead.PreloadPlotly(answer)({"type": "http"}, None, send))  # type: ignore[arg-type]
    found: list[tuple[bytes, bytes]] = sent[0]["headers"]
    return found


def test_a_page_names_a_chunk_that_streamlit_has_and_a_file_does_not() -> None:
    import streamlit

    links = [value.decode() for key, value in headers_of(b"text/html; charset=utf-8") if key == b"link"]
    assert len(links) == 1
    path = links[0].split(">")[0].removeprefix("</")
    assert (Path(streamlit.__file__).parent / "static" / path).is_file()
    assert [key for key, _ in headers_of(b"text/javascript")] == [b"content-type"]


def test_imports_are_complete_when_a_page_goes_on() -> None:
    """In a process of its own, which has imported nothing yet."""
    script = (
        "import sys; from lsr_app import ahead; ahead.finish_imports(); assert 'torch' not in sys.modules; "
        "ahead.start_imports(); ahead.finish_imports(); assert all(name in sys.modules for name in ahead.LARGE)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env=dict(os.environ))
