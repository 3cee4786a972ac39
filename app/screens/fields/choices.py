"""What the page shows: which of its parts, and where a slice lies."""

from __future__ import annotations

import streamlit as st

from lsr_app.reading.rundata import RunData
from lsr_app.shell import controls, state
from lsr_app.words import formats, texts

MOST_AXES = 4  # inputs of which two at a time make a map worth looking at


def section(data: RunData) -> str:
    """Which part of Error fields is drawn; only that part is computed. A single input has no slices, and many inputs have no maps."""
    left_out = {"slices"} if data.dimension == 1 else set()
    if data.dimension <= 2:
        left_out |= {"samples"}
    elif data.dimension > MOST_AXES or data.parts.section == "classes":
        left_out |= {"maps", "slices"}
    options = {name: word for name, word in texts.SECTIONS.items() if name not in left_out}
    if data.dimension == 1:
        options["maps"] = texts.SECTION_CURVES
    if data.dimension > 2:
        options = {"samples": options.pop("samples"), **options}
    usual = next(iter(options))
    if state.get("section") not in options or (usual == "samples" and not state.asked("section")):
        state.put_quietly("section", usual)
    return controls.words("section", "Part of the page", options)


def slice_through(data: RunData) -> tuple[int, float]:
    """The input a slice runs along, and where it cuts the other (0 to 1 of its range)."""
    names = [data.input_name(place) for place in range(data.dimension)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        along = controls.pick("along", "Along", names)
        across = next(place for place in range(data.dimension) if place != along)
        state.seed("at", int(state.get("at")))
        at = st.slider(
            f"Position in {formats.markdown(names[across])}, % of its range",
            0,
            100,
            step=1,
            **state.bound("at"),
            width=340,
        )
    return along, at / 100
