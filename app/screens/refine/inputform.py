"""Other input functions for an operator that was learnt from an equation: one that the user chooses, or many."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from lsr_app.reading import runkinds
from lsr_app.services import jobs, operators, problems
from lsr_app.shell import show
from lsr_app.shell.controls import Now
from lsr_app.shell.functions import functionfigures as figures
from lsr_app.shell.functions import functiontexts as words
from lsr_app.shell.launch import launch
from lsr_app.words import formats
from lsr_core.errors import InputError
from lsr_core.refinement.config import RefineConfig

POINTS = 8  # that the user may move
LARGEST = 100_000
CASES, RANK = 300, 300


def section(now: Now, folder: Path, config: RefineConfig, listed: bool) -> None:
    """Nothing for a problem without an input function."""
    try:
        given = operators.input_arguments(folder)
    except InputError:
        return
    if given is None:
        return
    show.section(words.DRAW_TITLE, words.DRAW_LEAD)
    with st.container(border=True, key="input_form"):
        left, right = st.columns([1, 1.4], gap="medium")
        with left:
            way = st.segmented_control(
                words.WAY, list(words.WAYS), format_func=words.WAYS.__getitem__, default="drawn", required=True,
                key="input_way", help=words.WAY_HELP,
            )  # fmt: skip
            chosen = _points(folder) if way == "points" else _number()
            start = st.button(words.START_ONE, type="primary", key="start_input", icon=":material/play_arrow:")
        try:
            picture = figures.curve(*operators.input_curve(folder, chosen))
        except InputError as error:
            st.error(formats.markdown(str(error)), icon=":material/error:")
            return
        with right:
            show.figure("input_function", picture)
    if start:
        name = words.OWN_NAME if "values" in chosen else words.drawn_name(int(str(chosen["case"])))
        title = words.one_title(problems.title(folder), name)
        launch(lambda: _submit_one(now, folder, chosen, config, title, listed), open_it=True)
    _batch(now, folder, config, listed)


def _number() -> dict[str, object]:
    case = st.number_input(words.CASE, 0, LARGEST, 1, key="input_case", help=words.CASE_HELP)
    return {"stream": "test", "case": int(case)}


def _points(folder: Path) -> dict[str, object]:
    """Values at equal distances, from a table that begins with those of the function in the bundle."""
    import pandas as pd

    x, u = operators.input_curve(folder, {})
    places = [step / (POINTS - 1) for step in range(POINTS)]
    near = [round(float(u[round(place * (len(x) - 1))]), 2) for place in places]
    table = st.data_editor(
        pd.DataFrame({words.POINT_COLUMNS[0]: [f"{place:.2f}" for place in places], words.POINT_COLUMNS[1]: near}),
        hide_index=True, disabled=[words.POINT_COLUMNS[0]], key=f"input_points_{folder.name}", width="stretch",
        column_config={words.POINT_COLUMNS[1]: st.column_config.NumberColumn(help=words.POINTS_HELP, required=True, format="%.2f")},
    )  # fmt: skip
    return {"values": [float(value) for value in table[words.POINT_COLUMNS[1]]]}


def _submit_one(
    now: Now, folder: Path, chosen: dict[str, object], config: RefineConfig, title: str, listed: bool
) -> str:
    with tempfile.TemporaryDirectory() as place:
        bundle = operators.with_input(folder, chosen, Path(place) / "problem")
        return jobs.submit(bundle, config, now.owner, title, listed, made_of=folder)


def _batch(now: Now, folder: Path, config: RefineConfig, listed: bool) -> None:
    show.section(words.BATCH_TITLE, words.BATCH_LEAD)
    with st.container(border=True, key="batch_form"):
        first, second = st.columns(2, gap="small")
        count = first.number_input(words.COUNT, 1, LARGEST, CASES, key="batch_count", help=words.COUNT_HELP)
        rank = second.number_input(
            words.BATCH_RANK, 1, problems.largest_rank(folder), min(RANK, problems.largest_rank(folder)), key="batch_rank",
            help=words.BATCH_RANK_HELP,
        )  # fmt: skip
        if st.button(words.START_BATCH, type="primary", key="start_batch", icon=":material/play_arrow:"):
            title = f"{problems.title(folder)}, {runkinds.KINDS['cases'].title}"
            wanted = config.model_copy(update={"max_rank": int(rank), "rank": "auto"})
            launch(
                lambda: jobs.submit(
                    folder, wanted, now.owner, title, listed, kind="cases", settings={"cases": int(count)}
                ),
                open_it=True,
            )
