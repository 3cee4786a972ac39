"""Frequencies: which parts of the error each half step removes; follows a run at work."""

from __future__ import annotations

import streamlit as st

from lsr_app.reading import runkinds
from lsr_app.reading.iterationdata import HalfSteps
from lsr_app.screens.frequencies import SCREEN, frequenciestexts, secondsfigures
from lsr_app.screens.frequencies import figures as frequencies
from lsr_app.services import problems, results
from lsr_app.shell import controls, examples, guards, iterateform, progress, show, state
from lsr_app.words import fillingtexts, formats, texts
from lsr_core.errors import InputError

NOTES = 4  # that are shown, the last ones

now = controls.now()


def iterative() -> None:
    """A run of many half steps, complete or at work."""
    assert now.run is not None
    show.heading(SCREEN.title, SCREEN.lead)
    if now.status != "complete":
        progress.panel(now)
    try:
        found = results.iteration(now.run)
    except InputError as error:
        st.error(formats.markdown(texts.damaged(str(error))), icon=":material/error:")
        return
    if found is None:
        if now.status in ("queued", "running"):
            st.info(frequenciestexts.NO_STEP_YET, icon=":material/hourglass_empty:")
        return
    headline(found)
    if found.has_spectra:
        limits = frequencies.heat_limits(found)
        show.group(
            "heat",
            [
                (texts.PANELS[f"{which}_error"], frequencies.heat(found, which, limits))
                for which in frequencies.OBJECTS
                if any(getattr(step.spectrum, which) for step in found.steps)
            ],
            across=2,
            extra=lambda: show.key(frequencies.key(found)),
        )
        bands = frequencies.band_limits(found)
        show.group(
            "bands",
            [(words, frequencies.band(found, name, bands)) for name, words in frequenciestexts.BANDS.items()],
            extra=lambda: show.key([*frequencies.lines_key(), *frequencies.key(found)]),
        )
        half_step(found, now.run.id)
    else:
        st.info(frequenciestexts.NO_SPECTRA, icon=":material/info:")
    left, right = st.columns(2, gap="medium")
    if found.has_spectra:
        with left:
            show.figure("error_seconds", secondsfigures.against_seconds(found, "relative_l2"))
    with right if found.has_spectra else left:
        show.figure("residual_seconds", secondsfigures.against_seconds(found, "fresh_residual"))
    if found.has_spectra:
        st.caption(formats.markdown(frequenciestexts.spectra_note(found.transform)))


def headline(found: HalfSteps) -> None:
    """Errors so far, rounds, time, and the sentence of the run."""
    start, best, last = found.steps[0], found.best, found.last
    items = []
    if start.relative_l2.network is not None:
        reached = best.relative_l2.refined if best else None
        items.append(
            show.before_after("Error of the result (relative L2)", start.relative_l2.network, _number(reached))
        )
        items.append(
            show.before_after(
                "Error of the network itself", start.relative_l2.network, _number(last.relative_l2.network)
            )
        )
    reached = best.fresh_residual if best else None
    items.append(show.before_after("Residual at fresh points", start.fresh_residual, _number(reached)))
    ended = frequenciestexts.STOPPED.get(found.summary.stopped, "") if found.summary else ""
    items.append(
        ("Rounds", f"{last.round:,}", formats.page(f"{formats.seconds(last.seconds)}{', ' if ended else ''}{ended}"))
    )
    show.headline(items)
    if found.sentence:
        say(found.sentence)
    notes = found.summary.notes if found.summary else [step.note for step in found.steps if step.note]
    if notes:
        st.info("  \n".join(formats.markdown(texts.begun(note)) for note in notes[-NOTES:]), icon=":material/info:")


def say(sentence: str) -> None:
    """The sentence of the page, with no line end inside a number such as 1.2e-03."""
    st.markdown(formats.markdown(sentence).replace("e\\-", "e\\-\u2060"))


