"""Suites: equations that people quote, solved by stored recipes, beside what is published."""

from __future__ import annotations

import time

import streamlit as st

import lsr_samples
from lsr_app import places
from lsr_app.screens.suites import SCREEN, figures, suiterows, suitestexts
from lsr_app.shell import show
from lsr_app.words import formats
from lsr_core.suites import LISTS
from lsr_core.suites.kept import read

show.heading(SCREEN.title, SCREEN.lead)
suite = st.segmented_control(
    suitestexts.CHOOSE, list(LISTS), default="pinnacle", key="suite", format_func=suitestexts.title, required=True,
)  # fmt: skip
assert suite is not None
lines = suiterows.lines(LISTS[suite](), read(places.runs_root(), suite), read(lsr_samples.runs_folder(), suite))
made = [line for line in lines if line.kept is not None]
elsewhere = [line for line in lines if line.kept is None or line.shipped]
if made:
    below = [line.gain for line in made if line.gain is not None and line.gain > 1]
    compared = any(line.entry.published for line in lines)
    shipped = sum(line.shipped for line in made)
    tenfold = sum(gain >= 10 for gain in below)
    st.markdown(suitestexts.ran(len(made), shipped, len(below), tenfold, compared=compared))
if elsewhere:
    count = -1 if len(elsewhere) == len(lines) else len(elsewhere)
    st.caption(suitestexts.begin(suite, count, elsewhere[0].entry.name))
if any(line.error for line in lines):
    show.figure("suite_errors", figures.errors(lines))
now = time.time()
show.table(
    "suite_rows", suitestexts.COLUMNS, [suiterows.cells(line, now) for line in lines], caption=suitestexts.CAPTION,
    data=lambda: (suiterows.data(line) for line in lines), data_columns=suitestexts.DATA_COLUMNS,
)  # fmt: skip
for line in lines:
    if line.reason:
        st.caption(formats.markdown(f"{line.entry.name}: {line.reason}"))
st.caption(suitestexts.YARDSTICK)
