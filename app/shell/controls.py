"""Widgets in, plain values out: the sidebar with run and rank, and the small controls of the pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from lsr_app.owning import owner
from lsr_app.plots.base import Labelled
from lsr_app.reading import runkinds
from lsr_app.reading.rundata import RunData
from lsr_app.services import jobs, presence, problems, results, runs
from lsr_app.services.runs import RunEntry
from lsr_app.shell import pages as listed
from lsr_app.shell import saving, state
from lsr_app.words import drawntexts, formats, texts
from lsr_core.errors import InputError
from lsr_core.storage.records import FINAL_STATES
from lsr_core.storage.runs import Run

MOST_LISTED = 60
_NOW = "lsr_now"


@dataclass
class Now:
    """What is looked at in this script run."""

    owner: str
    run: Run | None = None
    shipped: bool = False
    status: str = ""
    data: RunData | None = None
    rank: int = 0
    trouble: str = ""
    damage: list[str] = field(default_factory=list)
    compare: RunData | None = None
    entries: list[RunEntry] = field(default_factory=list)

    @property
    def same_problem(self) -> bool:
        """Whether the run and the one laid over it are of the same weights and data."""
        if self.compare is None or self.run is None:
            return True
        return problems.same_problem(self.run, runs.find(self.compare.id)[0])

    @property
    def mine(self) -> bool:
        return self.run is not None and not self.shipped and self.run.manifest.owner == self.owner

    @property
    def runs(self) -> Labelled:
        """The run, and the one laid over it, with labels that tell them apart."""
        assert self.data is not None
        if self.compare is None:
            return [(_label(self.data), self.data)]
        first, second = _label(self.data), _label(self.compare)
        if first == second:
            first, second = f"{first} {self.data.id[:6]}", f"{second} {self.compare.id[:6]}"
        return [(first, self.data), (second, self.compare)]

    @property
    def ranks(self) -> list[int]:
        """The selected rank, and that which the run laid over it chose for itself."""
        return [self.rank, *(run.auto_rank for _, run in self.runs[1:])]


def select() -> Now:
    """Find the run the view names, read it if it is complete, and settle the rank."""
    now = Now(owner.of(st.context.cookies, st.session_state))  # type: ignore[arg-type]
    presence.visit(now.owner)
    wanted = state.get(state.RUN)
    now.entries = runs.entries(now.owner, also=wanted)
    if wanted is None and not state.get("bad_run"):
        wanted = runs.default_run(now.owner, now.entries)
        state.put_quietly(state.RUN, wanted)
    if any(entry.state in ("queued", "running") for entry in now.entries):
        jobs.keep_going()
    if wanted is not None:
        try:
            now.run, now.shipped = runs.find_for(now.owner, wanted)
            now.status = now.run.status().status
            if now.status == "complete" and runkinds.of(now.run.manifest).refines:
                now.data = results.load(now.run)
                now.rank = state.rank_of(now.data)
        except InputError as error:
            now.trouble = texts.damaged(str(error)) if now.run or error.file else texts.run_not_found()
        else:
            now.damage = results.damage(now.run) if now.status in FINAL_STATES else []
    if now.data is not None and state.get(state.COMPARE):
        now.compare = _other(now.owner, state.get(state.COMPARE))
    st.session_state[_NOW] = now
    return now


def now() -> Now:
    """The selection that `select` made in this script run."""
    selected: Now = st.session_state[_NOW]
    return selected


def sidebar(now: Now, pages: Sequence[Any], current: str) -> None:
    """Brand, pages, model, run, rank; the lesson, whose address is `current` there, needs no run."""
    with st.sidebar:
        st.html(f"<p class='lsr-brand'>{texts.PRODUCT}</p>")
        with st.container(gap="xxsmall"):
            group = "run"
            for page in pages:
                if (asked := listed.found()[page.url_path or listed.HOME].group) != group:
                    st.html(f"<p class='lsr-group'>{listed.GROUPS[asked]}</p>")
                    group = asked
                st.page_link(page, query_params=state.query_for(page.url_path, current), width="stretch")
        if current == "lesson":
            return
        if now.data is not None:
            _model(now.data)
            _rank(now.data)
        _runs(now)
        if now.run is not None:
            saving.control()


def _rank(data: RunData) -> None:
    rank, wanted = now().rank, state.wanted_rank()
    if len(data.ladder) > 1:
        state.seed(state.RANK, rank)
        st.select_slider(
            "Rank", data.ladder, help=texts.HELP["rank"], format_func=formats.count, **state.bound(state.RANK)
        )
    else:
        st.caption(f"Rank {rank:,}, the only one of this run")
    words = {"auto": "Auto", "knee": "Knee", "fixed": "Fixed"}
    choice = wanted if wanted in words else "fixed"
    st.session_state["w_choice"] = choice

    def chosen() -> None:
        word = st.session_state["w_choice"]
        state.put(state.RANK, rank if word == "fixed" else word)

    st.segmented_control(
        "How the rank is chosen", list(words), format_func=words.__getitem__, key="w_choice", on_change=chosen,
        required=True, help=data.parts.choices, label_visibility="collapsed", width="stretch",
    )  # fmt: skip
    if wanted == "auto" and not data.has_validation:
        st.caption(texts.NO_VALIDATION if data.summary.regularisation is None else texts.SMOOTHED)


def rank_within_reach(now: Now) -> None:
    """The rank once more, at the foot of a narrow screen, where the sidebar is a drawer."""
    if now.data is None or len(now.data.ladder) < 2:
        return
    with st.container(key="rank_here"):
        st.session_state["w_rank_here"] = now.rank
        st.select_slider(
            "Rank", now.data.ladder, format_func=formats.count, **state.bound(state.RANK, widget="w_rank_here")
        )


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


def compare_note() -> None:
    """Say which run is laid over which; nothing when there is one run."""
    selected = now()
    if selected.compare is not None:
        second, rank = selected.runs[1][0], selected.ranks[1]
        st.caption(drawntexts.compare_note(formats.markdown(selected.runs[0][0]), formats.markdown(second), rank))
        if not selected.same_problem:
            names = (formats.markdown(run.about.title) for _, run in selected.runs)
            st.warning(drawntexts.other_problem(*names), icon=":material/compare_arrows:")


def toggle(key: str, label: str, help_key: str | None = None) -> bool:
    """A switch that lives in the URL."""
    state.seed(key, bool(state.get(key)))
    return st.toggle(label, help=texts.HELP[help_key or key], **state.bound(key))


def words(key: str, label: str, options: dict[str, str], *, visible: bool = False, default: str = "") -> str:
    """A choice between a few words that lives in the URL; with its label to be seen it has its hint as well.

    `default` is what stands chosen while the view names none.
    """
    state.seed(key, state.get(key) or default)
    value = st.segmented_control(
        label, list(options), format_func=options.__getitem__, required=True,
        label_visibility="visible" if visible else "collapsed", help=texts.HELP[key] if visible else None, **state.bound(key),
    )  # fmt: skip
    return str(value or state.get(key) or default)


def pick(key: str, label: str, names: Sequence[str]) -> int:
    """A choice from a list by index; the index lives in the URL."""
    state.seed(key, state.index(key, len(names)))
    shown = [formats.one_line(name, 60) for name in names]
    shown = [f"{name} · {place + 1}" if shown.count(name) > 1 else name for place, name in enumerate(shown)]
    value = st.selectbox(label, range(len(names)), format_func=shown.__getitem__, **state.bound(key))
    return int(value)


def output(data: RunData) -> int:
    """Which output is drawn; asks only where there are several."""
    if data.n_outputs == 1:
        return 0
    return pick("output", "Output", [data.output_name(place) for place in range(data.n_outputs)])


def axes(data: RunData) -> tuple[int, int]:
    """The two inputs that maps are drawn over; asks only where there are more than two."""
    if data.dimension <= 2:
        return 0, 1
    names = [data.input_name(place) for place in range(data.dimension)]
    first = pick("xaxis", "Horizontal", names)
    second = pick("yaxis", "Vertical", names)
    if first == second:
        second = next(place for place in range(data.dimension) if place != first)
        state.say(drawntexts.same_axes(names[second]))
    return first, second


def note_toggle(key: str, label: str) -> None:
    """A toggle whose value the page reads from the view."""
    toggle(key, label)


def _other(owner: str, run_id: str) -> RunData | None:
    try:
        run, _ = runs.find_for(owner, run_id)
        if run.status().status == "complete" and runkinds.of(run.manifest).refines:
            return results.load(run)
    except InputError:
        pass
    state.say(texts.COMPARE_SKIPPED)
    return None


def _label(data: RunData) -> str:
    return formats.one_line(data.manifest.title, 28)


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
