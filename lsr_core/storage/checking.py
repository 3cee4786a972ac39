"""All files of a run against what was noted of them, whether or not anybody reads them now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lsr_core.errors import InputError
from lsr_core.storage import digests, inside
from lsr_core.storage.bundle_files import DESCRIPTION, check_files
from lsr_core.storage.bundles import read_description
from lsr_core.storage.runs import Run

_BUNDLES = ("problem", "best")


def damage(run: Path, largest: int = digests.MAX_FILE_BYTES) -> list[InputError]:
    """What is missing, damaged or changed in a run that has ended, file by file; nothing of a run without digests but in its bundles.

    Args:
        largest: size in bytes from which a file is left for those who read it.
    """
    return list(_damage(run, largest))


def verify(run: Path) -> None:
    """Raise the first of `damage`."""
    for error in _damage(run, digests.MAX_FILE_BYTES):
        raise error


def _damage(run: Path, largest: int) -> Iterator[InputError]:
    opened = Run(run)
    for record in (lambda: opened.manifest, opened.recorded_status):
        try:
            record()
        except InputError as error:
            yield error
    try:
        noted = digests.of(run).files if inside.there(run / digests.NAME) else {}
        digests.noted(run / "summary.json")  # raises where digests were promised and are gone
    except InputError as error:
        yield error
        return
    for name, entry in noted.items():
        if entry.bytes <= largest:
            try:
                with digests.opened(run / name, digests.MAX_FILE_BYTES):
                    pass
            except InputError as error:
                yield InputError(error.message, file=name, key=error.key)
    for name in _BUNDLES:
        if inside.there(run / name) and f"{name}/{DESCRIPTION}" in noted:
            yield from _of_bundle(run / name, largest)


def _of_bundle(folder: Path, largest: int) -> Iterator[InputError]:
    try:
        description = read_description(folder)
    except InputError:
        return  # said above
    for name, error in check_files(folder, description, largest):
        yield InputError(error.message, file=f"{folder.name}/{name}", key=error.key)
