"""Widgets that are moved faster than pages are drawn: what the browser says late must not undo what was chosen since."""

from __future__ import annotations

from typing import Any

import pytest

from lsr_app.shell import keys, state, turns

Session = dict[str, Any]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    found: Session = {}
    monkeypatch.setattr(state.st, "session_state", found)
    return found


def test_a_key_moves_on_from_where_the_view_is_by_now(session: Session) -> None:
    for wanted in (3, 2, 1, 1):
        keys._step([1, 2, 3, 4], 4, -1)
        assert state.get(state.RANK) == wanted


def test_the_widget_that_was_moved_is_not_sent_where_it_stands(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.seed("at", 5)
    assert session["w_at"] == 5
    widget = state.bound("at")
    session["w_at"] = 6  # by hand
    widget["on_change"]()
    assert state.get("at") == 6
    sent: Session = {}
    monkeypatch.setattr(state.st, "session_state", Watched(session, sent))
    state.seed("at", 6)
    assert "w_at" not in sent
    state.seed("at", 6)  # the next run follows something else
    assert sent["w_at"] == 6


def test_a_widget_that_has_to_show_another_value_is_a_new_one(session: Session) -> None:
    first = turns.fresh("w", 5)
    session[first] = 7  # by hand
    assert turns.fresh("w", 7) == first
    second = turns.fresh("w", 3)
    assert second != first
    assert session[second] == 3
    session[first] = 7  # the browser had not heard of it yet
    assert turns.fresh("w", 3) == second
    assert session[second] == 3


class Watched(dict[str, Any]):
    """A session, and what a script puts into it."""

    def __init__(self, values: Session, sent: Session) -> None:
        super().__init__(values)
        self._sent = sent

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._sent[key] = value
