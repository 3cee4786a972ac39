"""The convex race on the page: its figures, its table, and the form for another one."""

from __future__ import annotations

import streamlit as st
from pydantic import JsonValue

from lsr_app.plots.base import Rows
from lsr_app.reading import racedata
from lsr_app.screens.conditioning import conditioningtexts
from lsr_app.screens.conditioning import racefigures as figures
from lsr_app.services import jobs, results
from lsr_app.shell import controls, show, state
from lsr_app.shell.controls import Now
from lsr_app.shell.lab import experiments
from lsr_app.shell.lab.bench import Bench
from lsr_app.shell.launch import launch
from lsr_app.words import formats, labtexts, texts
from lsr_core.lab.records import CoordinateName, MethodRecord, Precision, RaceRecord

ITERATIONS = {"subspace": 5000, "full": 50}
PLACES: tuple[CoordinateName, ...] = ("original", "whitened")


def section(now: Now, bench: Bench) -> None:
    """The race that is shown, as far as it has come."""
    experiments.heading("race")
    record = experiments.result(now, bench, "race", lambda run: results.experiment(run, RaceRecord))
    if record is not None:
        _headline(record)
        if record.methods:
            _results(record)
        for note in record.notes:
            st.caption(formats.markdown(texts.begun(note)))
    _form(now, bench)


def _headline(record: RaceRecord) -> None:
    whitened = record.condition_number.get("whitened")
    remark = "" if whitened is None else f"{formats.error(whitened, 4)} in whitened coordinates"
    items = [("Condition number κ", racedata.kappa(record, "original"), remark)]
    if record.floor is not None:
        items.append(show.before_after("Loss of the network, and the floor", record.base_loss, record.floor))
    items.append(("Unknowns", f"{record.rank:,}", f"{record.n_residuals:,} residuals"))
    items.append(
        (
            "Methods run",
            f"{len(record.methods)}",
            f"{formats.seconds(record.seconds)}, {record.iterations:,} iterations",
        )
    )
    show.headline(items)


def _results(record: RaceRecord) -> None:
    precisions = {
        name: word
        for name, word in conditioningtexts.PRECISIONS.items()
        if any(m.dtype == name for m in record.methods)
    }
    if state.get("precision") not in precisions:
        state.put_quietly("precision", next(iter(precisions)))
    precision: Precision = state.get("precision")
    if said := racedata.sentence(record, precision):
        st.markdown(formats.markdown(said))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        against = controls.words("against", "Against", conditioningtexts.AGAINST, visible=True)
        if len(precisions) > 1:
            precision = controls.words("precision", "Precision", precisions, visible=True)  # type: ignore[assignment]
        both = any(method.coordinates == "whitened" for method in record.methods)
        place = (
            controls.words("coordinates", "Coordinates", conditioningtexts.COORDINATE_CHOICES, visible=True)
            if both
            else "original"
        )
        reorthogonalised = controls.toggle("reorth", "Reorthogonalised")
    places = PLACES if place == "both" else tuple(name for name in PLACES if name == place)
    lines = {name: racedata.shown(record, precision, name, reorthogonalised=reorthogonalised) for name in places}
    shown = [method for methods in lines.values() for method in methods]
    axes = figures.reach(record, shown, against)

    def key() -> None:
        show.key(figures.key(record, shown, against=against))

    if len(places) == 1:
        picture = figures.courses(record, shown, places[0], axes, against=against, panel=False)
        show.figure(f"race_{places[0]}", picture, extra=key)
    else:
        show.group(
            "race_both",
            [
                (
                    conditioningtexts.race_place(name, racedata.kappa(record, name)),
                    figures.courses(record, methods, name, axes, against=against, panel=True),
                )
                for name, methods in lines.items()
            ],
            extra=key,
        )
    of_precision = [method for method in record.methods if method.dtype == precision]
    _tables(record, [method for method in of_precision if method in shown or method.coordinates == "singular"])


