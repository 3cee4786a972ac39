"""Widgets in, plain values out: what is looked at, and the small controls of the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from lsr_app.owning import owner
from lsr_app.plots.base import Labelled
from lsr_app.reading import runkinds
from lsr_app.reading.rundata import RunData
from lsr_app.reading.runkinds import RunKind
from lsr_app.services import jobs, presence, problems, results, runs
from lsr_app.services.runs import RunEntry
from lsr_app.shell import state
from lsr_app.words import drawntexts, formats, texts
from lsr_core.errors import InputError
from lsr_core.storage.records import FINAL_STATES
from lsr_core.storage.runs import Run

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
    def kind(self) -> RunKind:
        """Of the run that is open."""
        assert self.run is not None
        return runkinds.of(self.run.manifest)

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
        label_visibility="visible" if visible else "collapsed", help=texts.HELP.get(key) if visible else None, **state.bound(key),
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
