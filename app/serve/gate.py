"""What stands before every route: the token of a shared dashboard, and the headers that a browser obeys.

An ASGI middleware outside of everything that Streamlit serves: pages, files, uploads, media, components, health and the WebSocket.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlencode

from lsr_app.serve.asgi import (
    COMMON,
    NOTHING,
    PAGE,
    App,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    headers_of,
    refuse,
    reply,
)

PARAMETER = "token"
REFUSED = (
    PAGE + "<p>This dashboard opens with the link that <code>lsr dashboard</code> printed when it was started.</p>"
)
# The cookie is strict, so a browser that came by a link from elsewhere sends it only when a page of this host leads on.
AGAIN = PAGE + '<meta http-equiv=refresh content="0;url={url}">'


def new_token() -> str:
    """256 random bits for a link."""
    return secrets.token_urlsafe(32)


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
        elif self._allowed(scope):
            await self._app(scope, receive, send if scope["type"] == "websocket" else self._with_headers(scope, send))
        elif scope["type"] == "websocket":
            await refuse(scope, receive, send, 403, REFUSED)
        else:
            await self._answer(scope, send)

    def _allowed(self, scope: Scope) -> bool:
        if self._token is None:
            return True
        if any(key == PARAMETER for key, _ in _query(scope)):
            return False  # never to the page: the address is cleaned first
        return _same(cookies_of(scope).get(self._cookie(scope), ""), self._pass)

    async def _answer(self, scope: Scope, send: Send) -> None:
        """To a request without the cookie, or with a token in its address."""
        given = [value for key, value in _query(scope) if key == PARAMETER]
        headers = dict(headers_of(scope))
        clean = AGAIN.format(url=_without_token(scope))
        if given:
            cookie: list[Header] = []
            right = scope["method"] == "GET" and _same(given[-1], self._token or "")
            if right:
                secure = "; Secure" if scope.get("scheme") == "https" else ""
                value = f"{self._cookie(scope)}={self._pass}; Path=/; HttpOnly; SameSite=Strict{secure}"
                cookie = [(b"set-cookie", value.encode())]
            if right or _same(cookies_of(scope).get(self._cookie(scope), ""), self._pass):
                await reply(send, 200, clean, cookie)
                return
        elif headers.get(b"sec-fetch-site") == b"cross-site" and headers.get(b"sec-fetch-mode") == b"navigate":
            await reply(send, 200, clean)
            return
        await reply(send, 401, REFUSED)

    def _cookie(self, scope: Scope) -> str:
        """Cookies do not tell ports apart, their names do."""
        server = scope.get("server") or ("", 0)
        return f"lsr_access_{server[1]}"

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        files = scope["path"].lstrip("/").startswith(("media/", "_stcore/upload_file", "component/"))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {**COMMON, "content-security-policy": NOTHING if files else self._policy}
                kept = [(key, value) for key, value in message.get("headers", []) if key.lower().decode() not in ours]
                message = {
                    **message,
                    "headers": [*kept, *((key.encode(), value.encode()) for key, value in ours.items())],
                }
            await send(message)

        return sending


def _same(given: str, wanted: str) -> bool:
    return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


def _without_token(scope: Scope) -> str:
    """The address on this host, in a form that can stand in an attribute."""
    kept = urlencode([(key, value) for key, value in _query(scope) if key != PARAMETER])
    path = "/" + quote(scope["path"].lstrip("/\\"))  # two slashes would name another host
    return f"{path}?{kept}".replace("&", "&amp;") if kept else path


def cookies_of(scope: Scope) -> dict[str, str]:
    """Cookies of a request; what is no cookie is left out."""
    found: dict[str, str] = {}
    for key, value in headers_of(scope):
        if key == b"cookie":
            for part in value.decode("latin-1").split(";"):
                try:
                    found.update((name, morsel.value) for name, morsel in SimpleCookie(part).items())
                except CookieError:
                    continue
    return found
