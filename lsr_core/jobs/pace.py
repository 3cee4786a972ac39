"""How the time of a job is spread over its stages, learnt from earlier jobs on this machine, so that a bar neither jumps nor runs backwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from lsr_core.errors import InputError
from lsr_core.storage import atomic, inside

FILE = ".pace.json"
MAX_BYTES = 2**20
MOST_JOBS, MOST_POINTS = 64, 64
Course = list[
    tuple[float, float]
]  # (fraction of the work as the job counts it, share of its time), both rising from 0 to 1


class Pace:
    """Turns the fraction that a job reports into the share of its time that has passed.

    Args:
        course: of an earlier job of the kind; without one the fractions are taken for shares of time.
    """

    def __init__(self, course: Course | None = None) -> None:
        self._course = course or [(0.0, 0.0), (1.0, 1.0)]
        self._seen: Course = [(0.0, 0.0)]
        self._shown = 0.0
        self._since = (0.0, 0.0)  # share and seconds at the last report

    def report(self, fraction: float, seconds: float) -> None:
        """The job is at `fraction` after `seconds`."""
        share = interpolated(self._course, fraction)
        if share > self._since[0]:
            self._since = (share, seconds)
        if fraction > self._seen[-1][0]:
            self._seen.append((fraction, seconds))

    def at(self, seconds: float) -> tuple[float, float | None]:
        """(share of the time that has passed, seconds that remain or None where nothing is known yet); the share never falls.

        Between two reports the share goes on with the clock, at the pace so far, to the next place at which a report is due.
        """
        share, told_at = self._since
        if share <= 0:
            return self._shown, None
        total = told_at / share
        due = next((later for _, later in self._course if later > share), 1.0)
        going = min(max(share, seconds / total if total > 0 else share), max(share, min(due, 0.99)))
        self._shown = max(self._shown, going)
        return self._shown, max(0.0, seconds * (1 - self._shown) / self._shown)

    def course(self, seconds: float) -> Course:
        """How the time went, of a job that has ended after `seconds`."""
        rising = [(fraction, min(1.0, spent / seconds)) for fraction, spent in self._seen if seconds > 0]
        every = max(1, -(-len(rising) // MOST_POINTS))
        return [*rising[::every], (1.0, 1.0)] if rising and rising[-1][0] < 1 else [*rising[:-1:every], (1.0, 1.0)]


def interpolated(course: Sequence[tuple[float, float]], fraction: float) -> float:
    """The share of time at a fraction of the work."""
    fraction = min(1.0, max(0.0, fraction))
    for (before, low), (after, high) in pairwise(course):
        if fraction <= after:
            return high if after == before else low + (high - low) * (fraction - before) / (after - before)
    return 1.0


def known(root: Path, kind: str, problem: str) -> Course | None:
    """The course of the last job of this kind and problem in a folder of runs, else of the kind; None where there was none."""
    courses = _read(root)
    return courses.get(f"{kind}/{problem}") or courses.get(kind)


def note(root: Path, kind: str, problem: str, course: Course) -> None:
    """Keep the course of a job that has ended; of two that end at once one is kept."""
    courses = _read(root)
    for key in (kind, f"{kind}/{problem}"):
        courses.pop(key, None)
        courses[key] = course
    kept = dict(list(courses.items())[-MOST_JOBS:])
    atomic.write_text(root / FILE, json.dumps({key: [list(point) for point in course] for key, course in kept.items()}))


def _read(root: Path) -> dict[str, Course]:
    """What was noted; nothing where the file is missing, or is none that `note` would write."""
    try:
        found = json.loads(inside.read(root / FILE, MAX_BYTES))
        courses = {str(key): [(float(a), float(b)) for a, b in course] for key, course in found.items()}
    except (InputError, OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return {key: course for key, course in courses.items() if _is_course(course)}


def _is_course(course: Course) -> bool:
    ends = len(course) >= 2 and course[0] == (0.0, 0.0) and course[-1] == (1.0, 1.0)
    return ends and all(a < b and low <= high for (a, low), (b, high) in pairwise(course))
