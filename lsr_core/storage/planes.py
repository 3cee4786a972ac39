"""Loss planes on disk: `plane.npz` in the folder of a run, rewritten as the grid grows finer."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from lsr_core.refinement.results import LossPlane
from lsr_core.storage import atomic, digests
from lsr_core.storage.result_arrays import read_result

NAME = "plane.npz"
MAX_BYTES = 2**30


def write_plane(folder: Path, plane: LossPlane) -> None:
    """Keep the plane as it is so far."""
    arrays = {field.name: np.asarray(getattr(plane, field.name)) for field in dataclasses.fields(plane)}
    atomic.write_arrays(folder / NAME, arrays)


def read_plane(folder: Path) -> LossPlane | None:
    """The plane as far as it is computed; None before its first level.

    Raises:
        InputError: the file is damaged.
    """
    return read_result(folder / NAME, LossPlane, MAX_BYTES) if digests.there(folder / NAME) else None
