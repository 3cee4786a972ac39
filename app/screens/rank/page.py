"""Rank: error, singular values, condition number and step length against the rank."""

from __future__ import annotations

import streamlit as st

from lsr_app.plots import ranks
from lsr_app.screens.rank import SCREEN, ranktable, ranktexts, sharesection, sureness
from lsr_app.shell import controls, guards, residualsection, show, smoothingsection
from lsr_app.words import formats

now, data = guards.need_run(SCREEN)
split = data.headline_split[0]
names = ("condition_number", "solved_condition_number", "delta_norm")
kappa, solved_kappa, length = (data.reported(name, now.rank) for name in names)
base, refined = (data.reported(f"{split}_mse", at) for at in (0, now.rank))
show.headline(
    [
        show.before_after(data.mean_square_words, base, refined),
        show.rank_item(data, now.rank),
        (
            "Condition number κ(G V)",
            formats.error(kappa),
            f"{formats.error(solved_kappa)} as solved, with scaled columns",
        ),
        ("Step length ‖Δθ‖", formats.error(length), f"‖θ0‖ is {formats.error(data.summary.theta_norm, 3)}"),
    ]
)
solve = data.summary.one_shot
rise = formats.times(data.validation_rise) if data.validation_rise > 1.5 else ""
if solve is not None:
    st.markdown(ranktexts.stepped_rank(data.summary.rank))
st.markdown(
    ranktexts.rank_sentence(
        data.parts, data.solve_rank if data.has_validation else None, data.summary.knee, data.sweep.max_rank, rise
    )
)
if data.parts.residual:
    residualsection.norms(data, now.rank)
smoothingsection.numbers(now, data)
with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
    measure = controls.words("measure", "Error measure", ranktexts.MEASURES) if data.has_reference else "mse"
    logx = controls.toggle("logx", "Log rank")
    logy = controls.toggle("logy", "Log error")
runs, at = now.runs, now.ranks
show.figure(
    data.errors_words,
    ranks.errors(runs, at, measure=measure, logx=logx, logy=logy),
)
if how_sure := sureness.sentences(data, now.rank):
    st.markdown(formats.markdown(how_sure))
left, right = st.columns(2, gap="medium")
with left:
    show.figure("spectrum", ranks.spectrum(runs, at, logx=logx))
with right:
    show.figure("condition", ranks.condition(runs, at, logx=logx))
left, right = st.columns(2, gap="medium")
with left:
    show.figure("step", ranks.step_length(runs, at, logx=logx, logy=logy))
with right:
    ranktable.rank_table(data, now.rank)
sharesection.section(now)
