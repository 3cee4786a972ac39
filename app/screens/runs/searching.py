"""What stands in the search field of the table of runs: words, patterns, and conditions on columns."""

from __future__ import annotations

import fnmatch
import math
import operator
import re
from collections.abc import Callable, Iterable

from lsr_app.reading import runkinds
from lsr_app.screens.runs import runstexts
from lsr_app.services.runs import RunEntry
from lsr_app.words import texts

Matches = Callable[[RunEntry], bool]
NUMBERS: dict[str, Callable[[RunEntry], float | None]] = {
    "network": lambda entry: entry.gain[0] if entry.gain else None,
    "refined": lambda entry: entry.gain[1] if entry.gain else None,
    "gain": lambda entry: entry.times,
    "rank": lambda entry: entry.rank,
    "kappa": lambda entry: entry.condition,
    "seconds": lambda entry: entry.seconds,
}
WORDS: dict[str, Callable[[RunEntry], Iterable[str]]] = {
    "name": lambda entry: [entry.manifest.title],
    "problem": lambda entry: [entry.problem.title, entry.manifest.problem],
    "kind": lambda entry: [runkinds.of(entry.manifest).title],
    "state": lambda entry: [texts.STATES[entry.state]],
    "tag": lambda entry: entry.manifest.tags,
    "note": lambda entry: [entry.manifest.note],
}
ID_FROM = 4  # letters: a shorter word, such as a number, begins some id by chance
COMPARED = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
_CONDITION = re.compile(r"(\w+)(<=|>=|<|>)(.*)")
_COLUMN = re.compile(r"(\w+):(.+)")


def understood(search: str) -> tuple[Matches, list[str]]:
    """What a run must be to be found, and a sentence about each part that is no condition.

    Parts are told apart by spaces, and all must hold: `word` stands somewhere in the run's words or, from four letters on, begins its id; `*`
    stands for any letters and `?` for one; `name:` before it asks a column of `WORDS` alone; `gain>10` compares a number of `NUMBERS`, which a run
    without it does not meet.
    """
    asked: list[Matches] = []
    wrong: list[str] = []
    for part in search.split():
        try:
            asked.append(_part(part))
        except ValueError as error:
            wrong.append(str(error))
    return lambda entry: all(matches(entry) for matches in asked), wrong


def _part(part: str) -> Matches:
    if found := _CONDITION.fullmatch(part):
        return _number(*found.groups())
    found = _COLUMN.fullmatch(part)
    if found and found[1].lower() in WORDS:
        return _words(found[2], WORDS[found[1].lower()])
    return _words(part, lambda entry: (text for words in WORDS.values() for text in words(entry)), ids=True)


def _words(pattern: str, told: Callable[[RunEntry], Iterable[str]], ids: bool = False) -> Matches:
    """A pattern is held against each text and each of its words as a whole, anything else is looked for inside of them."""
    pattern = pattern.lower()
    if not set(pattern) & set("*?"):
        return lambda entry: (
            any(pattern in text.lower() for text in told(entry))
            or (ids and len(pattern) >= ID_FROM and entry.id.startswith(pattern))
        )
    fits = re.compile(fnmatch.translate(pattern.replace("[", "[[]"))).match

    def matches(entry: RunEntry) -> bool:
        return any(fits(whole) for text in told(entry) for whole in (text.lower(), *text.lower().split()))

    return matches


def _number(column: str, sign: str, words: str) -> Matches:
    try:
        limit = float(words)
    except ValueError:
        limit = math.nan
    if column.lower() not in NUMBERS or math.isnan(limit):
        raise ValueError(runstexts.no_condition(f"{column}{sign}{words}", list(NUMBERS)))
    value, compare = NUMBERS[column.lower()], COMPARED[sign]

    def matches(entry: RunEntry) -> bool:
        found = value(entry)
        return found is not None and compare(found, limit)

    return matches
