"""Records of a run, a line of JSON each; readable while they are being written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from lsr_core.errors import InputError
from lsr_core.storage import atomic, digests, inside

MAX_LINES_BYTES = 64 * 2**20
_Record = TypeVar("_Record", bound=BaseModel)


def append(path: Path, record: BaseModel) -> None:
    """Add a line."""
    inside.append(path, record.model_dump_json() + "\n")


def rewrite(path: Path, records: Sequence[BaseModel]) -> None:
    """Replace all lines."""
    atomic.write_text(path, "".join(record.model_dump_json() + "\n" for record in records))


def lines(path: Path, record: type[_Record]) -> Iterator[_Record]:
    """The records so far, in order; a line that is still being written is left for the next time.

    Raises:
        InputError: a line that this program does not write.
    """
    if not digests.there(path):
        return
    for number, line in enumerate(digests.read(path, MAX_LINES_BYTES).splitlines(keepends=True), start=1):
        if not line.endswith(b"\n"):
            return
        try:
            yield record.model_validate_json(line)
        except ValidationError as error:
            raise InputError(
                f"line {number} is not what this program writes; the run is damaged", file=path.name
            ) from error
