"""The experiments of the lesson, made once for all browsers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from lsr_app.screens.lesson.lessonlab import LessonTraining, Solution


@st.cache_resource(max_entries=16, show_spinner=False)
def result(key: str) -> Any:
    """What the experiment of a question of the lesson has found; what it builds on is made first, and each but once."""
    from lsr_app.screens.lesson import lessonlab, twobytwo

    experiments: dict[str, Callable[[], object]] = {
        "1": _training,
        "2": _solution,
        "3": lambda: lessonlab.put_into_weights(_solution()),
        "4": lambda: lessonlab.slow_directions(_solution()),
        "5": lambda: lessonlab.other_coordinates(_training().problem),
        "6": lessonlab.noisy,
    }
    return experiments[key]() if key in experiments else twobytwo.run(key)


@st.cache_resource(max_entries=1, show_spinner=False)
def _training() -> LessonTraining:
    from lsr_app.screens.lesson import lessonlab

    return lessonlab.train()


@st.cache_resource(max_entries=1, show_spinner=False)
def _solution() -> Solution:
    from lsr_app.screens.lesson import lessonlab

    return lessonlab.solve(_training().problem)
