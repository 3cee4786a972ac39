"""The lesson: questions with experiments that run at once, four fits side by side, and dials to turn."""

from __future__ import annotations

import streamlit as st

from lsr_app.screens.lesson import SCREEN, asking, classroom, dialsection, handout
from lsr_app.screens.lesson import lessontexts as words
from lsr_app.shell import controls, pages, show, state, style

TITLES = {number: f"{number}. {title}" for number, title in enumerate(words.TITLES, start=1)}
COUNT = len(TITLES)
CELLS, BOWL, PRECISION = COUNT - 2, COUNT - 1, COUNT


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


def part(step: int) -> None:
    """What a step shows."""
    if step < CELLS:
        question = words.ASKED[str(step)]
        show.section(TITLES[step], question.task)
        asking.section(question)
    elif step == CELLS:
        show.section(TITLES[step], words.TWO_BY_TWO_TASK)
        cell = controls.words("cell", words.CELL, words.CELLS, visible=True)
        asking.section(words.ASKED[cell])
    elif step == BOWL:
        show.section(TITLES[step], words.STEP_SIZE_TASK)
        dialsection.step_size()
    else:
        show.section(TITLES[step], words.PRECISION_TASK)
        dialsection.precision()


def moves(step: int) -> None:
    """To the steps beside this one."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        for key, label, icon, there in (
            ("previous_step", words.PREVIOUS, ":material/arrow_back:", step - 1),
            ("next_step", words.NEXT, ":material/arrow_forward:", step + 1),
        ):
            if there in TITLES:
                st.button(label, key=key, icon=icon, on_click=state.put, args=("step", there))


def leads_on() -> None:
    """What was answered, to take along, and what to do next."""
    said = {key: one for key, one in classroom.said(controls.now().owner).items() if one.done}
    if said:
        told = {key: (words.ASKED[key], said[key], asking.answer_of(key)) for key in words.ASKED if key in said}
        st.download_button(
            words.HANDOUT, data=lambda: handout.page(told), file_name="lsr-lesson.html", mime="text/html", key="handout", on_click="ignore",
            icon=":material/print:", help=words.HANDOUT_LEAD,
        )  # fmt: skip
    if step == COUNT:
        show.section(words.GO_ON)
        with show.row():
            show.link(pages.START, words.GO_ON_SAMPLE, ":material/play_circle:")
            show.link("bring", words.GO_ON_OWN, ":material/upload:")


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
part(step)
moves(step)
leads_on()
