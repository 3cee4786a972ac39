"""Scripts of pages take turns: few at once, open pages before new ones, and nobody for ever."""

from __future__ import annotations

import threading
import time

import pytest

from lsr_app.serve import turns
from lsr_app.serve.turns import Turns


def held(shop: Turns, name: str, order: list[str], go: threading.Event) -> threading.Thread:
    def script() -> None:
        with shop.turn(name):
            order.append(name)
            go.wait(20)

    thread = threading.Thread(target=script, daemon=True)
    thread.start()
    return thread


def until_waiting(shop: Turns, count: int) -> None:
    end = time.monotonic() + 10
    while len(shop._waiting) < count:
        assert time.monotonic() < end
        time.sleep(0.005)


def test_few_at_once_and_an_open_page_before_new_ones() -> None:
    shop, order, go = Turns(at_once=1), list[str](), threading.Event()
    with shop.turn("open"):
        pass
    threads = [held(shop, "first", order, go)]
    while not order:
        time.sleep(0.005)
    for count, name in enumerate(("new 1", "new 2", "open"), 1):
        threads.append(held(shop, name, order, go))
        until_waiting(shop, count)
    assert order == ["first"]
    go.set()
    for thread in threads:
        thread.join(20)
    assert order == ["first", "open", "new 1", "new 2"]
    assert not shop._begun
    assert not shop._waiting


def test_new_ones_come_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LATER_SECONDS", 0.0)
    shop, order, go = Turns(at_once=1), list[str](), threading.Event()
    threads = [held(shop, "first", order, go)]
    while not order:
        time.sleep(0.005)
    for count, name in enumerate(("new", "first"), 1):
        threads.append(held(shop, name, order, go))
        until_waiting(shop, count)
    go.set()
    for thread in threads:
        thread.join(20)
    assert order == ["first", "new", "first"]


def test_who_waits_for_something_else_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONG_SECONDS", 0.1)
    shop, order, go = Turns(at_once=2), list[str](), threading.Event()
    threads = [held(shop, str(number), order, go) for number in range(8)]
    end = time.monotonic() + 10
    while len(order) < 8:
        assert time.monotonic() < end
        time.sleep(0.01)
    go.set()
    for thread in threads:
        thread.join(20)


def test_a_script_that_fails_gives_its_turn_back() -> None:
    shop = Turns(at_once=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="x"), shop.turn("a"):
            raise ValueError("x")
    assert not shop._begun


def test_scripts_of_this_streamlit_can_be_given_turns() -> None:
    from streamlit.runtime.scriptrunner.script_runner import ScriptRunner

    before = ScriptRunner._run_script
    try:
        turns.install()
        assert ScriptRunner._run_script is not before
    finally:
        ScriptRunner._run_script = before  # type: ignore[method-assign]
