"""Rows of suites on disk, beside the runs: of each equation the one that was made last."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lsr_core.errors import InputError
from lsr_core.storage import atomic, inside
from lsr_core.suites import LISTS
from lsr_core.suites.running import SuiteRow
from lsr_core.version import VERSION

FOLDER = "suites"
LARGEST = 1_000_000  # bytes of a file that is read


class KeptRow(BaseModel):
    """A row, and when and by which version it was made."""

    model_config = ConfigDict(extra="forbid")

    row: SuiteRow
    made: float = Field(ge=0, allow_inf_nan=False)
    version: str = Field(max_length=60)


class KeptRows(BaseModel):
    """All of one suite."""

    model_config = ConfigDict(extra="forbid")

    rows: list[KeptRow] = Field(max_length=1000)


def keep(root: Path, suite: str, rows: Sequence[SuiteRow]) -> None:
    """Put rows in the place of those of the same equations.

    Args:
        root: folder of runs.
        suite: its name.
        rows: new ones.

    Raises:
        OSError: the folder cannot be written.
        InputError: it is a link.
    """
    new = {row.name: KeptRow(row=row, made=time.time(), version=VERSION) for row in rows}
    others = [kept for kept in read(root, suite) if kept.row.name not in new]
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    atomic.remove_left_over(root / FOLDER)
    atomic.write_text(_path(root, suite), KeptRows(rows=[*others, *new.values()]).model_dump_json(indent=1))


def read(root: Path, suite: str) -> list[KeptRow]:
    """The rows there are, in the order of the suite; none where there is no file or it cannot be read."""
    path = _path(root, suite)
    try:
        found = KeptRows.model_validate_json(inside.read(path, LARGEST)).rows
    except (OSError, InputError, ValidationError):
        return []
    order = {entry.name: place for place, entry in enumerate(LISTS[suite]())}
    return sorted((kept for kept in found if kept.row.name in order), key=lambda kept: order[kept.row.name])


def _path(root: Path, suite: str) -> Path:
    return root / FOLDER / f"{suite}.json"
