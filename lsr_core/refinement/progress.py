"""Stages of a long computation, reported as one fraction."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

ProgressCallback = Callable[[str, float], None]


def silent(stage: str, fraction: float) -> None:
    """Report to nobody."""


def default_callback() -> ProgressCallback:
    """A bar in a notebook; elsewhere nobody is told."""
    if not _in_notebook():
        return silent
    from tqdm import tqdm

    bar = tqdm(total=1.0, bar_format="{desc:<18}{percentage:3.0f} % |{bar}| {elapsed}")

    def show(stage: str, fraction: float) -> None:
        bar.set_description_str(stage)
        bar.update(fraction - bar.n)

    return show


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


class Progress:
    """Turns fractions of stages into a fraction of the whole, and times the stages.

    Args:
        callback: called with (stage, overall fraction); an exception raised by it stops the work.
        stages: stage names in order with their expected shares.
    """

    def __init__(self, callback: ProgressCallback, stages: Mapping[str, float]) -> None:
        self._callback = callback
        self._stages = stages
        self._total = sum(stages.values())
        self.restart()

    def restart(self) -> None:
        """Begin anew, for a second try by another way."""
        self._name = ""
        self._since = time.perf_counter()
        self._timings: dict[str, float] = {}

    def stage(self, name: str) -> None:
        """Enter a stage."""
        self._close()
        self._name = name
        self.fraction(0.0)

    def fraction(self, done: float) -> None:
        """Report the share of the present stage that is done."""
        names = list(self._stages)
        before = sum(self._stages[name] for name in names[: names.index(self._name)])
        self._callback(self._name, (before + done * self._stages[self._name]) / self._total)

    def finish(self) -> dict[str, float]:
        """Seconds by stage."""
        self._close()
        self._name = ""
        return dict(self._timings)

    def _close(self) -> None:
        now = time.perf_counter()
        if self._name:
            self._timings[self._name] = self._timings.get(self._name, 0.0) + now - self._since
        self._since = now
