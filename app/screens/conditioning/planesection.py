"""The loss plane on the page, and the form for another one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import streamlit as st
from pydantic import ValidationError

from lsr_app.screens.conditioning import conditioningtexts
from lsr_app.screens.conditioning import planefigures as planes
from lsr_app.services import jobs, results
from lsr_app.shell import show
from lsr_app.shell.controls import Now
from lsr_app.shell.lab import experiments
from lsr_app.shell.lab.bench import Bench
from lsr_app.shell.launch import launch
from lsr_app.words import formats, texts
from lsr_core.diagnosis.plane import ROWS, PlaneSettings
from lsr_core.errors import InputError
from lsr_core.refinement.results import LossPlane
from lsr_core.storage.runs import Run
from lsr_core.validation import describe

WHOLE_STEP = (-0.5, 1.5)
BEYOND = 4  # times the reach of agreement


def section(now: Now, bench: Bench) -> None:
    """The plane that is shown, as fine as it is so far."""
    experiments.heading("plane")
    plane = experiments.result(now, bench, "plane", results.plane)
    if plane is not None:
        _results(plane, bench.runs["plane"])
    if bench.base is None:
        st.info(conditioningtexts.PLANE_NEEDS_RUN, icon=":material/info:")
    elif bench.base.summary.rank == 0:
        st.info(conditioningtexts.PLANE_NEEDS_STEP, icon=":material/info:")
    else:
        _form(now, bench, bench.base)


def _results(plane: LossPlane, run: Run) -> None:
    name = str(run.manifest.settings.get("direction", ""))
    near = plane.neighbourhood
    network, linear = (planes.lowest_at(plane, which) for which in ("nonlinear", "linearised"))
    _headline(plane, float(near.mean()))
    st.markdown(
        formats.markdown(
            conditioningtexts.plane_sentence(
                int(near.sum()), near.size, formats.error(plane.length), conditioningtexts.SECOND_DIRECTIONS.get(name, name).lower()
            )
            + " "
            + conditioningtexts.plane_lowest(
                formats.error(network[1], 3), _at(network[0]), formats.error(linear[1], 3), _at(linear[0])
            )
        )
    )  # fmt: skip
    shared = planes.limits(plane)
    show.group(
        "plane",
        [
            (words, planes.losses(plane, which, shared))
            for which, words in conditioningtexts.PLANE_PANELS.items()
        ],
        extra=lambda: show.key(planes.key(plane)),
    )  # fmt: skip
    hidden = int((~np.isfinite(plane.nonlinear)).sum())
    growing = run.status().status in ("queued", "running")
    st.caption(
        formats.markdown(
            conditioningtexts.plane_grid(
                len(plane.beta),
                len(plane.alpha),
                growing,
                f"{plane.n_rows:,} of the rows that are fitted, evenly spread",
                hidden,
            )
        )
    )


def _headline(plane: LossPlane, share: float) -> None:
    items = [("Both agree around θ0", f"{100 * share:.3g} %", "of the plane, within 10 %")]
    if (end := planes.at_end(plane)) is not None:
        network, linear = end
        items.append(show.before_after("Loss of the linear model at Δθ", plane.base, linear))
        items.append(
            show.coloured(
                "Loss of the network at θ0 + Δθ", formats.error(network), "step", formats.factor(plane.base, network)
            )
        )
    show.headline(items)


def _near(base: Run) -> float:
    """How far to go to see where the linear model ends to hold: some times the reach of agreement along the step; 0 if not known."""
    try:
        paths = results.load(base).paths
    except InputError:
        return 0.0
    rung = int(np.argmin(np.abs(paths.ranks - base.summary.rank)))
    found = float(f"{BEYOND * float(paths.agreement[rung, 1]):.1g}")
    return found if math.isfinite(found) and 0 < found < WHOLE_STEP[1] else 0.0


def _at(place: tuple[float, float]) -> str:
    return f"α = {formats.plain(place[0], 3)}, β = {formats.plain(place[1], 3)}"


@st.fragment
def _form(now: Now, bench: Bench, base: Run) -> None:
    with experiments.form(bench, "plane"):
        first, second = st.columns(2, gap="small")
        direction = first.selectbox(
            "Second direction", list(conditioningtexts.SECOND_DIRECTIONS), format_func=conditioningtexts.SECOND_DIRECTIONS.__getitem__,
            key="plane_direction", help=texts.HELP["direction"],
        )  # fmt: skip
        singular = second.number_input(
            "Singular direction", 1, ROWS, 1, key="plane_singular", disabled=direction != "singular", help=texts.HELP["singular"]
        )  # fmt: skip
        first, second, third = st.columns([1.4, 1, 1], gap="small", vertical_alignment="bottom")
        near = _near(base)
        reach = first.segmented_control(
            "Reach", [word for word in conditioningtexts.REACHES if word == "step" or near], format_func=conditioningtexts.REACHES.__getitem__,
            default="step", required=True, key="plane_reach", help=texts.HELP["plane_reach"],
        )  # fmt: skip
        low, high = (-near, near) if near and reach == "near" else WHOLE_STEP
        shown: dict[str, Any] = {"step": (high - low) / 8, "format": "%.3g", "help": texts.HELP["reach"]}
        start = second.number_input("α from", -100.0, 0.0, low, key=f"plane_from_{reach}", **shown)
        end = third.number_input("α to", 1e-12, 100.0, high, key=f"plane_to_{reach}", **shown)
        normalised = st.checkbox("Filter-normalised", key="plane_filter", help=texts.HELP["filter_normalised"])
        if experiments.start("plane"):
            asked = {
                "direction": direction, "singular": int(singular), "filter_normalised": normalised,
                "alpha_from": float(start), "alpha_to": float(end),
            }  # fmt: skip
            try:
                settings = PlaneSettings.model_validate(asked)
            except ValidationError as error:
                st.error(formats.markdown(str(describe(error))), icon=":material/error:")
                return
            launch(lambda: jobs.submit_plane(base, settings, now.owner), open_it=bench.opens("plane"))
