"""Faults that once survived all tests, by the line that they change; `__main__` finds the file that has the line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Named:
    """A fault known by name.

    Attributes:
        was: the text that is changed, which exactly one file of the engine has.
        becomes: the faulty text.
        tests: what should notice.
    """

    name: str
    was: str
    becomes: str
    tests: tuple[str, ...]


NAMED = (
    Named(
        "a block restricted to some points is not weighted again",
        "factor = math.sqrt(len(self.points) / max(1, len(chosen)))",
        "factor = 1.0",
        ("tests/core/test_physics.py",),
    ),
    Named(
        "the offset of a block is forgotten where the basis is drawn",
        "start += len(points)",
        "start += 0",
        ("tests/core/test_physics.py",),
    ),
)
