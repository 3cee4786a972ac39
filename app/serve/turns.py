"""Turns for the scripts of pages: a few at work at once, so that the one that has the processor is done soon.

A page that somebody has open goes before one that is only now being opened, by some seconds and not for ever. Who has had a turn for long,
which is who waits for something else, no longer counts: a turn is about the processor, and nobody waits for ever behind another.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 2
LONG_SECONDS = 4.0
LATER_SECONDS = 20.0
SEEN = 1024


class Turns:
    """Gives turns to sessions by name."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int]] = []
        self._begun: dict[int, float] = {}
        self._numbers = itertools.count()
        self._seen: OrderedDict[str, None] = OrderedDict()

    @contextmanager
    def turn(self, session: str) -> Iterator[None]:
        """Wait for a turn, and have it."""
        number = self._wait(session)
        try:
            yield
        finally:
            with self._changed:
                del self._begun[number]
                self._changed.notify_all()

    def _wait(self, session: str) -> int:
        with self._changed:
            number = next(self._numbers)
            mine = (time.monotonic() + (0.0 if session in self._seen else LATER_SECONDS), number)
            heapq.heappush(self._waiting, mine)
            while self._waiting[0] != mine or (left := self._until_free()) > 0:
                self._changed.wait(LONG_SECONDS if self._waiting[0] != mine else left)
            heapq.heappop(self._waiting)
            self._begun[number] = time.monotonic()
            self._seen[session] = None
            if len(self._seen) > SEEN:
                self._seen.popitem(last=False)
            self._changed.notify_all()
            return number

    def _until_free(self) -> float:
        """Seconds until a turn is free at the latest."""
        now = time.monotonic()
        recent = sorted(begun for begun in self._begun.values() if now - begun < LONG_SECONDS)
        return recent[0] + LONG_SECONDS - now if len(recent) >= self._at_once else 0.0


def install() -> None:
    """Let every run of a script in this process have a turn."""
    from streamlit.runtime.scriptrunner.script_runner import ScriptRunner

    turns = Turns()
    run = ScriptRunner._run_script

    def in_turn(runner: ScriptRunner, *given: object) -> None:
        with turns.turn(runner._session_id):
            run(runner, *given)  # type: ignore[arg-type]

    ScriptRunner._run_script = in_turn  # type: ignore[method-assign, assignment]
