"""What was read of uploads, kept between the runs of a page within one budget a session and one in all."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

OF_ONE = 256 * 2**20
IN_ALL = 768 * 2**20
MOST_OF_ONE = 6  # results, however small
SMALL = 4096  # bytes for which what holds no numbers counts


class Keeper:
    """Results by session and key; what was not looked at for longest goes first. Any thread may ask.

    Args:
        of_one: bytes that the results of one session may take.
        in_all: bytes of all sessions.
    """

    def __init__(self, of_one: int = OF_ONE, in_all: int = IN_ALL) -> None:
        self._of_one, self._in_all = of_one, in_all
        self._kept: OrderedDict[tuple[str, Hashable], tuple[Any, int]] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, session: str, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is kept, or what `make` gives, which is kept if the budget allows."""
        place = (session, key)
        with self._guard:
            if place in self._kept:
                self._kept.move_to_end(place)
                return self._kept[place][0]
        made = make()
        with self._guard:
            self._kept[place] = made, size_of(made)
            self._shrink(session)
        return made

    def forget(self, session: str) -> None:
        """A session has ended."""
        with self._guard:
            for place in [place for place in self._kept if place[0] == session]:
                del self._kept[place]

    def _shrink(self, session: str) -> None:
        mine = [place for place in self._kept if place[0] == session]
        while len(mine) > MOST_OF_ONE or sum(self._kept[place][1] for place in mine) > self._of_one:
            del self._kept[mine.pop(0)]
        while sum(size for _, size in self._kept.values()) > self._in_all:
            self._kept.popitem(last=False)


def size_of(found: Any) -> int:
    """Bytes of arrays and tensors, also inside dictionaries."""
    if isinstance(found, dict):
        return sum(size_of(part) for part in found.values())
    return int(found.nbytes) if isinstance(found, np.ndarray) or hasattr(found, "nbytes") else SMALL
