"""VTU, unstructured grids of VTK, by meshio: points, and what is stored at points and cells. Runs in the child."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import meshio
import numpy as np

from lsr_core.intake.arrays import ArrayInfo, checked, numeric

POINTS, CENTRES = "points", "centres of cells"


def listing(path: Path) -> list[ArrayInfo]:
    """The points, and every array of numbers at points or cells. Raises InputError as `tables.listing`."""
    found = [
        ArrayInfo(name, values.shape, values.dtype.name, values.dtype.itemsize)
        if numeric(values.dtype.kind)
        else ArrayInfo(name, (), "text", 0, "is no array of numbers")
        for name, values in _arrays(path).items()
    ]
    return checked(found, path.name, path.stat().st_size)


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays asked for."""
    arrays = _arrays(path)
    return {name: arrays[name] for name in names}


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """By name; a third coordinate that is zero throughout is left out, as VTK stores three for everything."""
    mesh = meshio.vtu.read(str(path))  # meshio.read would end the process where it does not like a file
    points = np.asarray(mesh.points)
    plane = points[:, :2] if points.shape[1] == 3 and not points[:, 2].any() else points
    found = {POINTS: plane, **{str(name): np.asarray(values) for name, values in mesh.point_data.items()}}
    if mesh.cell_data:
        found[CENTRES] = np.concatenate([plane[block.data].mean(axis=1) for block in mesh.cells])
        for name, parts in mesh.cell_data.items():
            own = str(name) if str(name) not in found else f"{name} of cells"
            found[own] = np.concatenate([np.asarray(part) for part in parts])
    return found
