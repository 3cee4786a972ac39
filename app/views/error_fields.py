"""Error fields: where the network errs, and what refinement leaves of it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from lsr_app import controls, formats, guards, show, state, texts
from lsr_app.figures import lines, maps

now, data = guards.need_run("fields")
mode, rank = show.mode(), now.rank
runs, at = now.runs, now.ranks
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    output = controls.output(data)
    axes = controls.axes(data)
network, refined = data.network_error(output), data.refined_error(rank, output)
levels = lines.quantiles(data, rank, output)
show.headline(
    [
        show.before_after("Median error", levels[0][1], levels[0][2]),
        show.before_after("Largest error", levels[-1][1], levels[-1][2]),
        show.rank_item(data, rank),
        ("Points", f"{len(network):,}", f"{formats.page(data.fields.split)} points, {data.dimension} inputs"),
    ]
)
if now.compare is not None and data.fields.inputs.shape != now.compare.fields.inputs.shape:
    st.caption(texts.COMPARE_POINTS)

if data.dimension == 1:
    where = lines.cut(data, 0, 0.5)
    show.figure("curves", lines.values(runs, at, output, where, mode=mode))
    logy = controls.toggle("logy", "Log error")
    show.figure("curve_errors", lines.errors(runs, at, output, where, logy=logy, mode=mode))
else:
    limits = maps.shared_limits(data, output)
    truth = data.fields.targets[:, output]
    fields = {"truth": truth, "network": data.fields.network[:, output], "refined": truth + refined}
    show.group(
        "maps",
        [
            (texts.PANELS[name], maps.field(data, values, texts.PANELS[name], limits, axes=axes, mode=mode))
            for name, values in fields.items()
        ],
    )
    own = bool(state.get("own"))
    reach = max(maps.largest(network), maps.largest(refined))
    panels = [
        (
            texts.PANELS[f"{name}_error"],
            maps.signed_error(data, values, texts.PANELS[f"{name}_error"], maps.largest(values) if own else reach, axes=axes, mode=mode),
        )
        for name, values in (("network", network), ("refined", refined))
    ]
    panels.append((texts.PANELS["ratio"], maps.ratio(data, refined, network, texts.PANELS["ratio"], axes=axes, mode=mode)))
    show.group("error_maps", panels, extra=lambda: controls.note_toggle("own", "Own colour scale for each error"))

left, right = st.columns(2, gap="medium")
with left:
    show.figure("histogram", lines.histogram(runs, at, output, mode=mode))
with right:
    show.table(
        "quantiles",
        ("Share of points below", "Network", "Refined", "Factor"),
        [(name, formats.error(before), formats.error(after), formats.factor(before, after)) for name, before, after in levels],
        caption=texts.QUANTILES_CAPTION,
        data=lambda: levels,
        data_columns=("share_of_points_below", "network", "refined"),
    )
    points = lines.worst(data, rank, output, 6)
    show.table(
        "worst",
        list(points[0]),
        [[formats.error(value, 3) if np.isfinite(value) else formats.NONE for value in point.values()] for point in points],
        caption=texts.WORST_CAPTION,
        data=lambda: (list(point.values()) for point in points),
    )

if data.dimension > 1:
    show.section("Slice")
    along, fraction = controls.slice_through(data)
    where = lines.cut(data, along, fraction)
    st.caption(texts.slice_place(formats.markdown(data.input_name(where.across or 0)), formats.error(where.value, 3), where.exact, len(where.points)))
    left, right = st.columns(2, gap="medium")
    with left:
        show.figure("slice_values", lines.values(runs, at, output, where, mode=mode))
    with right:
        show.figure("slice_errors", lines.errors(runs, at, output, where, mode=mode))
