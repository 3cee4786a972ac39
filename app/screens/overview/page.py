"""Overview: what this is, and the network before and after."""

from __future__ import annotations

import streamlit as st

from lsr_app.plots import lines, maps, ranks, scales
from lsr_app.reading import runkinds
from lsr_app.reading.observed import Observations
from lsr_app.reading.rundata import RunData
from lsr_app.screens.overview import kindsection, outputsection, overviewtexts, physicssection, welcome
from lsr_app.services import problems
from lsr_app.shell import controls, guards, pages, residualsection, show, smoothingsection, unknownsection, unreferenced
from lsr_app.shell.progress import panel
from lsr_app.words import formats, texts

now = controls.now()


def headline(data: RunData, rank: int) -> None:
    """Numbers, the sentence, one figure."""
    about = data.about
    if welcome.is_first_look(now):
        show.section(about.title, about.description)
    else:
        show.heading(about.title, about.description)
    controls.compare_note()
    label, sentence, base, refined = data.headline(rank)
    show.headline(
        [
            show.before_after(label, base, refined),
            *outputsection.worst(data, rank),
            show.rank_item(data, rank),
            (
                "Refined in",
                formats.seconds(data.summary.seconds),
                f"peak memory {formats.size(data.summary.peak_rss_bytes)}",
            ),
        ]
    )
    st.markdown(formats.markdown(overviewtexts.gain_sentence(sentence, base, refined, rank, data.sweep.max_rank)))
    before_and_after(data, rank)
    smoothingsection.glance(now, data, rank)
    show.verdict(data, rank)
    if data.parts.residual:
        residualsection.norms(data, rank)
    unknownsection.section(data.summary.unknowns, data.summary.measured)
    for note in data.summary.notes:
        st.info(formats.markdown(texts.begun(note)), icon=":material/info:")
    outputsection.section(data, rank)
    residualsection.gauss_newton(data)
    kindsection.section(data, rank)
    if now.run is not None and (equation := problems.equation(now.run.problem_path)):
        physicssection.equation(equation)
    how_it_ran(data)


def before_and_after(data: RunData, rank: int) -> None:
    """The one figure: maps, curves, or errors by rank where there are too many inputs to draw a field."""
    runs, at = now.runs, now.ranks
    if not data.has_reference:
        unreferenced.fields(runs, at)
    elif data.dimension == 1:
        key = "headline_lines" if data.truth_name == texts.PANELS["truth"] else "fitted_curves"
        show.figure(key, lines.values(runs, at, 0, lines.cut(data, 0, 0.5), observed=observed(data)))
    elif data.dimension == 2:
        network, error = data.network_error(0), data.refined_error(rank, 0)
        limits = scales.decades(network, data.refined_error(data.ladder[-1], 0), rounding=maps.rounding_of(data))
        truth = data.fields.targets[:, 0]
        show.group(
            "headline_map",
            [
                (
                    texts.PANELS["truth"],
                    maps.field(data, truth, texts.PANELS["truth"], maps.shared_limits(data, 0)),
                ),
                *(
                    (texts.PANELS[name], maps.error_magnitude(data, values, texts.PANELS[name], limits))
                    for name, values in (("network_error", network), ("refined_error", error))
                ),
            ],
        )
    else:
        show.figure(
            data.parts.headline_errors,
            ranks.errors(runs, at, measure="relative_l2"),
        )


def observed(data: RunData) -> Observations | None:
    """Training data to draw beside the curves; of an equation there are none."""
    return problems.observations(now.run) if now.run is not None and not data.parts.residual else None


def how_it_ran(data: RunData) -> None:
    """What was chosen and checked, folded away."""
    with st.expander(overviewtexts.HOW_IT_RAN, icon=":material/health_and_safety:"):
        st.markdown(formats.markdown(texts.strategy(data.summary.strategy, data.summary.strategy_reason)))
        for item in data.summary.routes_left:
            st.markdown(formats.markdown(overviewtexts.route_left(item.route, item.reason)))
        bound = data.summary.sketch_error
        sketch = None if bound is None else formats.error(bound)
        st.markdown(formats.markdown(overviewtexts.health(formats.error(data.summary.adjoint_error), sketch)))
        show.sample_errors(data)
        for sentence in overviewtexts.origin(data.manifest.environment, data.summary.seed, data.about.seeds):
            st.caption(formats.markdown(formats.one_line(sentence, 1_000)))


def unfinished() -> None:
    """A run without results, or of another kind."""
    assert now.run is not None
    show.heading(now.run.manifest.title, overviewtexts.NOT_COMPLETE_HERE.get(now.status, ""))
    kind = runkinds.of(now.run.manifest)
    if kind.refines or (kind.page and now.status != "complete"):
        panel(now)
    if not kind.refines:
        guards.say_kind(now.run, now.owner)
    if now.status in ("failed", "cancelled"):
        show.link(pages.START, overviewtexts.TRY_AGAIN, ":material/replay:")


if welcome.is_first_look(now):
    welcome.section(now)
if now.data is not None:
    headline(now.data, now.rank)
elif now.run is not None and now.status:
    unfinished()
else:
    show.heading(texts.PRODUCT, overviewtexts.TAGLINE)
    guards.offer_first_run(now)
with st.expander("Words used here", icon=":material/menu_book:"):
    st.markdown("\n".join(f"- **{word}**: {meaning}" for word, meaning in overviewtexts.GLOSSARY.items()))
