"""What a server does before a page asks for it: load the large libraries, and name the large script to browsers.

The first page would otherwise wait for seconds of imports, and every new browser would learn only from the first figure that it needs Plotly.
"""

from __future__ import annotations

import importlib
import threading
from pathlib import Path

import streamlit

from lsr_app.serve.asgi import App, Message, Receive, Scope, Send

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


class PreloadPlotly:
    """Adds a `Link` to pages, so that a browser fetches Streamlit's chunk with Plotly at once; without such a chunk it adds nothing."""

    def __init__(self, app: App) -> None:
        self._app = app
        chunks = sorted((Path(streamlit.__file__).parent / "static/static/js").glob("PlotlyChart.*.js"))
        self._links = [f"</static/js/{chunk.name}>; rel=modulepreload; crossorigin".encode() for chunk in chunks]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        await self._app(scope, receive, self._with_links(send) if scope["type"] == "http" else send)

    def _with_links(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                if any(key.lower() == b"content-type" and value.startswith(b"text/html") for key, value in headers):
                    message = {**message, "headers": [*headers, *((b"link", link) for link in self._links)]}
            await send(message)

        return sending
