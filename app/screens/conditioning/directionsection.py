"""The directions of a refinement's subspace on the page."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from lsr_app.screens.conditioning import conditioningtexts
from lsr_app.screens.conditioning import directionfigures as figures
from lsr_app.services import results
from lsr_app.shell import show
from lsr_app.shell.lab import experiments
from lsr_app.shell.lab.bench import Bench
from lsr_app.words import formats, texts
from lsr_core.errors import InputError
from lsr_core.refinement.results import Directions


def section(bench: Bench) -> None:
    """What each direction corrects, how slowly training would, and where it lives."""
    experiments.heading("directions")
    if bench.base is None:
        st.info(conditioningtexts.DIRECTIONS_NEED_RUN, icon=":material/info:")
        return
    try:
        found = results.directions(bench.base)
    except InputError as error:
        st.error(formats.markdown(texts.damaged(str(error))), icon=":material/error:")
        return
    if found is None or not len(found.index):
        st.info(
            conditioningtexts.DIRECTIONS_OLD if found is None else conditioningtexts.DIRECTIONS_NONE,
            icon=":material/info:",
        )
        return
    known = figures.has_frequencies(found)
    _headline(found)
    if not math.isnan(found.correlation):
        st.markdown(formats.markdown(conditioningtexts.correlation(found.correlation, len(found.index))))
    elif not known:
        st.caption(conditioningtexts.DIRECTIONS_NO_GRID)
    show.figure("directions" if known else "directions_share", figures.slowness(found))
    show.figure("layers", figures.layers(found))


def _headline(found: Directions) -> None:
    slowest = found.steps[np.isfinite(found.steps)].max(initial=1.0)
    strongest = int(np.argmax(found.share))
    where = f"direction {found.index[strongest]:,}, time constant {formats.error(float(found.steps[strongest]))}"
    items = [
        ("Longest time constant", formats.error(float(slowest)), "steps of gradient descent"),
        ("Removes most of the residual", f"{found.share[strongest]:.0%}", where),
    ]
    if not math.isnan(found.correlation):
        items.insert(0, ("Rank correlation, slowness and frequency", f"{found.correlation:+.2f}", "Spearman"))
    show.headline(items)