def _tables(record: RaceRecord, shown: list[MethodRecord]) -> None:
    columns = list(conditioningtexts.RACE_COLUMNS)
    if record.floor is None:
        columns[3] = "Part of the start"
    show.table(
        "race_methods", columns, [_row(method) for method in shown], caption=conditioningtexts.RACE_CAPTION,
        data=lambda: _method_rows(record),
        data_columns=("method", "dtype", "coordinates", "best_loss", "loss_above_floor", "iterations", "products", "seconds", "settings",
            "diverged_at"),
    )  # fmt: skip
    if any(method.coordinates == "singular" for method in shown):
        st.caption(conditioningtexts.SINGULAR_COORDINATES)
    with st.expander(conditioningtexts.SWEEP_TRIED, icon=":material/tune:"):
        show.table(
            "race_trials", conditioningtexts.TRIAL_COLUMNS, [row for method in shown for row in _trials(method)],
            caption=conditioningtexts.SWEEP_TRIED, data=lambda: _trial_rows(record),
            data_columns=("method", "dtype", "coordinates", "settings", "best_loss", "diverged_at"),
        )  # fmt: skip


def _row(method: MethodRecord) -> tuple[str, ...]:
    end = labtexts.diverged(method.diverged_at) if method.diverged else racedata.place(method)
    return (
        racedata.name(method), labtexts.COORDINATES[method.coordinates], formats.error(method.best_loss), end, f"{method.iterations:,}",
        f"{method.products:,}", formats.seconds(method.seconds), conditioningtexts.settings(method.settings) or formats.NONE,
        conditioningtexts.tried(len(method.sweep), racedata.lost(method)),
    )  # fmt: skip


def _trials(method: MethodRecord) -> list[tuple[str, ...]]:
    """Only of methods that have something to set."""
    return [
        (
            racedata.name(method), labtexts.COORDINATES[method.coordinates], words, formats.error(trial.best_loss),
            labtexts.diverged(trial.diverged_at) or formats.NONE,
        )
        for trial in method.sweep
        if (words := conditioningtexts.settings(trial.settings))
    ]  # fmt: skip


def _method_rows(record: RaceRecord) -> Rows:
    for m in record.methods:
        yield (
            m.name, m.dtype, m.coordinates, m.best_loss, m.loss_above_floor, m.iterations, m.products, m.seconds,
            conditioningtexts.settings(m.settings), m.diverged_at,
        )  # fmt: skip


def _trial_rows(record: RaceRecord) -> Rows:
    for m in record.methods:
        for trial in m.sweep:
            yield (
                m.name,
                m.dtype,
                m.coordinates,
                conditioningtexts.settings(trial.settings),
                trial.best_loss,
                trial.diverged_at,
            )


@st.fragment
def _form(now: Now, bench: Bench) -> None:
    with experiments.form(bench, "race"):
        first, second, third = st.columns([1.4, 1, 1], gap="small")
        space = first.segmented_control(
            "Unknowns", list(conditioningtexts.SPACES), format_func=conditioningtexts.SPACES.__getitem__, default="subspace", required=True,
            key="race_space", help=texts.HELP["space"],
        )  # fmt: skip
        rank = second.number_input(
            "Dimension", 1, max(1, bench.largest), max(1, bench.largest), key="race_rank",
            disabled=space == "full", help=texts.HELP["race_rank"],
        )  # fmt: skip
        iterations = third.number_input(
            "Iterations", 1, 1_000_000, ITERATIONS[str(space)], key=f"race_iterations_{space}", help=texts.HELP["race_iterations"]
        )  # fmt: skip
        both = st.checkbox("In float32 as well", value=True, key="race_float32", help=texts.HELP["both_precisions"])
        if experiments.start("race"):
            config = bench.config_for("race-full" if space == "full" else "race", int(rank))
            wanted: dict[str, JsonValue] = {
                "space": str(space),
                "iterations": int(iterations),
                "dtype": "both" if both else "float64",
            }
            launch(
                lambda: jobs.submit(
                    bench.anchor.problem_path, config, now.owner, experiments.title(bench, "race"), kind="race", settings=wanted,
                ),
                open_it=bench.opens("race"),
            )  # fmt: skip
