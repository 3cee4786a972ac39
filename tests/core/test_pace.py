"""Progress never runs backwards, and tells the time that is left where an earlier job has shown how it goes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsr_core.jobs import pace
from lsr_core.jobs.pace import Pace

LONG_END = [(0.0, 0.0), (0.85, 0.35), (0.92, 0.95), (1.0, 1.0)]  # loss paths that take most of the time


def forecasts(course: pace.Course | None, stages: pace.Course, seconds: float) -> list[tuple[float, float]]:
    """(share of the time that has truly passed, forecast of the whole) while a job goes through (fraction, share) stages."""
    mine, told = Pace(course), []
    reports = [(fraction, share * seconds) for fraction, share in stages[:-1]]
    for tick in range(1, 100):
        now = tick * seconds / 100
        for fraction, at in reports:
            if at <= now:
                mine.report(fraction, at)
        _, remaining = mine.at(now)
        if remaining is not None:
            told.append((now / seconds, now + remaining))
    return told


def test_a_known_course_foretells_the_time_from_a_fifth_on() -> None:
    for seconds in (3.0, 40.0, 700.0):
        found = forecasts(LONG_END, [(0.4, 0.15), (0.85, 0.36), (0.92, 0.93), (1.0, 1.0)], seconds)
        wrong = [abs(total - seconds) / seconds for share, total in found if share >= 0.2]
        assert wrong
        assert max(wrong) <= 0.3


def test_without_one_it_is_as_wrong_as_it_was_seen() -> None:
    """The fault that a course mends: a long last stage that was given a small part of the bar."""
    found = forecasts(None, LONG_END, 100.0)
    assert min(total for share, total in found if 0.3 < share < 0.5) < 60


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 5)), max_size=40), st.booleans())
def test_the_share_never_falls_and_never_says_done(reports: list[tuple[float, float]], learnt: bool) -> None:
    mine, now, last = Pace(LONG_END if learnt else None), 0.0, 0.0
    for fraction, after in reports:
        now += after
        mine.report(fraction, now)
        for later in (0.0, 0.5, 3.0):
            share, remaining = mine.at(now + later)
            assert last <= share <= 1
            assert remaining is None or remaining >= 0
            last = share
        now += 3.0


def test_what_a_job_teaches_is_a_course(tmp_path: Path) -> None:
    mine = Pace()
    for tick in range(1, 300):
        mine.report(tick / 300, tick**1.5)
    pace.note(tmp_path, "refine", "sine2d", mine.course(300**1.5))
    found = pace.known(tmp_path, "refine", "sine2d")
    assert found is not None
    assert len(found) <= pace.MOST_POINTS + 2
    assert pace.known(tmp_path, "refine", "another") == found
    assert pace.known(tmp_path, "race", "sine2d") is None
    assert pace.interpolated(found, 0.5) == pytest.approx(0.5**1.5, abs=0.03)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[" * 200_000,
        "[]",
        "null",
        '{"refine": 3}',
        '{"refine": [[0, 0], [0.5, 2], [0.4, 1]]}',
        '{"refine": [["a", "b"]]}',
    ],
)
def test_a_file_that_is_none_of_ours_teaches_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / pace.FILE).write_text(text, encoding="utf-8")
    assert pace.known(tmp_path, "refine", "x") is None
    pace.note(tmp_path, "refine", "x", [(0.0, 0.0), (1.0, 1.0)])
    assert json.loads((tmp_path / pace.FILE).read_text(encoding="utf-8"))


@pytest.mark.parametrize("put", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_what_is_no_plain_file_is_not_waited_for(put: Callable[[Path], object], tmp_path: Path) -> None:
    put(tmp_path / pace.FILE)
    assert pace.known(tmp_path, "refine", "x") is None


def test_many_kinds_do_not_grow_the_file_for_ever(tmp_path: Path) -> None:
    for place in range(3 * pace.MOST_JOBS):
        pace.note(tmp_path, "refine", str(place), [(0.0, 0.0), (1.0, 1.0)])
    assert len(json.loads((tmp_path / pace.FILE).read_text(encoding="utf-8"))) <= pace.MOST_JOBS
