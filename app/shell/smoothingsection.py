"""What pages show of a smoothed refinement, where there is one."""

from __future__ import annotations

import numpy as np
import streamlit as st

from lsr_app.plots import smoothing
from lsr_app.reading.rundata import RunData
from lsr_app.services import results
from lsr_app.shell import show
from lsr_app.shell.controls import Now
from lsr_app.words import formats, smoothingtexts
from lsr_core.refinement.smoothing_record import SmoothingCurves
from lsr_core.storage import digests


def numbers(now: Now, data: RunData) -> None:
    """Strength, degrees of freedom, noise and the figure of the criterion."""
    summary, found = data.summary, _curves(now)
    if summary.regularisation is None:
        return
    st.subheader("Smoothing", anchor=False)
    show.headline([(label, value, formats.page(remark)) for label, value, remark in smoothingtexts.numbers(summary)])
    st.markdown(formats.markdown(smoothingtexts.sentence(summary)))
    if found is None:
        return
    left, right = st.columns(2, gap="medium")
    with left:
        show.figure("criterion", smoothing.criterion(found, found.chosen))
    if smoothing.has_calibration(found):
        with right:
            show.figure("calibration", smoothing.calibration(found))


def glance(now: Now, data: RunData, rank: int) -> None:
    """The noise, how often bands hold, and bands of the run's own strength where the rank shown is its own."""
    if data.summary.regularisation is None:
        return
    found = smoothingtexts.numbers(data.summary)[smoothingtexts.OF_NOISE]
    show.headline([(label, value, formats.page(remark)) for label, value, remark in found])
    if (banded := smoothing.at_own_strength(data, _curves(now), rank)) is not None:
        show.figure(*banded)
    if data.summary.rank == 0 and now.run is not None:
        st.caption(f"{smoothingtexts.kept(banded=digests.there(now.run.spread_path))}.")


def fields(now: Now, data: RunData, output: int, axes: tuple[int, int]) -> None:
    """Bands at a strength of one's choice."""
    found = _curves(now)
    if found is not None and smoothing.has_fields(found):
        _at_strength(data, found, output, axes)


@st.fragment
def _at_strength(data: RunData, found: SmoothingCurves, output: int, axes: tuple[int, int]) -> None:
    strengths = found.shown.tolist()
    chosen = smoothing.chosen_place(found)
    place = st.select_slider(
        smoothingtexts.STRENGTH, range(len(strengths)), value=chosen, key=f"smoothing_{data.id}",
        format_func=lambda index: formats.error(strengths[index]) + (smoothingtexts.CHOSEN if index == chosen else ""),
        help=smoothingtexts.STRENGTH_HELP,
    )  # fmt: skip
    inside = smoothing.has_inside(found) and not st.toggle(
        smoothingtexts.OUTSIDE, value=True, key=f"outside_{data.id}", help=smoothingtexts.OUTSIDE_HELP
    )
    show.figure(*smoothing.field(data, found, place, output, axes, inside=inside))
    error = found.error[place, :, output]
    st.caption(
        formats.markdown(
            smoothingtexts.at_strength(
                float(np.sqrt(np.mean(error.astype(float) ** 2))), smoothing.noise_at(found, place, output)
            )
        )
    )


def _curves(now: Now) -> SmoothingCurves | None:
    return None if now.run is None else results.smoothing(now.run)
