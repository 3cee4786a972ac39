"""Fields of single input functions on disk: one small file each, so that a page reads only the one that is looked at."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from lsr_core.errors import InputError
from lsr_core.refinement.case_records import CaseFields
from lsr_core.storage import atomic
from lsr_core.storage.arrays import read_arrays

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
    if not path.is_file():
        return None
    names = [entry.name for entry in fields(CaseFields)]
    found = CaseFields(**read_arrays(path, names, (), MAX_BYTES))
    points = found.truth.shape
    if found.points.ndim != 2 or found.axis.ndim != 1 or found.given.shape != found.axis.shape or len(points) != 1:
        raise InputError("points must be a table, everything else a list of numbers", file=path.name, key="points")
    if not points[0] == len(found.points) == len(found.network) == len(found.refined_error):
        raise InputError("its fields do not have one value for each point", file=path.name, key="truth")
    return found


def _path(folder: Path, case: int) -> Path:
    return folder / FOLDER / f"{case:06d}.npz"
