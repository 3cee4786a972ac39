"""The keyboard: a box that goes to any page or run, and keys for the rank and the next page.

Streamlit ties keys to buttons, so each key has a button that is not drawn. All take a modifier: a single letter would be in the way of
speech input and of who types (WCAG 2.1.4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from lsr_app.shell import pages, state
from lsr_app.shell.controls import Now
from lsr_app.words import formats, keytexts

MOST_RUNS = 200  # in the box, the newest
_TURN = "lsr_go_to_turn"


def go_to(now: Now) -> None:
    """The button at the head of the sidebar, and the box that it opens."""
    if st.button(keytexts.GO_TO, key="go_to", icon=":material/search:", shortcut="Mod+K", width="stretch"):
        st.session_state[_TURN] = int(st.session_state.get(_TURN, 0)) + 1
        _box(now)


@st.dialog(keytexts.GO_TO)
def _box(now: Now) -> None:
    titles = {f"page {name}": keytexts.page(screen.title) for name, screen in pages.found().items()}
    titles |= {
        f"run {entry.id}": keytexts.run(f"{formats.one_line(entry.manifest.title, 60)} · {entry.id[:6]}")
        for entry in now.entries[:MOST_RUNS]
    }
    st.caption(keytexts.LEAD)
    chosen = st.selectbox(
        keytexts.WHERE, list(titles), index=None, format_func=titles.__getitem__, placeholder=keytexts.TYPE_IT,
        key=f"go_to_{st.session_state[_TURN]}",
    )  # fmt: skip
    st.caption(keytexts.OTHERS)
    st.markdown("\n".join(f"- `{key}` {does}" for key, does in keytexts.KEYS.values()))
    if chosen is None:
        return
    sort, _, name = chosen.partition(" ")
    if sort == "run":
        state.open_run(name)
        name = state.at_page() or pages.HOME
        if pages.found()[name].group != "run":
            name = pages.HOME
    _open(name)


def _open(page: str) -> None:
    st.switch_page(pages.script(page), query_params=state.query_for(page, state.at_page()))


def bind(now: Now) -> None:
    """The keys without a button of their own."""
    listed = list(pages.found())
    here = listed.index(state.at_page() or pages.HOME)
    with st.container(key="keys"):
        for key, page in (("page_next", here + 1), ("page_before", here - 1)):
            if _button(key):
                _open(listed[page % len(listed)])
        if now.data is not None and len(now.data.ladder) > 1:
            for key, step in (("rank_down", -1), ("rank_up", 1)):
                _button(key, partial(_step, now.data.ladder, now.rank, step))


def _step(ladder: Sequence[int], drawn: int, step: int) -> None:
    """Move the rank on, from where the view is by now: it may have been drawn for another."""
    at = state.wanted_rank()
    place = ladder.index(int(at) if at in ladder else drawn)
    state.put(state.RANK, ladder[min(max(place + step, 0), len(ladder) - 1)])


def _button(key: str, act: Callable[[], None] | None = None) -> bool:
    shortcut, does = keytexts.KEYS[key]
    return st.button(does, key=f"key_{key}", shortcut=shortcut, on_click=act)
