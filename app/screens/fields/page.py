"""Error fields: where the network errs, and what refinement leaves of it."""

from __future__ import annotations

import streamlit as st

from lsr_app.plots import lines, maps, scales
from lsr_app.plots.base import Picture
from lsr_app.screens.fields import SCREEN, fieldstexts
from lsr_app.shell import controls, guards, residualsection, show, state, unreferenced
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
    section = controls.section(data)
    output = controls.output(data)
    axes = controls.axes(data)
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
        fieldstexts.fields_sentence(100 * float((abs(refined) < abs(network)).mean())) if rank else texts.RANK_ZERO
    )
    residualsection.line(data)
if now.compare is not None and not lines.same_points(data, now.compare):
    st.caption(fieldstexts.COMPARE_POINTS)


def draw_maps() -> None:
    """Fields and errors as maps, or as curves over a single input."""
    if data.dimension == 1:
        where = lines.cut(data, 0, 0.5)
        show.figure("curves", lines.values(runs, at, output, where))
        logy = controls.toggle("logy", "Log error")
        show.figure("curve_errors", lines.errors(runs, at, output, where, logy=logy))
        return
    limits = maps.shared_limits(data, output)
    truth = data.fields.targets[:, output]
    values = {"truth": truth, "network": data.fields.network[:, output], "refined": truth + refined}
    show.group(
        "maps",
        [panel(name, maps.field(data, part, texts.PANELS[name], limits, axes=axes)) for name, part in values.items()],
    )
    own = bool(state.get("own"))
    reach = max(scales.largest(network), scales.largest(refined))
    panels = []
    for name, part in (("network_error", network), ("refined_error", refined)):
        limit = scales.largest(part) if own else reach
        panels.append(panel(name, maps.signed_error(data, part, texts.PANELS[name], limit, axes=axes)))
    panels.append(panel("ratio", maps.ratio(data, refined, network, texts.PANELS["ratio"], axes=axes)))
    if now.compare is not None and lines.same_points(data, now.compare):
        other = now.compare.refined_error(at[1], output)
        name = f"{texts.PANELS['refined_error']} (2)"
        limit = scales.largest(other) if own else reach
        panels.append((name, maps.signed_error(data, other, name, limit, axes=axes)))
        name = f"{texts.PANELS['ratio']} (2)"
        panels.append((name, maps.ratio(data, other, network, name, axes=axes)))
    show.group("error_maps", panels, extra=lambda: controls.note_toggle("own", "Own colour scale for each error"))


def panel(name: str, picture: Picture) -> tuple[str, Picture]:
    return texts.PANELS[name], picture


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
    along, fraction = controls.slice_through(data)
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
else:
    draw_maps()
