"""Who may speak to this server in a browser's name: only pages that it sent itself, under a name that it has.

A page of another site, or of another port of this machine, can make a browser send requests here, and with the visitor's cookies. It
cannot forge three headers: `Host`, the name in the address that the browser asked; `Origin`, where the page that asks came from; and
`Sec-Fetch-Site`. They are compared before anything else happens, with what is known without asking anybody.
"""

from __future__ import annotations

import html
import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from lsr_app.serve.asgi import PAGE, App, Receive, Scope, Send, refuse, values

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([0-9]{1,5}))?")
UNKNOWN = (
    "<p>This dashboard is not known as <code>{name}</code>. Open it with the link that <code>lsr dashboard</code> printed; "
    "one that is reached by another name is started with <code>--origin</code> and its address.</p>"
)
FOREIGN = "<p>This request came from a page of another site, and is not answered.</p>"


class Origins:
    """Lets pass what a page of this server, or nobody's page, asks.

    Args:
        app: what is guarded.
        names: names under which the server was started.
        origins: addresses under which browsers reach it besides, through a proxy for example.
    """

    def __init__(self, app: App, names: Iterable[str], origins: Iterable[str] = ()) -> None:
        self._app = app
        self._names = {name.lower() for name in names}
        self._origins = frozenset(origins)
        self._given = {urlsplit(origin).netloc for origin in self._origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif not self._known(scope):
            name = html.escape((values(scope, "host") or [""])[0][:100])
            await refuse(scope, receive, send, 400, PAGE + UNKNOWN.format(name=name))
        elif not self._own(scope) or _embedded(scope):
            await refuse(scope, receive, send, 403, PAGE + FOREIGN)
        else:
            await self._app(scope, receive, send)

    def _known(self, scope: Scope) -> bool:
        """Whether the name in the address is one of this server; somebody else's DNS may have led the browser here.

        An address in digits is right if the connection came to it. The port is free, so that a tunnel may have another.
        """
        hosts = [host.lower() for host in values(scope, "host")]
        match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None:
            return False
        arrived = _ip(str((scope.get("server") or ("",))[0]))
        name, asked = match[1], _ip(match[1])
        if asked is not None:
            return asked == arrived or hosts[0] in self._given
        if name == "localhost":
            return arrived is not None and arrived.is_loopback
        return name in self._names or hosts[0] in self._given

    def _own(self, scope: Scope) -> bool:
        """Whether the page that asks is one of this server, or it is no page that asks."""
        origins = values(scope, "origin")
        if not origins:
            return True
        (host,) = values(scope, "host")
        return len(origins) == 1 and (origins[0] == f"http://{host.lower()}" or origins[0] in self._origins)


def own_names(host: str, shared: bool) -> set[str]:
    """Names of a server started with `host`: itself, and for a shared one what this machine calls itself."""
    machine = socket.gethostname().lower()
    return {host.lower(), *((machine, f"{machine}.local") if shared else ())}


def _embedded(scope: Scope) -> bool:
    """Whether another site's page wants something of ours in itself; a link to here is no such thing."""
    if not set(values(scope, "sec-fetch-site")) & {"cross-site", "same-site"}:
        return False
    modes, kinds = values(scope, "sec-fetch-mode"), values(scope, "sec-fetch-dest")
    return modes != ["navigate"] or kinds not in ([], ["document"])


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.strip("[]").split("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
