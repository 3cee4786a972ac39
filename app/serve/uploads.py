"""How many bytes of uploads may be on their way here, or lie here: one says how long it is, and waits for room before it is read."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from lsr_app.serve.asgi import PAGE, App, Receive, Scope, Send, refuse, values
from lsr_app.serve.limits import visitor
from lsr_core.refinement import serverlimits

MEGABYTES = serverlimits.current().upload_megabytes
MOST = MEGABYTES * 2**20
FRAME = 2**16  # what a form adds to the file in it
FLYING_OF_VISITOR, FLYING_IN_ALL = 2 * (MOST + FRAME), 4 * (MOST + FRAME)
KEPT_OF_SESSION, KEPT_IN_ALL = 3 * MOST, 6 * MOST
OTHER_BODIES = 2**16
PATIENCE_SECONDS, LOOK_SECONDS = 60.0, 0.2
RETRY_SECONDS = 30
PATH = "/_stcore/upload_file/"
Kept = Callable[[str], tuple[int, int]]


class Uploads:
    """Lets uploads through that fit, a few at a time.

    Args:
        app: what is guarded.
        kept: bytes of files that lie here, of the session named and in all.
    """

    def __init__(self, app: App, kept: Kept) -> None:
        self._app = app
        self._kept = kept
        self._flying: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length, who = _length(scope), visitor(scope)
        status, why = await self._room(scope, length, who)
        if why:
            again = {"retry-after": str(RETRY_SECONDS)} if status == 503 else {}
            await refuse(scope, receive, send, status, f"{PAGE}<p>{why}</p>", again)
            return
        self._flying.update({who: length, "all": length})
        try:
            await self._app(scope, receive, send)
        finally:
            self._flying.subtract({who: length, "all": length})
            self._flying = +self._flying

    async def _room(self, scope: Scope, length: int, who: str) -> tuple[int, str]:
        """Wait a while until it fits. Nothing is read meanwhile, so that the browser waits as well."""
        until = time.monotonic() + PATIENCE_SECONDS
        status, why = self._why_not(scope, length, who)
        while status == 503 and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
            status, why = self._why_not(scope, length, who)
        return status, why

    def _why_not(self, scope: Scope, length: int, who: str) -> tuple[int, str]:
        if length < 0:
            return 411, "A request with a body says how long it is."
        if not scope["path"].startswith(PATH):
            return (413, "This is too long.") if length > OTHER_BODIES else (0, "")
        if length > MOST + FRAME:
            return 413, f"A file may have {MEGABYTES} MB."
        of_session, in_all = self._kept(scope["path"].removeprefix(PATH).split("/")[0])
        if length and of_session + length > KEPT_OF_SESSION:
            return (
                413,
                f"A page holds files of {KEPT_OF_SESSION // 2**20} MB at most; remove one, or load the page again.",
            )
        if self._flying[who] + length > FLYING_OF_VISITOR:
            return 503, f"Other files of yours are on their way. Try again in {RETRY_SECONDS} seconds."
        if self._flying["all"] + length > FLYING_IN_ALL or in_all + self._flying["all"] + length > KEPT_IN_ALL:
            return 503, f"Files of others fill the room for uploads. Try again in {RETRY_SECONDS} seconds."
        return 0, ""


def _length(scope: Scope) -> int:
    """Bytes of the body, -1 if that is not said."""
    if values(scope, "transfer-encoding"):
        return -1
    lengths = values(scope, "content-length") or ["0"]
    return int(lengths[0]) if len(lengths) == 1 and lengths[0].isascii() and lengths[0].isdigit() else -1
