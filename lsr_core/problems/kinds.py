"""The kinds of problems there are, by the names that bundles give them.

A kind is a folder under `lsr_core/kinds`, or a file where it is small, which stands on top of the engine and knows all of it. The engine knows its
name only: what a room asks of a kind is an abstract class of that room, and `part` fetches the kind's answer when it is first asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

HOMES = {
    "supervised": "lsr_core.kinds.data",
    "classification": "lsr_core.kinds.classes",
    "operator": "lsr_core.kinds.operators",
    "physics": "lsr_core.kinds.equations",
}

LIKE = "supervised"  # a kind in all that it says nothing about

if TYPE_CHECKING:
    ProblemKind = str
else:
    ProblemKind = Literal[tuple(HOMES)]  # for pydantic, which names them all to whoever gives another


def part(kind: ProblemKind, room: str) -> Any:
    """What a kind answers to a room: `KIND` of the file of that name in its folder, or what a kind of one file calls so; else as for data."""
    home = HOMES[kind]
    own = f"{home}.{room}"
    try:
        return importlib.import_module(own).KIND
    except ModuleNotFoundError as error:
        found = getattr(importlib.import_module(home), room, None) if error.name == own else None
        if error.name != own or (found is None and kind == LIKE):
            raise
    return part(LIKE, room) if found is None else found


@dataclass(frozen=True)
class KindWords:
    """What is said of a kind without opening a problem.

    Attributes:
        unused: settings of a refinement that have no meaning for it, and why; a reason completes "is VALUE, but …; leave it at DEFAULT".
        refused: jobs that are not done with it, and why.
        entry: key of a bundle's description that this kind has and no other.
    """

    unused: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""


def words_of(kind: ProblemKind) -> KindWords:
    """The words of a kind."""
    found: KindWords = part(kind, "words")
    return found
