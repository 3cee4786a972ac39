"""The lesson: six short steps, each a prediction, an experiment that runs at once, and the answer beside the prediction."""

from __future__ import annotations

import streamlit as st

from lsr_app.plots.base import enlarged
from lsr_app.screens.lesson import SCREEN, lessons, lessonsteps
from lsr_app.screens.lesson import lessontexts as words
from lsr_app.screens.lesson.lessonsteps import Answer
from lsr_app.shell import controls, show, state, style
from lsr_app.words import formats

GUESSES, DONE = "lsr_lesson_guesses", "lsr_lesson_done"  # what this tab has predicted and seen, by step
COUNT = len(words.QUESTIONS)
TITLES = {number: f"{number}. {question.title}" for number, question in enumerate(words.QUESTIONS, start=1)}


def which() -> int:
    """The step that the address names."""
    wanted = int(state.get("step"))
    if wanted > COUNT:
        state.say(words.no_such_step(wanted, COUNT))
        wanted = COUNT
        state.put_quietly("step", wanted)
    return max(1, wanted)


def steps(step: int) -> None:
    """The list of steps; in large type there is room for their numbers."""
    state.seed("step", step)
    st.segmented_control(
        "Step", list(TITLES), format_func=str if present else TITLES.__getitem__, required=True, label_visibility="collapsed",
        **state.bound("step"),
    )  # fmt: skip


def predict(step: int) -> int | None:
    """Ask; the answer stays as it was given once the experiment has run."""
    question = words.QUESTIONS[step - 1]
    guesses: dict[int, int] = st.session_state.setdefault(GUESSES, {})
    st.html(f"<p class='lsr-question'>{formats.page(question.question)}</p>")
    guess = st.radio(
        words.PREDICT, range(len(question.options)), index=guesses.get(step), key=f"guess_{step}",
        format_func=lambda index: formats.markdown(question.options[index]), disabled=step in done(),
    )  # fmt: skip
    if guess is not None:
        guesses[step] = int(guess)
    return guess


def done() -> set[int]:
    found: set[int] = st.session_state.setdefault(DONE, set())
    return found


def forget(step: int) -> None:
    """Ask anew."""
    done().discard(step)
    st.session_state[GUESSES].pop(step, None)
    st.session_state.pop(f"guess_{step}", None)


def answered(step: int, guess: int, answer: Answer) -> None:
    """The measurement beside the prediction."""
    question = words.QUESTIONS[step - 1]
    agrees = guess == answer.option
    show.side_by_side(
        (words.PREDICTED, question.options[guess], ""),
        (words.MEASURED, question.options[answer.option], words.AGREES if agrees else words.DIFFERS),
    )
    st.markdown(f"{formats.markdown(answer.sentence)} **{formats.markdown(question.conclusions[answer.option])}**")
    st.caption(formats.markdown(words.computed(formats.seconds(answer.seconds))))


present = bool(state.get("present"))
step = which()
if present:
    style.large_type()
place, switch = st.columns([3, 1], vertical_alignment="bottom")
with place:
    show.heading(SCREEN.title, "" if present else SCREEN.lead)
with switch:
    controls.toggle("present", words.PRESENT)
steps(step)
question = words.QUESTIONS[step - 1]
show.section(TITLES[step], question.task)
left, right = st.columns([1, 1.25], gap="large")
with left:
    guess = predict(step)
    if step not in done():
        run = st.button(words.RUN, type="primary", key="run_step", disabled=guess is None, icon=":material/play_arrow:")
        if guess is None:
            st.caption(words.PREDICT_FIRST)
        if run:
            with st.spinner(words.PREPARING):
                lessons.result(step)
            done().add(step)
            st.rerun()
    else:
        st.button(
            words.AGAIN, type="tertiary", key="forget_step", icon=":material/replay:", on_click=forget, args=(step,)
        )
with right:
    if step in done() and guess is not None:
        answered(step, guess, answer := lessonsteps.JUDGES[step - 1](lessons.result(step)))
if step in done() and guess is not None:
    picture = answer.draw()
    show.figure(f"lesson_{step}", enlarged(picture) if present else picture)
with st.container(horizontal=True, horizontal_alignment="distribute"):
    if step > 1:
        st.button(
            words.PREVIOUS,
            key="previous_step",
            icon=":material/arrow_back:",
            on_click=state.put,
            args=("step", step - 1),
        )
    if step < COUNT:
        st.button(
            words.NEXT, key="next_step", icon=":material/arrow_forward:", on_click=state.put, args=("step", step + 1)
        )
