"""A suite run entry by entry, each in a process of its own, which makes its memory its own."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from lsr_core.errors import InputError
from lsr_core.suites import LISTS
from lsr_core.suites.entries import SuiteEntry

STARTING = 60.0  # seconds that a process may take beyond what it was given, to start and to write
FAILED, WORSE = "failed", "worse than published"


class SuiteRow(BaseModel):
    """What became of one equation.

    Attributes:
        relative_l2: of all outputs together, at the test points; None where it failed.
        relative_l2_by_output: the same for each output.
        seconds: of the whole process.
        peak_rss_bytes: largest memory of the process.
        published: smallest error that is published.
        reference_error: of the solution that the error is measured against; zero for a formula. No smaller error is shown by it.
        status: `ok`, `worse than published`, `not solved` with the reason, or `failed` with it.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    relative_l2: float | None
    relative_l2_by_output: dict[str, float]
    seconds: float
    peak_rss_bytes: int | None
    published: float | None
    reference_error: float | None
    status: str


def entries(suite: str, only: Sequence[str]) -> list[SuiteEntry]:
    """Those of a suite that are asked for, all if none is named.

    Raises:
        InputError: a name that the suite does not have.
    """
    known = {entry.name: entry for entry in LISTS[suite]()}
    if unknown := [name for name in only if name not in known]:
        raise InputError(f"{unknown[0]!r:.60} is not in the suite {suite}; it has {', '.join(known)}", key="only")
    return [known[name] for name in only] if only else list(known.values())


def run(suite: str, entry: SuiteEntry, seed: int, seconds: float, tell: Callable[[str], None]) -> SuiteRow:
    """One entry in a process of its own, ended when its time is up."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "lsr_core.suites", suite, entry.name, str(seed), str(seconds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + STARTING, check=False)
        lines = done.stdout.strip().splitlines()
        figures: dict[str, Any] = json.loads(lines[-1]) if done.returncode == 0 and lines else {}
        reason = (done.stderr.strip().splitlines() or ["the process ended without a word"])[-1]
    except subprocess.TimeoutExpired:
        figures, reason = {}, f"the {seconds:g} s were up"
    taken = time.perf_counter() - began
    tell(f"{entry.name}, seed {seed}: {figures.get('relative_l2', reason)}, {taken:.0f} s")
    return SuiteRow(
        name=entry.name,
        relative_l2=figures.get("relative_l2"),
        relative_l2_by_output=figures.get("relative_l2_by_output", {}),
        seconds=taken,
        peak_rss_bytes=figures.get("peak_rss_bytes"),
        published=entry.published,
        reference_error=entry.reference_error,
        status=_status(figures, entry) or f"{FAILED}: {reason}"[:500],
    )


def _status(figures: dict[str, Any], entry: SuiteEntry) -> str:
    """That of what was found, beside what is published; empty where nothing was found."""
    error, status = figures.get("relative_l2"), str(figures.get("status", ""))
    worse = error is not None and entry.published is not None and error > entry.published
    return WORSE if worse and status == "ok" else status


def middle(rows: Sequence[SuiteRow]) -> SuiteRow:
    """The row with the median error of several seeds; one that failed counts as the largest."""
    ordered = sorted(rows, key=lambda row: math.inf if row.relative_l2 is None else row.relative_l2)
    return ordered[len(ordered) // 2]
