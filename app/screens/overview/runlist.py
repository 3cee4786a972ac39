"""The list of runs: open, compare, and for the owner rename, list and delete."""

from __future__ import annotations

import time

import streamlit as st

from lsr_app.reading import runkinds
from lsr_app.screens.overview import overviewtexts
from lsr_app.services import ownership, runs
from lsr_app.services.runs import RunEntry
from lsr_app.shell import show, state
from lsr_app.shell.controls import Now
from lsr_app.words import formats, texts
from lsr_core.errors import InputError

SHORT = 6
_ALL = "list_all"


def section(now: Now) -> None:
    show.section("Runs")
    if not now.entries:
        st.caption(overviewtexts.NO_RUNS)
        return
    everything = bool(st.session_state.get(_ALL))
    shown = now.entries if everything else now.entries[:SHORT]
    with st.container(gap="xsmall", key="run_list"):
        for entry in shown:
            _row(now, entry)
    if len(now.entries) > SHORT:
        label = "Show fewer" if everything else f"Show all {len(now.entries)} runs"
        st.button(label, key="list_more", type="tertiary", on_click=_switch)


def _row(now: Now, entry: RunEntry) -> None:
    is_open = now.run is not None and entry.id == now.run.id
    mine = not entry.shipped and entry.manifest.owner == now.owner
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False, key=f"row_{entry.id}"):
        st.html(_describe(entry, is_open, mine), width="stretch")
        st.button(
            "Open" if not is_open else "Opened",
            key=f"open_{entry.id}",
            on_click=state.open_run,
            args=(entry.id,),
            disabled=is_open,
        )
        if entry.refined and now.data is not None and not is_open:
            laid = state.get(state.COMPARE) == entry.id
            st.button(
                "Stop comparing" if laid else "Compare", key=f"compare_{entry.id}", on_click=_compare,
                args=(None if laid else entry.id,), help=texts.HELP["compare"],
            )  # fmt: skip
        if mine:
            _manage(now, entry)


def _describe(entry: RunEntry, is_open: bool, mine: bool) -> str:
    config = entry.manifest.config
    remarks = [formats.page(entry.manifest.problem), runkinds.of(entry.manifest).title, config.dtype]
    if entry.shipped:
        remarks.append("comes with the product")
    else:
        remarks.append(formats.ago(entry.manifest.created, time.time()))
    if mine:
        unlisted = overviewtexts.SESSION_ONLY if entry.manifest.session_only else "yours, unlisted"
        remarks.append("yours" if entry.manifest.listed else unlisted)
    if entry.gain is not None:
        result = (
            f"<span class='lsr-base'>{formats.error(entry.gain[0])}</span><span class='lsr-arrow'>→</span>"
            f"<span class='lsr-refined'>{formats.error(entry.gain[1])}</span>"
            + (f" at rank {entry.rank:,}" if entry.rank is not None else "")
        )
    else:
        result = f"<span class='lsr-state-{entry.state}'>{texts.STATES[entry.state]}</span>"
    weight = "lsr-run lsr-open" if is_open else "lsr-run"
    return (
        f"<div class='{weight}'><b>{formats.page(formats.one_line(entry.manifest.title, 80))}</b>"
        f"<span class='lsr-result'>{result}</span><span class='lsr-remark'>{' · '.join(remarks)}</span></div>"
    )


def _manage(now: Now, entry: RunEntry) -> None:
    with st.popover("", icon=":material/more_vert:", help="Rename, list or delete", key=f"manage_{entry.id}"):
        title = st.text_input(
            "Name", value=entry.manifest.title, max_chars=200, key=f"name_{entry.id}_{entry.manifest.title}"
        )
        if st.button("Rename", key=f"rename_{entry.id}", disabled=not title.strip() or title == entry.manifest.title):
            _do(now, entry, lambda run: ownership.rename(run, now.owner, title))
        if entry.manifest.session_only and st.button(
            overviewtexts.KEEP_RUN, key=f"keep_{entry.id}", help=overviewtexts.KEEP_RUN_HELP, icon=":material/bookmark:"
        ):
            _do(now, entry, lambda run: ownership.keep(run, now.owner))
        listed = st.toggle(
            "Listed for everybody",
            value=entry.manifest.listed,
            key=f"listed_{entry.id}",
            help=texts.HELP["listed"],
            disabled=entry.manifest.session_only,
        )
        if listed != entry.manifest.listed:
            _do(now, entry, lambda run: ownership.set_listed(run, now.owner, listed))
        if entry.state in ("queued", "running"):
            st.caption(overviewtexts.CANCEL_FIRST)
            return
        sure = st.checkbox("Yes, delete it for good", key=f"sure_{entry.id}")
        if st.button("Delete", key=f"delete_{entry.id}", disabled=not sure, icon=":material/delete:"):
            _do(now, entry, lambda run: ownership.delete(run, now.owner))


def _do(now: Now, entry: RunEntry, change) -> None:  # type: ignore[no-untyped-def]
    """Apply a change of the owner's; the service checks again whose run it is."""
    try:
        run, _ = runs.find(entry.id)
        change(run)
    except InputError as error:
        st.error(formats.markdown(str(error)))
        return
    if not run.path.exists():
        if now.run is not None and entry.id == now.run.id:
            state.open_run(None)
        elif state.get(state.COMPARE) == entry.id:
            state.put(state.COMPARE, None)
    st.rerun()


def _compare(run_id: str | None) -> None:
    state.put(state.COMPARE, run_id)


def _switch() -> None:
    st.session_state[_ALL] = not st.session_state.get(_ALL, False)
