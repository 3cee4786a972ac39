"""Lists of equations that people quote, each with a recipe, solved one after the other and reported side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsr_core.suites.entries import SuiteEntry


def _accuracy() -> tuple[SuiteEntry, ...]:
    from lsr_core.suites.accuracy import ENTRIES

    return ENTRIES


def _pinnacle() -> tuple[SuiteEntry, ...]:
    from lsr_core.suites.pinnacle import ENTRIES

    return ENTRIES


def _systems() -> tuple[SuiteEntry, ...]:
    from lsr_core.suites.systems import ENTRIES

    return ENTRIES


LISTS: dict[str, Callable[[], tuple[SuiteEntry, ...]]] = {
    "accuracy": _accuracy,
    "pinnacle": _pinnacle,
    "systems": _systems,
}
