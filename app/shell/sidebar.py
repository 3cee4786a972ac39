"""The sidebar: pages, the open run and its rank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import streamlit as st

from lsr_app.reading import runkinds
from lsr_app.reading.rundata import RunData
from lsr_app.services.runs import RunEntry
from lsr_app.shell import controls, filling, keys, saving, state, turns
from lsr_app.shell import pages as listed
from lsr_app.shell.controls import Now
from lsr_app.words import formats, texts
from lsr_core.refinement import serverlimits

MOST_LISTED = 60


def draw(now: Now, pages: Sequence[Any], current: str) -> None:
    """Brand, pages, model, run, rank; the lesson, whose address is `current` there, needs no run."""
    with st.sidebar:
        st.html(f"<p class='lsr-brand'>{texts.PRODUCT}</p>")
        keys.go_to(now)
        with st.container(gap="xxsmall"):
            group = "run"
            for page in pages:
                if (asked := listed.found()[page.url_path or listed.HOME].group) != group:
                    st.html(f"<p class='lsr-group'>{listed.GROUPS[asked]}</p>")
                    group = asked
                _link(now, page, current)
        if (allowed := serverlimits.current()).passing:
            st.caption(texts.demonstration(allowed))
        if current == "lesson":
            return
        if now.data is not None:
            _model(now.data)
            _rank(now.data)
        _runs(now)
        if now.run is not None:
            saving.control()


def _link(now: Now, page: Any, current: str) -> None:
    """A page in the list; one that the open run cannot fill is grey, with the reason as its hint."""
    name = page.url_path or listed.HOME
    why = filling.reason(now, listed.found()[name])
    with st.container(key=f"{'unfilled' if why else 'page'}_{name}", gap=None):
        st.page_link(page, query_params=state.query_for(page.url_path, current), width="stretch", help=why or None)


def _rank(data: RunData) -> None:
    rank, wanted = controls.now().rank, state.wanted_rank()
    if len(data.ladder) > 1:
        with st.container(key="rank_beside"):
            _slider("w_rank", data.ladder, rank, texts.HELP["rank"])
    else:
        st.caption(f"Rank {rank:,}, the only one of this run")
    words = {"auto": "Auto", "knee": "Knee", "fixed": "Fixed"}
    widget = turns.fresh("w_choice", wanted if wanted in words else "fixed")

    def chosen() -> None:
        word = st.session_state[widget]
        state.put(state.RANK, rank if word == "fixed" else word)

    st.segmented_control(
        "How the rank is chosen", list(words), format_func=words.__getitem__, key=widget, on_change=chosen,
        required=True, help=data.parts.choices, label_visibility="collapsed", width="stretch",
    )  # fmt: skip
    if wanted == "auto" and not data.has_validation:
        st.caption(texts.NO_VALIDATION if data.summary.regularisation is None else texts.SMOOTHED)


def rank_within_reach(now: Now) -> None:
    """The rank once more, at the foot of a narrow screen, where the sidebar is a drawer."""
    if now.data is None or len(now.data.ladder) < 2:
        return
    with st.container(key="rank_here"):
        _slider("w_rank_here", now.data.ladder, now.rank)


def _slider(widget: str, ladder: Sequence[int], rank: int, hint: str | None = None) -> None:
    bound = state.bound(state.RANK, widget=turns.fresh(widget, rank))
    st.select_slider("Rank", ladder, help=hint, format_func=formats.count, **bound)


def _model(data: RunData) -> None:
    summary, about = data.summary, data.about
    facts = [
        about.architecture,
        texts.parameters(summary.n_params, summary.n_params_total),
        f"{data.n_rows:,} {data.parts.values}",
        f"{summary.dtype}, {summary.device}",
    ]
    lines = "".join(f"<span>{formats.page(fact)}</span>" for fact in facts if fact)
    st.html(f"<p class='lsr-facts'><b>{formats.page(about.title)}</b>{lines}</p>")


def _runs(now: Now) -> None:
    if not now.entries:
        return
    # The boxes hold the newest; the page Runs has all, and a box with a thousand lines is slow to send and to read.
    opened = {now.run.id if now.run is not None else "", state.get(state.COMPARE)}
    newest = [
        entry for place, entry in enumerate(now.entries) if place < MOST_LISTED or entry.id in opened or entry.shipped
    ]
    ids = [entry.id for entry in newest]
    titles = _titles(newest)
    if now.run is not None and now.run.id in ids:
        st.session_state["w_run"] = now.run.id
        st.selectbox(
            "Run", ids, format_func=titles.__getitem__, key="w_run", help=texts.HELP["run"],
            on_change=lambda: state.open_run(st.session_state["w_run"]),
        )  # fmt: skip
    others = [
        "",
        *(entry.id for entry in newest if entry.refined and (not now.run or entry.id != now.run.id)),
    ]
    if now.data is not None and len(others) > 1:
        titles[""] = "Nothing"
        compare = state.get(state.COMPARE) or ""
        if compare not in others:
            others.append(compare)
            titles[compare] = "An unlisted run"
        state.seed(state.COMPARE, compare)
        st.selectbox(
            "Compare with", others, format_func=titles.__getitem__, help=texts.HELP["compare"], **state.bound(state.COMPARE)
        )  # fmt: skip


def _titles(entries: Sequence[RunEntry]) -> dict[str, str]:
    """Titles by id, made different where runs share one: a select box knows its options by what it shows."""
    titles = {entry.id: _title(entry) for entry in entries}
    shared = {title for title, times in Counter(titles.values()).items() if times > 1}
    return {run_id: f"{title} · {run_id[:6]}" if title in shared else title for run_id, title in titles.items()}


def _title(entry: RunEntry) -> str:
    title = formats.one_line(entry.manifest.title, 60)
    if entry.state != "complete":
        return f"{title} ({texts.STATES[entry.state].lower()})"
    kind = runkinds.of(entry.manifest)
    if not kind.refines and kind.title not in title:
        title = f"{title} ({kind.title})"
    return f"{title} (sample)" if entry.shipped else title
