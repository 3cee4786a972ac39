"""Loss planes on disk: `plane.npz` in the folder of a run, rewritten as the grid grows finer."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from lsr_core.errors import InputError
from lsr_core.refinement.results import LossPlane
from lsr_core.storage import atomic
from lsr_core.storage.arrays import read_arrays

NAME = "plane.npz"


def write_plane(folder: Path, plane: LossPlane) -> None:
    """Keep the plane as it is so far."""
    arrays = {field.name: np.asarray(getattr(plane, field.name)) for field in dataclasses.fields(plane)}
    atomic.write_arrays(folder / NAME, arrays)


def read_plane(folder: Path) -> LossPlane | None:
    """The plane as far as it is computed; None before its first level.

    Raises:
        InputError: the file is damaged.
    """
    if not (folder / NAME).is_file():
        return None
    arrays = read_arrays(folder / NAME, required=[field.name for field in dataclasses.fields(LossPlane)])
    shape = (arrays["beta"].size, arrays["alpha"].size)
    if arrays["nonlinear"].shape != shape or arrays["linearised"].shape != shape:
        raise InputError("its arrays do not fit together; the run is damaged", file=NAME)
    return LossPlane(
        arrays["alpha"],
        arrays["beta"],
        arrays["nonlinear"],
        arrays["linearised"],
        float(arrays["base"]),
        float(arrays["length"]),
        float(arrays["cosine"]),
        int(arrays["n_rows"]),
    )
