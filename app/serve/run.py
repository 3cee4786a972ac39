"""The server put together: uvicorn with our connections, then our checks from the outside in, then Streamlit."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from streamlit.runtime import get_instance
from streamlit.starlette import App as Streamlit

from lsr_app import ahead, trouble
from lsr_app.serve import scripts, turns
from lsr_app.serve.api import Api
from lsr_app.serve.asgi import App
from lsr_app.serve.connections import protocols
from lsr_app.serve.gate import Gate, page_policy
from lsr_app.serve.order import Order
from lsr_app.serve.origins import Origins, own_names
from lsr_app.serve.sessions import Sessions
from lsr_app.serve.uploads import Uploads

SCRIPT = Path(ahead.__file__).with_name("main.py")
QUEUE = 4096  # connections that the kernel holds until they are accepted


class Server(uvicorn.Server):
    """uvicorn on a socket of its own, as ordered."""

    def __init__(self, order: Order) -> None:
        self._socket = _listen(order.host, order.port)
        super().__init__(
            uvicorn.Config(
                application(order),
                lifespan="on",
                loop="asyncio",
                log_config=None,
                access_log=False,
                proxy_headers=False,  # an address that a header claims is nobody's
                server_header=False,
                timeout_graceful_shutdown=2,
                **protocols(),
            )
        )

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        try:
            super().run(sockets or [self._socket])
        except KeyboardInterrupt:
            return  # which uvicorn passes on when it has stopped

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; the kernel's queue is longer than what is accepted at once."""
        await super().startup(sockets)
        for one in sockets or ():
            one.listen(QUEUE)


def application(order: Order) -> App:
    """The dashboard behind its checks."""
    ahead.start_imports()
    turns.install()
    sys.setswitchinterval(0.001)  # the loop that answers all waits for a script to yield, at every turn of its own
    inner: Any = ahead.Preload(Streamlit(SCRIPT, on_script_error=trouble.show))
    inner = Api(Sessions(Uploads(inner, _kept)))
    return Origins(
        Gate(inner, order.token, page_policy(scripts.digests())), own_names(order.host, order.shared), order.origins
    )


def _kept(session: str) -> tuple[int, int]:
    """Bytes of uploaded files that Streamlit holds: for a session, and for all."""
    held: dict[str, dict[str, Any]] = get_instance().uploaded_file_mgr.file_storage  # type: ignore[attr-defined]
    sizes = {name: sum(len(file.data) for file in list(files.values())) for name, files in list(held.items())}
    return sizes.get(session, 0), sum(sizes.values())


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        if family == socket.AF_INET6 and host == "::":
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if os.name == "posix":
            # On Windows the option would let the server take a port that is in use.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