@st.fragment
def half_step(found: HalfSteps, run_id: str) -> None:
    """Fields and spectrum after one half step; moving the slider draws this part only."""
    show.section("One half step")
    indices = [step.index for step in found.steps]
    wanted = state.get("step")
    chosen = wanted if wanted in indices else indices[-1]
    state.seed("step", chosen)
    index = chosen
    if len(indices) > 1:  # a slider of one place would hold on to it when there are more
        index = st.select_slider(
            "Half step", indices, help=texts.HELP["half_step"],
            format_func=lambda index: texts.half_step(index, found.at(index).kind, found.at(index).round),
            **state.bound("step", lambda index: -1 if index == indices[-1] else index),
        )  # fmt: skip
    error_fields(found, int(index))
    limits = frequencies.heat_limits(found)
    show.figure("step_spectrum", frequencies.spectrum(found.at(int(index)), limits))
    state.finish()


def error_fields(found: HalfSteps, index: int, *, one_unit: bool = True) -> None:
    """Maps of both errors after a half step; `one_unit` as in `figures.error_field`."""
    try:
        fields = found.fields(index)
    except InputError as error:
        st.error(formats.markdown(texts.damaged(str(error))), icon=":material/error:")
        return
    if fields is None or found.grid is None:
        st.caption(frequenciestexts.NO_FIELDS)
        return
    shown = {"network_error": fields.network} | ({} if fields.refined is None else {"refined_error": fields.refined})
    alone = found.single or bool(state.get("own"))
    limits = frequencies.field_limits(found, *(shown.values() if alone else ()))
    grid = found.grid
    show.group(
        "two_fields" if found.single else "step_fields",
        [
            (texts.PANELS[name], frequencies.error_field(grid, values, texts.PANELS[name], limits, one_unit=one_unit))
            for name, values in shown.items()
        ],
        extra=None if found.single else lambda: controls.note_toggle("own", "Own colour scale for this half step"),
        across=2,
    )


def single() -> None:
    """An ordinary run: network and refined predictor at the selected rank."""
    current, data = guards.need_run(SCREEN)
    assert current.run is not None
    found = results.two_steps(current.run, data, current.rank) if data.has_reference else None
    if not data.has_reference:
        st.info(texts.NO_REFERENCE, icon=":material/info:")
        examples.offer(current, "iterate")
    elif found is None:
        st.info(fillingtexts.NO_GRID, icon=":material/info:")
        examples.offer(current, "iterate")
    else:
        before, after = found.steps[0].relative_l2.network, found.last.relative_l2.refined
        show.headline(
            [
                show.before_after("Error on the grid (relative L2)", _number(before), _number(after)),
                show.rank_item(data, current.rank),
            ]
        )
        rows = energies(found)
        listed = [(name, formats.error(before), formats.error(after)) for name, before, after in rows]
        say(frequenciestexts.energies_fall(current.rank, listed) if current.rank else texts.RANK_ZERO)
        show.figure("two_spectra", frequencies.spectrum(found.last, frequencies.heat_limits(found)))
        band_table(rows)
        error_fields(found, found.last.index, one_unit=len({quantity.unit for quantity in data.about.inputs}) < 2)
        st.caption(formats.markdown(frequenciestexts.spectra_note(found.transform)))
    if problems.equation(current.run.problem_path) is not None:
        iterateform.section(current, current.run.problem_path, current.run.manifest.config)


def energies(found: HalfSteps) -> list[tuple[str, float, float]]:
    """(band, network, refined) of the last step."""
    before, after = found.last.bands.network, found.last.bands.refined
    assert before is not None
    assert after is not None
    return [(name, getattr(before, name), getattr(after, name)) for name in frequenciestexts.BANDS]


def band_table(rows: list[tuple[str, float, float]]) -> None:
    """Energies of both errors by band, where there are only two."""
    show.table(
        "two_bands", ("Band", "Network", "Refined predictor", "Factor"),
        [(frequenciestexts.BANDS[name], formats.error(old), formats.error(new), formats.factor(old, new)) for name, old, new in rows],
        caption=frequenciestexts.BANDS_CAPTION, data=lambda: rows, data_columns=("band", "network", "refined"),
    )  # fmt: skip


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


if now.run is not None and runkinds.of(now.run.manifest).rounds:
    iterative()
else:
    single()
