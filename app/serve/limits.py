"""How often and how many: a bucket that fills with time, and counts by visitor and by address."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import HTTPConnection

from lsr_app.owning import owner
from lsr_app.serve.asgi import Scope, address

Ticks = Callable[[], float]


class Bucket:
    """Holds up to `size` drops, and one more every `1 / rate` seconds; each event takes one.

    Args:
        size: how many events may come at once.
        rate: how many a second may follow.
        clock: seconds.
    """

    def __init__(self, size: float, rate: float, clock: Ticks = time.monotonic) -> None:
        self._size, self._rate, self._clock = size, rate, clock
        self._level, self._seen = size, clock()

    def wait(self) -> float:
        """Seconds until an event may happen, 0 now; takes nothing."""
        now = self._clock()
        self._level = min(self._size, self._level + (now - self._seen) * self._rate)
        self._seen = now
        return max(0.0, (1.0 - self._level) / self._rate)

    def take(self) -> bool:
        """Whether an event may happen now; then it has."""
        if self.wait() > 0.0:
            return False
        self._level -= 1.0
        return True


class Buckets:
    """A bucket for each name, of the names that came last."""

    def __init__(self, size: float, rate: float, clock: Ticks = time.monotonic, most: int = 4096) -> None:
        self._kind = (size, rate, clock)
        self._most = most
        self._known: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, name: str) -> Bucket:
        bucket = self._known.setdefault(name, Bucket(*self._kind))
        self._known.move_to_end(name)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return bucket


def visitor(scope: Scope) -> str:
    """Who asks: a browser by its cookie, and without one whoever is at that address."""
    token = owner.unmasked(HTTPConnection(scope).cookies.get(owner.COOKIE, ""))
    return f"address {address(scope)}" if token is None else token.hex()
