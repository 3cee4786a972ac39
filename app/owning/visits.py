"""Who is here: sessions by owner, and what goes with the last of them."""

from __future__ import annotations

import threading
from collections import Counter

from lsr_app.owning import brought

GRACE_SECONDS = 150.0  # a page that is loaded again, or a machine that wakes up, is back by then
_present: Counter[str] = Counter()
_lock = threading.Lock()


def arrive(owner: str) -> None:
    """A session of this owner has begun."""
    with _lock:
        _present[owner] += 1
    brought.sign(owner)


def leave(owner: str) -> None:
    """A session has ended; if no other of its owner's begins within the grace, what it brought is forgotten."""
    with _lock:
        _present[owner] -= 1
        last = _present[owner] <= 0
        if last:
            del _present[owner]
    if last:
        timer = threading.Timer(GRACE_SECONDS, _forget, (owner,))
        timer.daemon = True
        timer.start()


def _forget(owner: str) -> None:
    with _lock:
        if _present[owner] > 0:
            return
    brought.forget(owner)
