"""Loss path: linearised and nonlinear loss along the step, and the three objects kept apart."""

from __future__ import annotations

import streamlit as st

from lsr_app.plots import maps, paths, scales
from lsr_app.screens.path import SCREEN, pathtexts
from lsr_app.shell import controls, guards, residualsection, show
from lsr_app.words import formats, texts

now, data = guards.need_run(SCREEN)
rank = now.rank
linear, nonlinear = paths.at_one(data, rank)
base: float | None
# What the refined field leaves of a nonlinear equation is not what its linear model leaves.
if data.parts.residual and data.has_validation:
    base, refined = (data.reported("val_mse", at) for at in (0, rank))
    base_words, refined_words = texts.FRESH_LOSS, pathtexts.FIELD_IN_EQUATION
else:
    base, refined = paths.base_loss(data), linear
    base_words, refined_words = f"loss on {data.paths.n_rows:,} {data.parts.rows}", "linear model at α = 1: the result"
high = paths.interval(data, rank)[1]
first = formats.error(paths.finite_ends(data, True)[0])
show.headline(
    [
        show.coloured("Network, θ0", formats.error(base), "base", base_words),
        show.coloured("Refined predictor", formats.error(refined), "refined", refined_words),
        show.coloured(
            "Network at θ0 + Δθ", formats.error(nonlinear), "step", "changed weights at α = 1: not the result"
        ),
        ("Agreement within 10 %", f"α ≤ {formats.error(high)}" if high > 0 else f"α &lt; {first}", f"at rank {rank:,}"),
    ]
)
st.markdown(
    pathtexts.interval_sentence(
        high, first, formats.error(high), formats.error(refined), formats.error(nonlinear),
        formats.factor(refined, nonlinear),
    )
)  # fmt: skip
residualsection.line(data)
if data.summary.gauss_newton and rank == data.summary.rank:
    st.caption(pathtexts.STEPPED_PATH)
with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
    logx = controls.toggle("pathx", "Log α", "logx")
    logy = controls.toggle("pathy", "Log loss", "logy")
show.figure("loss_path", paths.losses(now.runs, now.ranks, logx=logx, logy=logy))

points = data.fields.stepped_points
if len(points) and (data.has_reference or data.dimension == 1):
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        output = controls.output(data)
        axes = controls.axes(data)
    if data.dimension == 1:
        show.figure("three_lines", paths.three_lines(data, rank, output))
    else:
        errors = {
            "network_error": data.network_error(output)[points],
            "refined_error": data.refined_error(rank, output)[points],
            "stepped_error": data.stepped(rank, output) - data.fields.targets[points, output],
        }
        limits = scales.decades(*errors.values(), rounding=maps.rounding_of(data))
        show.group(
            "three_maps",
            [
                (
                    texts.PANELS[name],
                    maps.error_magnitude(data, values, texts.PANELS[name], limits, axes=axes, coarse=True),
                )
                for name, values in errors.items()
            ],
        )
