"""What stands before every route: the token of a shared dashboard, and the headers that a browser obeys.

An ASGI middleware outside of everything that Streamlit serves: pages, files, uploads, media, components, health and the WebSocket.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import quote, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response

from lsr_app.serve.asgi import COMMON, NOTHING, PAGE, App, Message, Receive, Scope, Send, refuse, reply
from lsr_app.serve.links import PARAMETER

REFUSED = (
    PAGE + "<p>This dashboard opens with the link that <code>lsr dashboard</code> printed when it was started.</p>"
)
# The cookie is strict, so a browser that came by a link from elsewhere sends it only when a page of this host leads on.
AGAIN = PAGE + '<meta http-equiv=refresh content="0;url={url}">'


def page_policy(script_hashes: Iterable[str]) -> str:
    """The content policy of pages: scripts from here only; styles inline, because Streamlit writes them so."""
    scripts = " ".join(["'self'", *(f"'{digest}'" for digest in script_hashes)])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; worker-src 'self' blob:; media-src 'self' blob:; object-src 'none'; frame-src 'none'; frame-ancestors 'none'; "
        "base-uri 'self'; form-action 'self'"
    )


class Gate:
    """Lets requests pass that carry the cookie of the token; without a token all, with the headers still set.

    Args:
        app: what is guarded.
        token: a link with `?token=…` gives the browser a cookie, and leads on to the address without it.
        policy: content policy of pages.
    """

    def __init__(self, app: App, token: str | None, policy: str) -> None:
        self._app = app
        self._token = token
        self._policy = policy
        self._pass = "" if token is None else hashlib.sha256(b"lsr access " + token.encode()).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        if self._allowed(asked):
            await self._app(scope, receive, send if scope["type"] == "websocket" else self._with_headers(scope, send))
        elif scope["type"] == "websocket":
            await refuse(scope, receive, send, 403, REFUSED)
        else:
            await self._answer(asked)(scope, receive, send)

    def _allowed(self, asked: HTTPConnection) -> bool:
        if self._token is None:
            return True
        if PARAMETER in asked.query_params:
            return False  # never to the page: the address is cleaned first
        return self._has_cookie(asked)

    def _answer(self, asked: HTTPConnection) -> Response:
        """To a request without the cookie, or with a token in its address."""
        clean = reply(200, AGAIN.format(url=_without_token(asked)))
        if PARAMETER in asked.query_params:
            given = asked.query_params.getlist(PARAMETER)[-1]
            if asked.scope["method"] == "GET" and _same(given, self._token or ""):
                clean.set_cookie(
                    self._cookie(asked), self._pass, httponly=True, secure=asked.scope.get("scheme") == "https",
                    samesite="Strict",  # type: ignore[arg-type]  # as the standard writes it
                )  # fmt: skip
                return clean
            if self._has_cookie(asked):
                return clean
        elif (asked.headers.get("sec-fetch-site"), asked.headers.get("sec-fetch-mode")) == ("cross-site", "navigate"):
            return clean
        return reply(401, REFUSED)

    def _has_cookie(self, asked: HTTPConnection) -> bool:
        return _same(asked.cookies.get(self._cookie(asked), ""), self._pass)

    def _cookie(self, asked: HTTPConnection) -> str:
        """Cookies do not tell ports apart, their names do."""
        server = asked.scope.get("server") or ("", 0)
        return f"lsr_access_{server[1]}"

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        files = scope["path"].lstrip("/").startswith(("media/", "_stcore/upload_file", "component/"))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {"headers": [], **message}
                headers = MutableHeaders(scope=message)
                for name, value in {**COMMON, "content-security-policy": NOTHING if files else self._policy}.items():
                    headers[name] = value  # in place of whatever was there
            await send(message)

        return sending


def _same(given: str, wanted: str) -> bool:
    return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())


def _without_token(asked: HTTPConnection) -> str:
    """The address on this host, in a form that can stand in an attribute."""
    kept = urlencode([(key, value) for key, value in asked.query_params.multi_items() if key != PARAMETER])
    path = "/" + quote(asked.scope["path"].lstrip("/\\"))  # two slashes would name another host
    return f"{path}?{kept}".replace("&", "&amp;") if kept else path
