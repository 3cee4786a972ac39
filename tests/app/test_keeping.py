"""What was read of uploads stays within a budget a session and one in all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lsr_app.screens.bring.keeping import MOST_OF_ONE, Keeper


def counted(size: int) -> tuple[Callable[[], np.ndarray], list[int]]:
    """Something that makes an array, and how often it was asked to."""
    calls: list[int] = []

    def make() -> np.ndarray:
        calls.append(1)
        return np.zeros(size, dtype="u1")

    return make, calls


def test_a_result_is_made_once_while_it_is_kept() -> None:
    keeper, (make, calls) = Keeper(100, 1000), counted(50)
    assert keeper.get("one", "a", make) is keeper.get("one", "a", make)
    keeper.get("two", "a", make)  # another session has its own
    assert len(calls) == 2
    keeper.forget("one")
    keeper.get("one", "a", make)
    assert len(calls) == 3


def test_the_oldest_of_a_session_goes_when_its_budget_is_spent() -> None:
    keeper, (make, calls) = Keeper(100, 1000), counted(40)
    for key in "abac":  # b was looked at before a
        keeper.get("one", key, make)
    assert len(calls) == 3
    keeper.get("one", "a", make)
    assert len(calls) == 3
    keeper.get("one", "b", make)
    assert len(calls) == 4


def test_what_is_larger_than_the_budget_is_not_kept() -> None:
    keeper, (make, calls) = Keeper(100, 1000), counted(101)
    keeper.get("one", "a", make)
    keeper.get("one", "a", make)
    assert len(calls) == 2


def test_all_sessions_together_have_a_budget() -> None:
    keeper, (make, calls) = Keeper(100, 250), counted(100)
    for session in ("one", "two", "three"):
        keeper.get(session, "a", make)
    keeper.get("three", "a", make)
    assert len(calls) == 3
    keeper.get("one", "a", make)
    assert len(calls) == 4


def test_arrays_in_dictionaries_count_and_small_results_are_few() -> None:
    keeper, (make, calls) = Keeper(100, 1000), counted(60)
    keeper.get("one", "a", lambda: {"x": make(), "y": make()})
    keeper.get("one", "a", lambda: {"x": make(), "y": make()})
    assert len(calls) == 4
    small = Keeper()
    for key in range(MOST_OF_ONE + 1):
        small.get("one", key, lambda: "word")
    assert small.get("one", 0, lambda: "again") == "again"
