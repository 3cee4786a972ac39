"""One question on the page: asked, run, answered beside the prediction, and what the class predicted."""

from __future__ import annotations

import streamlit as st

from lsr_app.plots.base import enlarged
from lsr_app.screens.lesson import classroom, dialfigures, lessons
from lsr_app.screens.lesson import lessontexts as words
from lsr_app.screens.lesson.lessonsteps import JUDGES, Answer
from lsr_app.screens.lesson.lessontexts import Asked
from lsr_app.shell import controls, show, state
from lsr_app.words import formats

CLASS_SECONDS = 5.0  # between looks at what others predicted
FEWEST = 2  # browsers, from which a class is shown


def section(question: Asked) -> None:
    """The question at the left, its answer at the right, the figure below."""
    owner, key = controls.now().owner, question.key
    left, right = st.columns([1, 1.25], gap="large")
    with left:
        guess = _predict(owner, question)
        if not _done(owner, key):
            _run(owner, question, guess)
        else:
            st.button(
                words.AGAIN,
                type="tertiary",
                key="forget_step",
                icon=":material/replay:",
                on_click=_forget,
                args=(owner, key),
            )
    if not _done(owner, key) or guess is None:
        return
    answer = answer_of(key)
    with right:
        _answered(question, guess, answer)
    picture = answer.draw()
    show.figure(f"lesson_{question.figure}", enlarged(picture) if state.get("present") else picture)
    _class(question, answer.option)


def answer_of(key: str) -> Answer:
    """What the experiment of a question shows."""
    return JUDGES[key](lessons.result(key))


def _predict(owner: str, question: Asked) -> int | None:
    """Ask; the answer stays as it was given once the experiment has run, and after the page is loaded again."""
    st.html(f"<p class='lsr-question'>{formats.page(question.question)}</p>")
    said = classroom.said(owner).get(question.key)
    guess = st.radio(
        words.PREDICT, range(len(question.options)), index=said.guess if said else None, key=f"guess_{question.key}",
        format_func=lambda index: formats.markdown(question.options[index]), disabled=_done(owner, question.key),
    )  # fmt: skip
    if guess is not None:
        classroom.say(owner, question.key, int(guess))
    return guess


def _run(owner: str, question: Asked, guess: int | None) -> None:
    pressed = st.button(words.RUN, type="primary", key="run_step", disabled=guess is None, icon=":material/play_arrow:")
    if guess is None:
        st.caption(words.PREDICT_FIRST)
    elif pressed:
        with st.spinner(words.PREPARING):
            lessons.result(question.key)
        classroom.say(owner, question.key, guess, done=True)
        st.rerun()


def _done(owner: str, key: str) -> bool:
    said = classroom.said(owner).get(key)
    return said is not None and said.done


def _forget(owner: str, key: str) -> None:
    classroom.forget(owner, key)
    st.session_state.pop(f"guess_{key}", None)


def _answered(question: Asked, guess: int, answer: Answer) -> None:
    """The measurement beside the prediction."""
    show.side_by_side(
        (words.PREDICTED, question.options[guess], ""),
        (words.MEASURED, question.options[answer.option], words.AGREES if guess == answer.option else words.DIFFERS),
    )
    st.markdown(f"{formats.markdown(answer.sentence)} **{formats.markdown(question.conclusions[answer.option])}**")
    st.caption(formats.markdown(words.computed(formats.seconds(answer.seconds))))


@st.fragment(run_every=CLASS_SECONDS)
def _class(question: Asked, right: int) -> None:
    """What browsers on this server predicted, as counts, once there are several."""
    counts = classroom.counts(question.key, len(question.options))
    if sum(counts) < FEWEST:
        return
    picture = dialfigures.class_predictions(question.options, counts, right)
    show.figure("lesson_class", enlarged(picture) if state.get("present") else picture)
    st.caption(words.class_said(sum(counts), counts[right]))
