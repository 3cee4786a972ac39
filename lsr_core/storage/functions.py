"""Fields of single input functions on disk: one small file each, so that a page reads only the one that is looked at."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from lsr_core.refinement.case_records import CaseFields
from lsr_core.storage import atomic, digests
from lsr_core.storage.result_arrays import read_result

FOLDER = "functions"
MAX_BYTES = 64 * 2**20


def write_fields(folder: Path, case: int, found: CaseFields) -> None:
    """Keep the fields of one function in the folder of a run."""
    (folder / FOLDER).mkdir(exist_ok=True)
    atomic.write_arrays(_path(folder, case), {entry.name: getattr(found, entry.name) for entry in fields(found)})


def read_fields(folder: Path, case: int) -> CaseFields | None:
    """The fields of one function; None where the run kept none, as runs of earlier versions.

    Raises:
        InputError: the file is damaged, or its arrays do not fit together.
    """
    path = _path(folder, case)
    return read_result(path, CaseFields, MAX_BYTES) if digests.there(path) else None


def _path(folder: Path, case: int) -> Path:
    return folder / FOLDER / f"{case:06d}.npz"
