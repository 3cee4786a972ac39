"""What is said of a figure."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """Title of a figure, what it shows, how to read it."""

    title: str
    shows: str
    read: str
