"""What a server does before a page asks for it: load the large libraries, and name large scripts to browsers.

The first page would otherwise wait for seconds of imports, and every new browser would learn only from the first figure that it needs Plotly,
or from the table of runs that it needs Streamlit's tables.
"""

from __future__ import annotations

import importlib
import threading
from pathlib import Path

import streamlit

from lsr_app.serve.asgi import App, Message, Receive, Scope, Send
from lsr_app.shell import pages

LARGE = ("lsr_core.storage.bundles", "plotly.graph_objects", "lsr_core.diagnosis.frequencies")


def _import_large() -> None:
    for name in LARGE:
        importlib.import_module(name)


_importing = threading.Thread(target=_import_large, daemon=True)


def start_imports() -> None:
    """Import what pages need beside the server; modules with Streamlit's decorators are left to the page."""
    _importing.start()


def finish_imports() -> None:
    """Wait for that where it was begun: libraries that look at each other's modules must not see half of one."""
    if _importing.ident is not None:
        _importing.join()


class Preload:
    """Adds a `Link` to pages, so that a browser fetches at once the large scripts that the page needs; without such a script it adds nothing."""

    def __init__(self, app: App) -> None:
        self._app = app
        folder = Path(streamlit.__file__).parent / "static/static/js"
        self._links = {
            name: [_link(path.name) for script in screen.scripts for path in sorted(folder.glob(f"{script}.*.js"))]
            for name, screen in pages.found().items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "http":
            send = _with_links(send, self._links.get(scope["path"].strip("/"), self._links[pages.HOME]))
        await self._app(scope, receive, send)


def _link(script: str) -> bytes:
    return f"</static/js/{script}>; rel=modulepreload; crossorigin".encode()


def _with_links(send: Send, links: list[bytes]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            if any(key.lower() == b"content-type" and value.startswith(b"text/html") for key, value in headers):
                message = {**message, "headers": [*headers, *((b"link", link) for link in links)]}
        await send(message)

    return sending
