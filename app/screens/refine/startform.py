"""Samples to choose from, and the form that starts a refinement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
from pydantic import JsonValue, ValidationError

import lsr_samples
from lsr_app.owning import ownproblems
from lsr_app.reading import runkinds
from lsr_app.screens.refine import inputform, refinetexts, settingsform, solveform
from lsr_app.services import gallery, jobs, ownership, problems
from lsr_app.services.gallery import Sample
from lsr_app.shell import iterateform, show, state, wanted
from lsr_app.shell.controls import Now
from lsr_app.shell.launch import launch
from lsr_app.words import formats, texts
from lsr_core.errors import InputError
from lsr_core.refinement import serverlimits
from lsr_core.refinement.config import DEFAULT_MAX_RANK, RefineConfig
from lsr_core.refinement.uses import only_used
from lsr_core.storage.bundles import read_description
from lsr_core.validation import describe

OPEN_RUN = "the problem of the open run"
GIVEN = "given"
_SOURCE = "form_filled_from"


def section(now: Now) -> None:
    """Gallery and form; after a run that failed or was cancelled the form holds its settings."""
    samples = gallery.samples()
    retry = now.run is not None and now.status in ("failed", "cancelled")
    options = [GIVEN] if gallery.given_problem() else []
    options += list(ownproblems.names(now.owner))
    if now.run is not None and (now.run.problem_path / "problem.json").is_file():
        options.append(OPEN_RUN)
    options += list(samples)
    if not options:
        st.info(texts.NO_SAMPLES, icon=":material/info:")
        return
    _fill(now, options, retry)
    _form(now, options)
    if samples:
        show.section(refinetexts.SAMPLES, refinetexts.SAMPLES_LEAD)
        _gallery(samples)
        jobs.make_ready()


@st.fragment
def _gallery(samples: dict[str, Sample]) -> None:
    """One group of samples at a time; what is not drawn costs a browser nothing."""
    groups: dict[str, list[str]] = {group: [] for group in refinetexts.GALLERY}
    for name, sample in samples.items():
        groups[sample.group].append(name)
    groups = {group: names for group, names in groups.items() if names}
    shown = next(iter(groups))
    if len(groups) > 1:
        shown = st.segmented_control(
            "Samples", list(groups), key="gallery", format_func=refinetexts.GALLERY.__getitem__, required=True, default=shown,
            label_visibility="collapsed",
        )  # fmt: skip
    names = groups[shown]
    for start in range(0, len(names), 3):
        for column, name in zip(st.columns(3, gap="small"), names[start : start + 3], strict=False):
            about, count = samples[name].about, samples[name].n_params
            with column.container(border=True, height="stretch", vertical_alignment="distribute", key=f"sample_{name}"):
                st.html(
                    f"<p class='lsr-facts'><b>{formats.page(about.title)}</b>"
                    f"<span>{formats.page(about.architecture)} · {count:,} parameters</span></p>"
                    f"<p class='lsr-caption'>{formats.page(about.description)}</p>"
                )
                if st.button(
                    "Choose", key=f"choose_{name}", on_click=wanted.choose, args=(name,), width="stretch",
                    help=refinetexts.fills(formats.markdown(name)),
                ):  # fmt: skip
                    state.show_top()
                    st.rerun(scope="app")


def _fill(now: Now, options: list[str], retry: bool) -> None:
    """Set the form once for each run that is opened: after a failed or cancelled one to its settings."""
    source = f"{now.run.id}:{now.status}" if now.run is not None and retry else "fresh"
    named = state.get(state.PROBLEM)
    if st.session_state.get(wanted.CHOICE) not in options:
        st.session_state.pop(wanted.CHOICE, None)
    if st.session_state.get(_SOURCE) == source and wanted.CHOICE in st.session_state:
        st.session_state[wanted.CHOICE] = st.session_state[wanted.CHOICE]
        return
    st.session_state[_SOURCE] = source
    wanted.forget_fields()
    if retry and OPEN_RUN in options:
        st.session_state[wanted.CHOICE] = OPEN_RUN
    elif named in options:
        st.session_state[wanted.CHOICE] = named
    else:
        st.session_state[wanted.CHOICE] = next((name for name in options if name != OPEN_RUN), options[0])


@st.fragment
def _form(now: Now, options: list[str]) -> None:
    """Changes here draw only the form and its forecast again."""
    before = (
        now.run.manifest.config if now.run is not None and now.status in ("failed", "cancelled") else RefineConfig()
    )
    with st.container(border=True, key="start_form"):
        first, second, third, fourth, last = st.columns([2, 1.1, 1.1, 0.9, 1.3], gap="small")
        choice = first.selectbox(
            "Problem", options, key=wanted.CHOICE, help=texts.HELP["problem"],
            format_func=lambda name: _name(name, now),
        )  # fmt: skip
        folder = _folder(choice, now)
        try:
            largest, kind = problems.largest_rank(folder), read_description(folder).kind
        except InputError as error:
            st.error(formats.markdown(str(error)), icon=":material/error:")
            return
        max_rank_key = f"max_rank_{choice}_{largest}"
        usual = before.max_rank if before.max_rank is not None else DEFAULT_MAX_RANK
        values: dict[str, Any] = {
            "max_rank": second.number_input(
                "Maximum rank", 0, largest, key=settingsform.set_field(max_rank_key, min(usual, largest)), help=texts.HELP["max_rank"]
            ),
            "dtype": settingsform.field(third, "dtype", before),
            "seed": settingsform.field(fourth, "seed", before),
        }  # fmt: skip
        if "regularise" not in settingsform.unused(kind):
            values["regularise"] = settingsform.smoothing(last, before)
        rounds = _rounds(folder, now)
        if rounds is None and "gauss_newton" not in settingsform.unused(kind):
            values["gauss_newton"] = settingsform.field(last, "gauss_newton", before)
        else:
            values["gauss_newton"] = 0
        with st.expander("Advanced"):
            values |= settingsform.folded(before, kind, problems.layer_patterns(folder))
        try:
            unseen = only_used(before, "refine", kind).model_dump()
            config = RefineConfig.model_validate({**unseen, **values, "device": "cpu"})
        except ValidationError as error:
            st.error(formats.markdown(str(describe(error))), icon=":material/error:")
            return
        fits = _forecast(folder, config, max_rank_key, each_solve=rounds is not None)
        with st.container(horizontal=True, vertical_alignment="center"):
            label = "Start refinement" if rounds is None else "Start iterative LSR"
            start = st.button(label, type="primary", key="start", icon=":material/play_arrow:", disabled=not fits)
            private = ownership.is_passing(folder)
            listed = not private and st.checkbox(
                "Listed for everybody", key=settingsform.set_field("listed", True), help=texts.HELP["listed"]
            )
            if private:
                st.caption(texts.yours(not serverlimits.current().passing))
        if start and rounds is not None:
            iterateform.submit(now, folder, config, rounds, listed)
        elif start:
            _start(now, folder, config, listed)
    inputform.section(now, folder, config, listed)
    solveform.section(now, folder, listed)


def _rounds(folder: Path, now: Now) -> dict[str, JsonValue] | None:
    """Settings of iterative LSR where that is chosen; it needs an equation."""
    if problems.equation(folder) is None:
        return None
    retried = now.run.manifest if now.run is not None and now.status in ("failed", "cancelled") else None
    again = retried is not None and runkinds.of(retried).rounds
    work = st.segmented_control(
        "Work", list(refinetexts.WORK), format_func=refinetexts.WORK.__getitem__, required=True, help=texts.HELP["work"],
        key=settingsform.set_field("work", "iterate" if again else "refine"),
    )  # fmt: skip
    if work != "iterate":
        return None
    return iterateform.settings("form_set", retried.settings if retried is not None and again else {})


def _folder(choice: str, now: Now) -> Path:
    if choice == OPEN_RUN and now.run is not None:
        return now.run.problem_path
    given = gallery.given_problem()
    if choice == GIVEN and given is not None:
        return given
    if choice.startswith(ownproblems.PREFIX):
        return ownproblems.names(now.owner)[choice]
    folder: Path = lsr_samples.folder(choice)
    return folder


def _name(choice: str, now: Now) -> str:
    if choice in (OPEN_RUN, GIVEN):
        title = formats.one_line(problems.title(_folder(choice, now)), 40)
        return f"{title} ({'of the open run' if choice == OPEN_RUN else 'given at the start'})"
    if choice.startswith(ownproblems.PREFIX):
        return f"{formats.one_line(problems.title(_folder(choice, now)), 40)} (yours)"
    return formats.one_line(problems.title(_folder(choice, now)), 60)


def _forecast(folder: Path, config: RefineConfig, max_rank_key: str, *, each_solve: bool = False) -> bool:
    """Say what the refinement, or each solve of many, will take; False if it does not fit, with the largest rank that does one click away."""
    try:
        forecast = problems.forecast(folder, config)
    except InputError as error:
        st.error(formats.markdown(str(error)), icon=":material/error:")
        return False
    if forecast.fits:
        which = refinetexts.EACH_SOLVE if each_solve else ""
        st.caption(formats.markdown(f"{which}{forecast.sentence} {texts.takes(formats.seconds(forecast.seconds))}"))
    else:
        st.error(formats.markdown(forecast.sentence), icon=":material/memory:")
        if forecast.largest_rank > 0:
            st.button(
                refinetexts.use_largest(forecast.largest_rank),
                key="use_largest",
                on_click=_use,
                args=(max_rank_key, forecast.largest_rank),
            )
    return forecast.fits


def _use(max_rank_key: str, rank: int) -> None:
    st.session_state[f"{wanted.FIELDS}{max_rank_key}"] = rank


def _start(now: Now, folder: Path, config: RefineConfig, listed: bool) -> None:
    title = f"{formats.one_line(problems.title(folder), 100)}, rank {config.max_rank}"
    if config.regularise != "none":
        title += ", smoothed"
    if config.dtype == "float32":
        title += ", float32"
    launch(lambda: jobs.submit(folder, config, now.owner, title, listed), open_it=True)
