"""What the owner of runs may do with them: name, tag, note, list, keep, delete; several at once."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lsr_app.screens.runs import runstexts
from lsr_app.services import ownership, runs
from lsr_app.services.runs import RunEntry
from lsr_app.shell import state
from lsr_app.shell.controls import Now
from lsr_app.words import formats, texts
from lsr_core.errors import InputError
from lsr_core.refinement import serverlimits
from lsr_core.storage.runs import Run

Change = Callable[[Run], None]


def section(now: Now, mine: list[RunEntry]) -> None:
    """The chosen runs of this browser."""
    stamp = hash(tuple(entry.id for entry in mine))
    with st.expander(runstexts.care(len(mine)), icon=":material/edit:", key="care", expanded=len(mine) == 1):
        if len(mine) == 1:
            _name(now, mine[0])
        _tags(now, mine, stamp)
        _listing(now, mine)
        _delete(now, mine, stamp)


def _name(now: Now, entry: RunEntry) -> None:
    title = st.text_input("Name", value=entry.manifest.title, max_chars=200, key=f"name_{entry.id}")
    if st.button("Rename", key="rename_chosen", disabled=not title.strip() or title == entry.manifest.title):
        apply(now, [entry], lambda run: ownership.rename(run, now.owner, title))


def _tags(now: Now, mine: list[RunEntry], stamp: int) -> None:
    known = sorted({tag for entry in now.entries for tag in entry.manifest.tags})
    shared = [tag for tag in mine[0].manifest.tags if all(tag in entry.manifest.tags for entry in mine)]
    tags = st.multiselect(
        "Tags", list(dict.fromkeys([*shared, *known])), default=shared, key=f"tags_{stamp}", accept_new_options=True, max_selections=20,
        help=runstexts.TAGS_HELP,
    )  # fmt: skip
    one = mine[0] if len(mine) == 1 else None
    note = st.text_area("Note", one.manifest.note, max_chars=4000, key=f"note_{one.id}", height=90) if one else None
    if st.button("Save tags and note" if one else "Save tags", key="save_tags"):
        old = set(shared)

        def change(run: Run) -> None:
            kept = [tag for tag in run.manifest.tags if tag not in old]
            ownership.annotate(run, now.owner, [*kept, *tags], run.manifest.note if note is None else note)

        apply(now, mine, change)


def _listing(now: Now, mine: list[RunEntry]) -> None:
    with st.container(horizontal=True, gap="small"):
        passing = [entry for entry in mine if entry.manifest.session_only]
        if (
            passing
            and not serverlimits.current().passing
            and st.button(
                runstexts.KEEP_RUN, key="keep_chosen", help=runstexts.KEEP_RUN_HELP, icon=":material/bookmark:"
            )
        ):
            apply(now, passing, lambda run: ownership.keep(run, now.owner))
        lasting = [entry for entry in mine if not entry.manifest.session_only]
        hidden = [entry for entry in lasting if not entry.manifest.listed]
        if hidden and st.button("List for everybody", key="list_chosen", help=texts.HELP["listed"]):
            apply(now, hidden, lambda run: ownership.set_listed(run, now.owner, True))
        listed = [entry for entry in lasting if entry.manifest.listed]
        if listed and st.button("Take off the list", key="unlist_chosen", help=texts.HELP["listed"]):
            apply(now, listed, lambda run: ownership.set_listed(run, now.owner, False))


def _delete(now: Now, mine: list[RunEntry], stamp: int) -> None:
    if any(entry.state in ("queued", "running") for entry in mine):
        st.caption(runstexts.CANCEL_FIRST)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        sure = st.checkbox(runstexts.sure(len(mine)), key=f"sure_{stamp}")
        if st.button("Delete", key="delete_chosen", disabled=not sure, icon=":material/delete:"):
            apply(now, mine, lambda run: ownership.delete(run, now.owner))


def apply(now: Now, entries: list[RunEntry], change: Change) -> None:
    """Apply a change of the owner's to each run, whose service checks again whose it is; the first that cannot be is said."""
    for entry in entries:
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
