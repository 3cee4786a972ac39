"""Files made of a run, each with a note beside it: a sentence about it and its digest, or what went wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lsr_core.errors import InputError
from lsr_core.storage import atomic, digests, inside
from lsr_core.validation import describe

MAX_BYTES = 16 * 2**30
MAX_NOTE_BYTES = 2**18


class Note(BaseModel):
    """`FILE.note`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sentence: str
    sha256: digests.Sha256
    bytes: int = Field(ge=0)


def beside(path: Path, kind: str) -> Path:
    """The small file `note` or `error` that belongs to a file."""
    return path.with_name(f"{path.name}.{kind}")


def finish(hidden: Path, path: Path, sentence: str) -> None:
    """Give a file its name, its note first."""
    with inside.opened(hidden, MAX_BYTES) as stream:
        note = Note(sentence=sentence, sha256=hashlib.file_digest(stream, "sha256").hexdigest(), bytes=stream.tell())
    atomic.write_text(beside(path, "note"), digests.sealed(note))
    hidden.replace(path)


def fail(path: Path, reason: str) -> None:
    """Say what went wrong."""
    atomic.write_text(beside(path, "error"), reason)


def why(path: Path) -> str:
    """What went wrong; "" where nothing is said."""
    reason = beside(path, "error")
    return inside.read(reason, MAX_NOTE_BYTES).decode("utf-8", "replace") if inside.there(reason) else ""


def note_of(path: Path) -> Note:
    """The note of a file that is ready.

    Raises:
        InputError: it is missing or damaged.
    """
    place = beside(path, "note")
    data, has_digest = digests.unsealed(inside.read(place, MAX_NOTE_BYTES), place.name)
    if not has_digest:
        raise InputError("is of an earlier version, or was changed; make the file again", file=place.name)
    try:
        return Note.model_validate_json(data)
    except ValidationError as error:
        raise describe(error, place.name) from error


def contents(path: Path) -> bytes:
    """A file that is ready, as it was made.

    Raises:
        InputError: it was damaged or changed since, or is no plain file.
    """
    noted = note_of(path)
    data = inside.read(path, noted.bytes)
    if hashlib.sha256(data).hexdigest() != noted.sha256:
        raise InputError(f"{digests.DAMAGED}: make it again", file=path.name)
    return data
