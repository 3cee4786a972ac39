"""The experiments of the lesson, made once for all browsers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from lsr_app.screens.lesson.lessonlab import LessonTraining, Solution


@st.cache_resource(max_entries=8, show_spinner=False)
def result(step: int) -> Any:
    """What the experiment of a step of the lesson has found, 1 to 6; what it builds on is made first, and each but once."""
    from lsr_app.screens.lesson import lessonlab

    experiments: tuple[Callable[[], object], ...] = (
        _training,
        _solution,
        lambda: lessonlab.put_into_weights(_solution()),
        lambda: lessonlab.slow_directions(_solution()),
        lambda: lessonlab.other_coordinates(_training().problem),
        lessonlab.noisy,
    )
    return experiments[step - 1]()


@st.cache_resource(max_entries=1, show_spinner=False)
def _training() -> LessonTraining:
    from lsr_app.screens.lesson import lessonlab

    return lessonlab.train()


@st.cache_resource(max_entries=1, show_spinner=False)
def _solution() -> Solution:
    from lsr_app.screens.lesson import lessonlab

    return lessonlab.solve(_training().problem)
