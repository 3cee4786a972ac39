"""Which settings matter, of the runs that the table shows."""

from __future__ import annotations

import streamlit as st

from lsr_app.plots import theme
from lsr_app.plots.base import Canvas, Picture, Rows
from lsr_app.screens.runs import importance, runstexts
from lsr_app.screens.runs.importance import Importance
from lsr_app.services.runs import RunEntry
from lsr_app.shell import show
from lsr_app.words import formats, settings


def section(entries: list[RunEntry]) -> None:
    """Behind a switch: a table of a thousand runs waits for no figure."""
    problems = importance.problems(entries)
    if not problems or not st.toggle(
        runstexts.IMPORTANCE, key="importance", help=runstexts.importance_help(importance.LEAST)
    ):
        return
    titles = {name: f"{runs[0].problem.title} ({len(runs):,} runs)" for name, runs in problems.items()}
    chosen = next(iter(problems))
    if len(problems) > 1:
        chosen = st.selectbox(
            "Problem", list(problems), format_func=titles.__getitem__, key="importance_problem", width=420
        )
    found = importance.of(problems[chosen])
    title = problems[chosen][0].problem.title
    st.markdown(formats.markdown(runstexts.importance(title, found)))
    if found.settings:
        show.figure("importance", picture(title, found))


def picture(title: str, found: Importance) -> Picture:
    """A bar for each setting, and the line that chance stays below."""
    listed = found.settings[::-1]
    names = [settings.name(setting.name) for setting in listed]
    canvas = Canvas(height=90 + 30 * len(listed))
    colours = [canvas.colours.refined if setting.share > found.chance else canvas.colours.network for setting in listed]
    canvas.traces.append(
        {
            "type": "bar", "orientation": "h", "x": [setting.share for setting in listed], "y": names, "marker": {"color": colours},
            "hovertemplate": "%{y}: %{x:.2f} of the order<extra></extra>",
        }
    )  # fmt: skip
    canvas.vertical(found.chance, theme.palette().text)
    canvas.axes(
        "Share of the order of the errors", "", xaxis={"range": [0, 1]}, yaxis={"type": "category", "showgrid": False}
    )
    canvas.layout |= {"showlegend": False, "bargap": 0.35, "margin": theme.layout()["margin"] | {"l": 150, "t": 10}}

    def rows() -> Rows:
        for setting in found.settings:
            yield setting.name, setting.share, setting.larger_is_lower, found.chance, found.runs

    columns = ("setting", "share", "larger_is_lower", "chance", "runs")
    return Picture(canvas.figure(), formats.one_line(runstexts.importance(title, found), 600), columns, rows)
