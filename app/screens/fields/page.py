"""Error fields: where the network errs, and what refinement leaves of it."""

from __future__ import annotations

import streamlit as st

from lsr_app.plots import lines
from lsr_app.screens.fields import SCREEN, choices, fieldstexts, mapsection, samplesection
from lsr_app.shell import controls, guards, residualsection, show, smoothingsection, state, unreferenced
from lsr_app.words import formats, texts

now, data = guards.need_run(SCREEN)
rank = now.rank
runs, at = now.runs, now.ranks
if not data.has_reference:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        output = controls.output(data)
    unreferenced.fields(runs, at, output)
    residualsection.line(data)
    state.finish()
    st.stop()
numbers = st.container()
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    section = choices.section(data)
    output = controls.output(data)
    axes = controls.axes(data) if section == "maps" else (0, 1)
network, refined = data.network_error(output), data.refined_error(rank, output)
levels = lines.quantiles(data, rank, output)
with numbers:
    show.headline(
        [
            show.before_after("Median error", levels[0][1], levels[0][2]),
            show.before_after("Largest error", levels[-1][1], levels[-1][2]),
            show.rank_item(data, rank),
            (
                "Points",
                f"{len(network):,}",
                f"{formats.page(data.shown_split)} points, {texts.inputs(data.dimension)}",
            ),
        ]
    )
with numbers:
    st.markdown(
        fieldstexts.fields_sentence(100 * float((abs(refined) < abs(network)).mean()), data.truth_name)
        if rank
        else texts.RANK_ZERO
    )
    residualsection.line(data)
if now.compare is not None and not lines.same_points(data, now.compare):
    st.caption(fieldstexts.COMPARE_POINTS)


def draw_distribution() -> None:
    """Histogram, quantiles and worst points."""
    left, right = st.columns(2, gap="medium")
    with left:
        show.figure("histogram", lines.histogram(runs, at, output))
    with right:
        show.table(
            "quantiles",
            ("Share of points below", "Network", "Refined", "Factor"),
            [
                (name, formats.error(before), formats.error(after), formats.factor(before, after))
                for name, before, after in levels
            ],
            caption=fieldstexts.QUANTILES_CAPTION,
            data=lambda: levels,
            data_columns=("share_of_points_below", "network", "refined"),
        )
        show.sample_errors(data)
    points = lines.worst(data, rank, output, 10)
    show.table(
        "worst",
        list(points[0]),
        [[formats.error(value, 3) for value in point.values()] for point in points],
        caption=fieldstexts.WORST_CAPTION,
        data=lambda: (list(point.values()) for point in points),
    )


def draw_slice() -> None:
    """Values and errors along a line through the field."""
    along, fraction = choices.slice_through(data)
    where = lines.cut(data, along, fraction)
    across = formats.markdown(data.input_name(where.across or 0))
    st.caption(fieldstexts.slice_place(across, formats.error(where.value, 3), where.exact, len(where.points)))
    left, right = st.columns(2, gap="medium")
    with left:
        show.figure("slice_values", lines.values(runs, at, output, where))
    with right:
        show.figure("slice_errors", lines.errors(runs, at, output, where))


if section == "distribution":
    draw_distribution()
elif section == "slices":
    draw_slice()
elif section == "samples":
    samplesection.section(now, data, rank, output)
elif data.dimension == 1:
    mapsection.curves(now, data, output)
else:
    mapsection.section(now, data, output, axes)
if section == "maps":
    smoothingsection.fields(now, data, output, axes)
