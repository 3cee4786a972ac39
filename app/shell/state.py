"""What this browser tab looks at. One mechanism for the URL and the session.

The session holds the view; the URL mirrors it. At the start of every script run `begin` decides which of the two is
newer: after a widget was used it is the session, otherwise a URL that differs from the one written last was typed,
followed or reached by the back button and is taken over. A URL without any of the keys (a bare page address) changes
nothing. At the end of the run `finish` writes the URL. Values from a URL are checked here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from lsr_app.reading.rundata import RunData
from lsr_app.words import drawntexts, texts
from lsr_core.storage.runs import ID_PATTERN

RUN, COMPARE, RANK, PROBLEM, RUNS = "run", "compare", "rank", "problem", "runs"
MOST_RUNS = 12  # that are compared side by side
DEFAULTS: dict[str, Any] = {
    "section": "maps", "logx": False, "logy": True, "measure": "mse", "own": False, "signed": False, "output": 0, "xaxis": 0, "yaxis": 1, "along": 0,
    "at": 50, "pathx": True, "pathy": True, "step": -1, "lab": "", "against": "iterations",
    "precision": "float64", "coordinates": "both", "reorth": False, "present": False, "way": "files",
    "cell": "plain", "kappa": 8, "rate": 100, "bits": 24,
}  # fmt: skip
KEYS = (RUN, COMPARE, RANK, PROBLEM, RUNS, *DEFAULTS)
WORDS = {
    "measure": ("mse", "relative_l2"),
    "section": ("maps", "samples", "slices", "distribution"),
    "lab": ("race", "plane", "directions", "isolation"),
    "against": ("iterations", "products", "seconds"),
    "precision": ("float64", "float32"),
    "cell": ("plain", "ill", "valleys", "both"),
    "way": ("files", "bundle", "equation"),
    "coordinates": ("both", "original", "whitened"),
}
LIMITS = {
    "output": 10_000,
    "xaxis": 10_000,
    "yaxis": 10_000,
    "along": 10_000,
    "at": 100,
    "step": 1_000_000,
    "kappa": 32,
    "rate": 250,
    "bits": 48,
}
_VIEW, _WRITTEN, _TOUCHED, _MESSAGES, _TO_TOP = "lsr_view", "lsr_written", "lsr_touched", "lsr_messages", "lsr_to_top"
_PAGE, _MOVED = "lsr_page", "lsr_moved"
Rank = int | str


def begin() -> None:
    """Take over the URL if it is newer than the session. Call once, before any widget."""
    incoming = {key: st.query_params[key] for key in KEYS if key in st.query_params}
    touched = st.session_state.pop(_TOUCHED, False)
    first = _VIEW not in st.session_state
    if first:
        st.session_state[_VIEW] = {}
    if first or (not touched and incoming and incoming != st.session_state.get(_WRITTEN)):
        st.session_state[_MESSAGES] = []
        st.session_state[_VIEW] = _parse(incoming)


def finish() -> None:
    """Write the view into the URL if it is not there already."""
    wanted = query()
    current = {key: st.query_params[key] for key in st.query_params}
    kept = {key: value for key, value in current.items() if key not in KEYS}
    if {key: value for key, value in current.items() if key in KEYS} != wanted:
        st.query_params.from_dict({**kept, **wanted})
    st.session_state[_WRITTEN] = wanted


def query_for(page: str, current: str) -> dict[str, str]:
    """The view as URL parameters of a link to another page; the lesson counts steps of its own."""
    own = (
        ("step", "present", "cell", "kappa", "rate", "bits") if page != current and "lesson" in (page, current) else ()
    )
    return {key: value for key, value in query().items() if key not in own}


def query() -> dict[str, str]:
    """The view as URL parameters; what stands at its default is left out."""
    view = _view()
    wanted = {key: str(view[key]) for key in (RUN, COMPARE, RANK, PROBLEM, RUNS) if view.get(key) not in (None, "")}
    for key, default in DEFAULTS.items():
        value = view.get(key, default)
        if value != default:
            wanted[key] = str(int(value)) if isinstance(value, (bool, int)) else str(value)
    return wanted


def get(key: str) -> Any:
    return _view().get(key, DEFAULTS.get(key))


def asked(key: str) -> bool:
    """Whether the view holds a value, and not just the default."""
    return key in _view()


def put(key: str, value: Any) -> None:
    """Change the view from the script; the URL follows at the end of the run."""
    _view()[key] = value
    st.session_state[_TOUCHED] = True


def put_quietly(key: str, value: Any) -> None:
    """Fill in what the view left open; a URL that comes later still wins."""
    _view()[key] = value


def open_run(run_id: str | None, compare: str | None = None) -> None:
    """Look at another run: at its own choice of rank, with nothing laid over it unless said."""
    view = _view()
    view[RUN], view[COMPARE], view[RANK], view[PROBLEM] = run_id, compare, None, None
    for key in ("output", "xaxis", "yaxis", "along", "at", "step", "lab"):
        view.pop(key, None)
    st.session_state[_MESSAGES] = []
    st.session_state[_TO_TOP] = True
    st.session_state[_TOUCHED] = True


def bound(key: str, convert: Callable[[Any], Any] = lambda value: value, widget: str = "") -> dict[str, Any]:
    """Arguments `key` and `on_change` that tie a widget to a key of the view.

    The widget's own state is set from the view before each run, so a widget that a page did not draw for a while
    comes back as it was left. A key that a second widget stands for as well is given the name of that `widget`.
    """
    widget = widget or f"w_{key}"

    def changed() -> None:
        value = convert(st.session_state[widget])
        if value is not None:
            _view()[key] = value
        st.session_state[_TOUCHED] = True
        st.session_state[_MESSAGES] = []
        moved(widget)

    return {"key": widget, "on_change": changed}


def moved(widget: str) -> None:
    """Tell that the next script run follows a change of this widget in the browser."""
    st.session_state[_MOVED] = widget


def seed(key: str, value: Any, widget: str = "") -> None:
    """Give a bound widget the value it must show.

    The widget whose change this script run follows shows it already, or a newer one by now, as where an arrow key is pressed several
    times: a value that was sent back would put it where it stood before.
    """
    widget = widget or f"w_{key}"
    if st.session_state.get(_MOVED) == widget:
        del st.session_state[_MOVED]
        if st.session_state.get(widget) == value:
            return
    st.session_state[widget] = value


def index(key: str, length: int) -> int:
    """A view key that is an index, held inside 0…length − 1 with a message."""
    value = int(get(key))
    if value >= length:
        say(texts.index_out_of_range(key, value, length))
        value = DEFAULTS[key] if DEFAULTS[key] < length else 0
        _view()[key] = value
    return value


def wanted_rank() -> Rank:
    """What the view asks for: auto, knee or a number, of which 0 is the network as it is."""
    wanted: Rank | None = get(RANK)
    return "auto" if wanted is None else wanted


def rank_of(run: RunData) -> int:
    """The selected rank, on the ladder of `run`; what the view asks for is clamped and snapped with a message."""
    wanted = wanted_rank()
    if wanted == "auto":
        return run.auto_rank
    if wanted == "knee":
        return run.snap(run.summary.knee)
    rank = run.snap(int(wanted))
    if rank != wanted:
        beyond = not run.ladder[0] <= int(wanted) <= run.ladder[-1]
        say(texts.rank_clamped(int(wanted), rank, run.ladder[-1]) if beyond else texts.rank_snapped(int(wanted), rank))
        _view()[RANK] = rank
    return rank


def say(message: str) -> None:
    """A remark about the view, shown until the next change."""
    messages = st.session_state.setdefault(_MESSAGES, [])
    if message not in messages:
        messages.append(message)


def messages() -> list[str]:
    return list(st.session_state.get(_MESSAGES, []))


def show_top() -> None:
    """Have the next script run bring the beginning of the page into view."""
    st.session_state[_TO_TOP] = True


def at_page(name: str | None = None) -> str:
    """The address of the page that is drawn; told by the entry script."""
    if name is not None:
        st.session_state[_PAGE] = name
    return str(st.session_state.get(_PAGE, ""))


def to_top() -> bool:
    """Whether another run was opened since the last script run, so that the page should show its beginning."""
    return bool(st.session_state.pop(_TO_TOP, False))


def _view() -> dict[str, Any]:
    view: dict[str, Any] = st.session_state.setdefault(_VIEW, {})
    return view


def _parse(raw: dict[str, str]) -> dict[str, Any]:
    """A view from URL parameters; each that cannot be used is left out with one sentence."""
    view: dict[str, Any] = {}
    for key, text in raw.items():
        if key in (RUN, COMPARE):
            if ID_PATTERN.fullmatch(text):
                view[key] = text
            else:
                say(texts.bad_run_id(key))
                view[key] = None
                view["bad_run"] = view.get("bad_run", False) or key == RUN
        elif key == RANK:
            view[key] = text if text in ("auto", "knee") else _whole(text)
            if view[key] is None:
                say(texts.bad_rank())
        elif key in (RUNS, PROBLEM):
            view[key] = _several(text) if key == RUNS else _problem(text)
        elif key in WORDS:
            if text in WORDS[key]:
                view[key] = text
        elif key in LIMITS:
            number = _whole(text)
            if number is not None and 0 <= number <= LIMITS[key]:
                view[key] = number
        elif text in ("0", "1"):
            view[key] = text == "1"
    return view


def several() -> list[tuple[str, int | None]]:
    """Runs that are compared side by side, each with its rank, or None for the rank it chose."""
    entries = [part for part in str(get(RUNS) or "").split(",") if part]
    pairs = (entry.partition("@") for entry in entries)
    return [(run_id, _whole(rank) if rank else None) for run_id, _, rank in pairs]


def put_several(chosen: Sequence[tuple[str, int | None]]) -> None:
    """Compare these from now on."""
    put(RUNS, ",".join(run_id if rank is None else f"{run_id}@{rank}" for run_id, rank in chosen))


def _problem(text: str) -> str | None:
    return text if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text) else None


def _several(text: str) -> str:
    """What can be used of a list of runs in an address; what cannot, and what is too many, is left out with a sentence."""
    parts = list(dict.fromkeys(text.split(",")))
    fit = [
        part
        for part in parts
        if ID_PATTERN.fullmatch(part.partition("@")[0]) and re.fullmatch(r"(@\d{1,9})?", part[32:])
    ]
    if len(fit) < len(parts):
        say(texts.bad_run_id(RUNS))
    if len(fit) > MOST_RUNS:
        say(drawntexts.too_many_runs(len(fit), MOST_RUNS))
    return ",".join(fit[:MOST_RUNS])


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else None
