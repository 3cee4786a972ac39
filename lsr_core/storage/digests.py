"""Digests of the files of a run: written when it ends, checked whenever one is read.

`run.json` and `status.json`, which are rewritten afterwards, and `digests.json` itself have theirs as their last entry. A bundle has digests
of its weights and data in its `problem.json`, which is listed here. Runs of format 1 have none and are read unchecked.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from lsr_core.errors import InputError
from lsr_core.storage import atomic, inside
from lsr_core.validation import describe

NAME = "digests.json"
MAX_JSON_BYTES = 4 * 2**20
MAX_OWN_BYTES = 64 * 2**20
MAX_FILE_BYTES = 2**40
SEALED = ("run.json", "status.json", NAME)
DAMAGED = "its SHA-256 is not the one that was noted when it was written; the file was damaged or changed"
_DESCRIPTION = "problem.json"
_MADE_LATER = "exports"
_SEAL = re.compile(rb'(.*),\n "sha256": "([0-9a-f]{64})"\n\}\n?', re.DOTALL)
_SEALED = re.compile(
    rb'"sha256"\s*:\s*"[0-9a-f]{64}"\s*\}\s*\Z'
)  # as an editor or another program would write it again
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Noted(_Part):
    """Digest and size of one file."""

    sha256: Sha256
    bytes: int = Field(ge=0)


class Digests(_Part):
    """The whole of `digests.json`, by path inside the run."""

    files: dict[str, Noted] = Field(max_length=300_000)


def sealed(record: BaseModel) -> str:
    """A record as JSON whose last entry is the digest of all before it."""
    text = record.model_dump_json(indent=1).removesuffix("\n}")
    return f'{text},\n "sha256": "{hashlib.sha256(text.encode()).hexdigest()}"\n}}\n'


def unsealed(data: bytes, file: str) -> tuple[bytes, bool]:
    """The JSON without the digest at its end, and whether it had one.

    Raises:
        InputError: the digest is another, or does not stand as it was written.
    """
    found = _SEAL.fullmatch(data)
    if found is None and not _SEALED.search(data):
        return data, False
    if found is None or hashlib.sha256(found[1]).hexdigest().encode() != found[2]:
        raise InputError(DAMAGED, file=file)
    return found[1] + b"\n}", True


@contextmanager
def opened(path: Path, limit: int) -> Iterator[BufferedReader]:
    """A file of a run or bundle, read once to compare it with what its run noted; at its beginning.

    Raises:
        InputError: as `inside.opened`; or it is not the file that was written.
    """
    with inside.opened(path, limit) as stream:
        if (entry := noted(path)) is not None:
            _compare(stream, entry, path.name)
            stream.seek(0)
        yield stream


def read(path: Path, limit: int) -> bytes:
    """The bytes of a file of a run or bundle; raises as `opened`."""
    with opened(path, limit) as stream:
        return inside.all_of(stream, path, limit)


def there(path: Path) -> bool:
    """Whether a file is there or, by what its run noted, should be: one that was lost is then missed when it is opened."""
    return inside.there(path) or noted(path) is not None


def write(run: Path) -> None:
    """Note the files of a run that has ended, in place of what was noted before.

    Raises:
        InputError: something in the run is no plain file, or cannot be read.
        OSError: it cannot be written.
    """
    files = {}
    for name in sorted(_files(run)):
        with inside.opened(run / name, MAX_FILE_BYTES) as stream:
            files[name] = Noted(sha256=hashlib.file_digest(stream, "sha256").hexdigest(), bytes=stream.tell())
    atomic.write_text(run / NAME, sealed(Digests(files=files)))


def forget(run: Path) -> None:
    """Before the files of a run change again."""
    (run / NAME).unlink(missing_ok=True)


def of(run: Path) -> Digests:
    """What was noted of a run; raises InputError where that is missing or damaged."""
    return _parsed(inside.read(run / NAME, MAX_OWN_BYTES))


@lru_cache(maxsize=16)
def _parsed(content: bytes) -> Digests:
    """Kept, for every file that is read asks."""
    data, has_digest = unsealed(content, NAME)
    if not has_digest:
        raise InputError("has no digest at its end; the file was damaged or changed", file=NAME)
    try:
        return Digests.model_validate_json(data)
    except ValidationError as error:
        raise describe(error, NAME) from error


def noted(path: Path) -> Noted | None:
    """What the run that a file belongs to has noted of it; None if it is in no run, or in one that has not ended."""
    for run, name in ((path.parent, path.name), (path.parent.parent, f"{path.parent.name}/{path.name}")):
        if name not in SEALED and inside.there(run / "run.json"):
            if inside.there(run / NAME):
                return of(run).files.get(name)
            if _is_promised(run):
                raise InputError(
                    "this file is missing, and without it the files of the run cannot be checked", file=NAME
                )
            return None
    return None


def _is_promised(run: Path) -> bool:
    """Whether the status of a run says that its files were noted."""
    try:
        status = json.loads(inside.read(run / "status.json", MAX_JSON_BYTES))
    except (InputError, ValueError, RecursionError):
        return False  # whoever reads the status will say so
    return isinstance(status, dict) and status.get("digests") is True


def _compare(stream: BufferedReader, noted: Noted, file: str) -> None:
    size = os.fstat(stream.fileno()).st_size
    if size != noted.bytes:
        raise InputError(f"has {size:,} bytes, {NAME} says {noted.bytes:,}; the file was cut or changed", file=file)
    if hashlib.file_digest(stream, "sha256").hexdigest() != noted.sha256:
        raise InputError(DAMAGED, file=file)


def _files(run: Path) -> Iterator[str]:
    """Paths inside a run of all that a job wrote; weights and data of a bundle are noted in its own description."""
    for place, folders, names in os.walk(run):
        folders[:] = [name for name in folders if name != _MADE_LATER and not atomic.is_temporary(name)]
        links = [name for name in folders if (Path(place) / name).is_symlink()]  # not entered, but refused
        kept = [_DESCRIPTION] if _DESCRIPTION in names and Path(place) != run else [*names, *links]
        for name in kept:
            path = Path(place) / name
            relative = path.relative_to(run).as_posix()
            if relative not in SEALED and not atomic.is_temporary(name):
                yield relative
