"""Compare: any number of refinements side by side, each at its own rank."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from lsr_app.reading import problemabout
from lsr_app.screens.compare import SCREEN, comparetexts, figures
from lsr_app.screens.compare import comparing as told
from lsr_app.screens.compare.comparing import Compared
from lsr_app.services import results, runs
from lsr_app.shell import controls, pages, show, state
from lsr_app.shell.controls import Now
from lsr_app.words import formats
from lsr_core.errors import InputError


def chosen(now: Now) -> list[tuple[str, int | None]]:
    """Which runs are compared; from the address, else the open one and the newest two of its problem."""
    options = {entry.id: formats.one_line(entry.manifest.title, 60) for entry in now.entries if entry.refined}
    named = state.several()
    if not named and now.run is not None and now.run.id in options:
        alike = [
            entry.id for entry in now.entries if entry.refined and entry.manifest.problem == now.run.manifest.problem
        ]
        usual: list[tuple[str, int | None]] = [(run_id, None) for run_id in dict.fromkeys([now.run.id, *alike])]
        named = usual[:3]
    ranks = dict(named)
    for run_id in ranks:
        options.setdefault(run_id, run_id[:6])
    shared = {title for title, times in Counter(options.values()).items() if times > 1}
    state.seed(state.RUNS, list(ranks))
    picked = st.multiselect(
        comparetexts.CHOOSE, list(options), max_selections=state.MOST_RUNS, key=f"w_{state.RUNS}",
        format_func=lambda run_id: f"{options[run_id]} · {run_id[:6]}" if options[run_id] in shared else options[run_id],
    )  # fmt: skip
    found = [(run_id, ranks.get(run_id)) for run_id in picked]
    if found != state.several():
        state.put_several(found)
    return found


def read(now: Now, wanted: list[tuple[str, int | None]]) -> list[Compared]:
    """The runs themselves; one that is gone is passed over with a remark."""
    found = []
    for run_id, rank in wanted:
        try:
            run, _ = runs.find_for(now.owner, run_id)
            data = results.load(run)
            found.append(
                (
                    data,
                    data.auto_rank if rank is None else data.snap(rank),
                    problemabout.named(run.problem_path).identity,
                )
            )
        except InputError:
            st.warning(comparetexts.GONE, icon=":material/info:")
    titles = Counter(data.manifest.title for data, *_ in found)
    return [
        Compared(_name(data.manifest.title, data.id, titles[data.manifest.title] > 1), data, rank, problem)
        for data, rank, problem in found
    ]


def _name(title: str, run_id: str, shared: bool) -> str:
    return f"{formats.one_line(title, 32)} {run_id[:6]}" if shared else formats.one_line(title, 40)


def ranks(compared: list[Compared]) -> None:
    """A slider for each run."""
    with st.expander(comparetexts.RANKS, icon=":material/tune:"):
        st.caption(comparetexts.RANKS_LEAD)
        for one in compared:
            if len(one.run.ladder) > 1:
                widget = f"rank_{one.run.id}"
                state.seed(state.RANK, one.rank, widget)
                st.select_slider(
                    formats.markdown(comparetexts.rank_of(one.name)), one.run.ladder, key=widget, format_func=formats.count,
                    on_change=_set_rank, args=(one.run.id, widget),
                )  # fmt: skip


def _set_rank(run_id: str, widget: str) -> None:
    rank = int(st.session_state[widget])
    state.put_several([(name, rank if name == run_id else was) for name, was in state.several()])
    state.moved(widget)


def draw(compared: list[Compared]) -> None:
    """Sentence, numbers, curves, fields, settings."""
    sentence = formats.markdown(told.statement(compared))
    if told.one_problem(compared):
        st.markdown(sentence)
    else:
        st.warning(sentence, icon=":material/compare_arrows:")
    columns, numbers, same = told.table(compared)
    show.table(
        "compared", columns, numbers, caption=comparetexts.numbers(same),
        data=lambda: (told.row(one) for one in compared), data_columns=comparetexts.DATA_COLUMNS,
    )  # fmt: skip
    legend = [("━", colour, one.name) for one, colour in zip(compared, figures.colours(len(compared)), strict=True)]
    show.figure("compared_errors", figures.errors(compared), extra=lambda: show.key(legend))
    ranks(compared)
    if figures.drawable(compared):
        output = controls.output(compared[0].run)
        show.group("compared_fields", figures.fields(compared, output))
    else:
        st.caption(comparetexts.OTHER_POINTS)
    differences = told.differences(compared)
    if differences:
        show.table(
            "differences", ("Setting", *(one.name for one in compared)), differences, caption=comparetexts.SETTINGS,
            data=lambda: differences,
        )  # fmt: skip
    else:
        st.caption(comparetexts.SAME_SETTINGS)


def few(now: Now, compared: list[Compared]) -> None:
    """What is missing for a comparison."""
    problems_of = [entry.manifest.problem for entry in now.entries if entry.refined]
    alone = len(compared) == 1 and problems_of.count(compared[0].run.manifest.problem) == 1
    st.info(comparetexts.ALONE if alone else comparetexts.FEW, icon=":material/info:")
    if alone:
        show.link(pages.START, comparetexts.AGAIN, ":material/play_circle:")


now = controls.now()
show.heading(SCREEN.title, SCREEN.lead)
if sum(entry.refined for entry in now.entries) < 2:
    st.info(comparetexts.NONE, icon=":material/info:")
    show.link(pages.START, comparetexts.START, ":material/play_circle:")
else:
    compared = read(now, chosen(now))
    if len(compared) < 2:
        few(now, compared)
    else:
        draw(compared)
