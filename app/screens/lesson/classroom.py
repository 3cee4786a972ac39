"""What a class has predicted: an answer for each browser and question, in memory for some hours, told to others as counts only."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

HOURS = 3.0
MOST_BROWSERS = 5000  # the oldest is forgotten first


@dataclass(frozen=True)
class Said:
    """A prediction, whether its experiment was run, and when."""

    guess: int
    done: bool = False
    at: float = field(default_factory=time.time)


_answers: OrderedDict[str, dict[str, Said]] = OrderedDict()
_lock = threading.Lock()


def say(owner: str, question: str, guess: int, *, done: bool = False) -> None:
    """Keep an answer; once its experiment has run it stays as it was given."""
    with _lock:
        given = _answers.setdefault(owner, {})
        if (known := given.get(question)) is None or not known.done:
            given[question] = Said(guess, done)
        _answers.move_to_end(owner)
        while len(_answers) > MOST_BROWSERS:
            _answers.popitem(last=False)


def said(owner: str) -> dict[str, Said]:
    """The answers of one browser, those of the last hours."""
    since = time.time() - HOURS * 3600
    with _lock:
        return {question: one for question, one in _answers.get(owner, {}).items() if one.at >= since}


def forget(owner: str, question: str) -> None:
    """Ask this browser anew."""
    with _lock:
        _answers.get(owner, {}).pop(question, None)


def counts(question: str, options: int) -> list[int]:
    """How many browsers predicted each option and ran the experiment, in the last hours."""
    since = time.time() - HOURS * 3600
    found = [0] * options
    with _lock:
        for given in _answers.values():
            one = given.get(question)
            if one is not None and one.done and one.at >= since and one.guess < options:
                found[one.guess] += 1
    return found
