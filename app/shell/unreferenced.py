"""A run of an equation whose solution nobody knows: its fields, without errors."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lsr_app.plots import ranks
from lsr_app.plots.base import Labelled
from lsr_app.plots.fields import known_fields
from lsr_app.shell import show
from lsr_app.words import texts


def fields(runs: Labelled, at: Sequence[int], output: int = 0) -> None:
    """Network and refined predictor, or losses by rank where there are too many inputs to draw a field."""
    st.info(texts.NO_REFERENCE, icon=":material/info:")
    panels = known_fields(runs, at, output)
    if len(panels) > 1:
        show.group("known_fields", panels)
    elif panels:
        show.figure("known_fields", panels[0][1])
    else:
        show.figure("errors_unreferenced", ranks.errors(runs, at, measure="mse"))
