"""Curved meshes by gmsh, and values of a finite element field at points."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gmsh
import numpy as np
from skfem import MeshTet1, MeshTri1
from skfem.io.meshio import from_file

NEWTON = 8  # steps from the middle of a cell to a place in it
Box = Sequence[tuple[float, float]]
Holes = Sequence[tuple[Sequence[float], float]]  # centre and radius of each


def punched(box: Box, holes: Holes, size: float, cut: float | None = None) -> Any:
    """Triangles or tetrahedra of second order for a box without disks or balls.

    Args:
        box: bounds of each of two or three coordinates.
        holes: centre and radius of each.
        size: of an element.
        cut: where a plane of the third coordinate runs along faces of elements.
    """
    gmsh.initialize()
    try:
        gmsh.option.setNumber("General.Verbosity", 0)
        occ, d = gmsh.model.occ, len(box)
        whole = [(d, _box(occ, box))]
        if holes:
            balls = [(d, _ball(occ, centre, radius)) for centre, radius in holes]
            whole, _ = occ.cut(whole, balls)
        if cut is not None:
            (a, b), (c, e), (_, _) = box
            plane = occ.addRectangle(a, c, cut, b - a, e - c)
            whole, _ = occ.fragment(whole, [(2, plane)])
        occ.synchronize()
        inside = [tag for dim, tag in gmsh.model.getEntities(d)]
        gmsh.model.addPhysicalGroup(d, inside)
        gmsh.option.setNumber("Mesh.MeshSizeMax", size)
        gmsh.option.setNumber("Mesh.MeshSizeMin", size)
        gmsh.model.mesh.generate(d)
        gmsh.model.mesh.setOrder(2)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mesh.msh"
            gmsh.write(str(path))
            mesh = from_file(str(path), None, ignore_orientation=True)
            # edges are numbered by their ends, so corners in rising order give elements of any degree a common direction along them
            return type(mesh)(mesh.doflocs, np.sort(mesh.t, axis=0))
    finally:
        gmsh.finalize()


def _box(occ: Any, box: Box) -> int:
    low, sides = [a for a, _ in box], [b - a for a, b in box]
    return occ.addRectangle(*low, 0.0, *sides) if len(box) == 2 else occ.addBox(*low, *sides)


def _ball(occ: Any, centre: Sequence[float], radius: float) -> int:
    return occ.addDisk(*centre, 0.0, radius, radius) if len(centre) == 2 else occ.addSphere(*centre, radius)


def masked(box: Box, holes: Holes, counts: Sequence[int]) -> tuple[list[Any], Any, Any]:
    """Axes of an even grid over a box, its points (n, d), and which of them lie in no hole."""
    axes = [np.linspace(low, high, count) for (low, high), count in zip(box, counts, strict=True)]
    points = np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], axis=1)
    free = np.ones(len(points), dtype=bool)
    for centre, radius in holes:
        free &= np.linalg.norm(points - np.asarray(centre), axis=1) > radius
    return axes, points, free


def values(basis: Any, field: Any, points: Any) -> Any:
    """Values (n,) of a field of a curved mesh at points (n, d): the cell is that of the straight mesh, the place in it by the curved one."""
    mesh, x = basis.mesh, points.T
    straight = (MeshTri1 if len(x) == 2 else MeshTet1)(mesh.p[:, : mesh.t.max() + 1], mesh.t)
    cells = straight.element_finder()(*x)
    local = np.full((len(x), len(points), 1), 0.25)
    for _ in range(NEWTON):  # scikit-fem's own keeps to the cell, and a curved side may bulge out of it
        off = x[:, :, None] - basis.mapping.F(local, cells)
        local = local + np.einsum("ijkl,jkl->ikl", basis.mapping.invDF(local, cells), off)
    found = 0.0
    for place in range(basis.Nbfun):
        found = (
            found
            + field[basis.element_dofs[place, cells]]
            * np.asarray(basis.elem.gbasis(basis.mapping, local, place, tind=cells)[0])[:, 0]
        )
    return found
