"""A clock that stands still while errors are measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Seconds of work.

    Args:
        spent: where it begins.
    """

    def __init__(self, spent: float = 0.0) -> None:
        self._since = time.perf_counter() - spent

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._since

    @contextmanager
    def standing(self) -> Iterator[None]:
        """What happens here takes no time."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._since += time.perf_counter() - began
