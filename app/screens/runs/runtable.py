"""The table of runs: what is in it, what is searched, and which rows are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lsr_app.reading import runkinds
from lsr_app.screens.runs import runstexts, searching
from lsr_app.services.runs import RunEntry
from lsr_app.shell.controls import Now
from lsr_app.words import formats, texts

HEIGHT = 520


def section(now: Now) -> tuple[list[RunEntry], list[RunEntry]]:
    """Search, filters and table; returns the runs that are shown, and those of them whose rows are chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        words = st.text_input(
            "Search", key="runs_search", placeholder=runstexts.SEARCH, help=runstexts.SEARCH_HELP, width=280
        )
        kinds = list(dict.fromkeys(runkinds.of(entry.manifest).title for entry in now.entries))
        wanted = st.multiselect("Kinds", kinds, key="runs_kinds", placeholder="All", width=260)
        mine = st.toggle("Only mine", key="runs_mine")
        with st.popover("Columns", icon=":material/view_column:"):  # a box in the row has room for five of fifteen
            chosen = st.pills(
                "Columns", list(runstexts.COLUMNS), default=list(runstexts.USUAL), key="runs_columns", format_func=runstexts.COLUMNS.__getitem__,
                selection_mode="multi", label_visibility="collapsed",
            )  # fmt: skip
        columns = [name for name in runstexts.COLUMNS if name in chosen]
    matches, wrong = searching.understood(words)
    for sentence in wrong:
        st.warning(formats.markdown(sentence), icon=":material/search_off:")
    shown = [
        entry
        for entry in now.entries
        if matches(entry)
        and (not wanted or runkinds.of(entry.manifest).title in wanted)
        and (not mine or is_mine(entry, now.owner))
    ]
    st.caption(runstexts.shown(len(shown), len(now.entries)))
    event: Any = st.dataframe(
        frame(shown, now.owner, columns), hide_index=True, width="stretch", height=min(HEIGHT, 38 + 35 * max(1, len(shown))),
        on_select="rerun", selection_mode="multi-row", key=f"runs_table_{hash((words, tuple(wanted), mine))}",
        column_order=["title", *columns], column_config=_config(), placeholder=formats.NONE,
    )  # fmt: skip
    return shown, [shown[row] for row in event.selection.rows if row < len(shown)]


def is_mine(entry: RunEntry, owner: str) -> bool:
    return not entry.shipped and entry.manifest.owner == owner


def frame(entries: list[RunEntry], owner: str, columns: Sequence[str] = tuple(runstexts.COLUMNS)) -> Any:
    """The table, a row for each run; numbers are numbers, so that they sort. Columns that are not shown are not sent."""
    import pandas as pd

    return pd.DataFrame([_row(entry, owner) for entry in entries], columns=["title", *columns])


def _row(entry: RunEntry, owner: str) -> dict[str, object]:
    about = entry.manifest
    base, refined = entry.gain if entry.gain is not None else (None, None)
    return {
        "title": formats.one_line(about.title, 120),
        "problem": formats.one_line(entry.problem.title, 60),
        "kind": runkinds.of(about).title,
        "state": texts.STATES[entry.state],
        "base": base,
        "refined": refined,
        "gain": float(f"{entry.times:.3g}") if entry.times else None,
        "rank": entry.rank,
        "condition": entry.condition,
        "seconds": entry.seconds,
        "made": pd_time(about.created),
        "whose": runstexts.whose(entry.shipped, is_mine(entry, owner), about.listed, about.session_only),
        "tags": list(about.tags),
        "dtype": about.config.dtype,
        "id": entry.id,
    }


def pd_time(seconds: float) -> Any:
    import pandas as pd

    return pd.Timestamp(seconds, unit="s")


def _config() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    names = runstexts.COLUMNS
    return {
        "title": st.column_config.TextColumn("Run", width=240),
        **{name: st.column_config.TextColumn(names[name]) for name in ("problem", "kind", "state", "whose", "dtype", "id")},
        **{name: number(names[name], format="%.2g") for name in ("base", "refined")},
        "condition": number(names["condition"], format="%.1e"),
        "gain": number(names["gain"], format="localized", help=runstexts.GAIN_HELP),
        "rank": number(names["rank"]),
        "seconds": number(names["seconds"], format="%.3g s"),
        "made": st.column_config.DatetimeColumn(names["made"], format="distance"),
        "tags": st.column_config.ListColumn(names["tags"]),
    }  # fmt: skip
