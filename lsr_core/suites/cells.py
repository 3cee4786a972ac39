"""The square of 5 × 5 cells of PINNacle's `Poisson2D_ManyArea`: what its equation is made of, and its solution.

Numbers by cell, the first index along x: conductivity `a`, and of the source f = `CONSTANT` + `WAVE` sin(πξ) sin(πη) in coordinates of the
cell. From PINNacle's tables, MIT, © 2024 PINNacle Dev Team.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh

from lsr_core.problems.splits import Split
from lsr_core.suites.cavities import barycentric, chebyshev

Floats = NDArray[np.float64]
HALF, WIDTH, COUNT = 10.0, 4.0, 5
CONDUCTIVITY = (
    (46.117281846004595, 0.5973282397508773, 0.2922707008032916, 1.2627643278519682, 0.1445619574453011),
    (12.718149378248704, 1.469752865936043, 82.58022927071507, 0.2361176441062403, 0.3212575290274077),
    (0.9870683201679841, 9.056933162287834, 87.93603552969871, 0.1319132004739979, 66.24847847880773),
    (6.940130414049874, 1.714366236984487, 1.8829439440403082, 0.4777548052929814, 12.26775752466596),
    (65.95315787500161, 22.765143221950005, 5.149506313776846, 10.517296776784882, 6.485008302512252),
)
CONSTANT = (
    (-0.5391451339174334, -0.37767988197220426, 0.9593886703936261, 0.23957922898978157, 0.5298502749299698),
    (-0.8754224820707621, 0.9200585931204495, 0.23021761805546537, 0.12641909980552346, -0.8055525847477567),
    (0.3118253907685582, -0.12397612647555611, 0.7558861904907601, -0.056908056486426606, -0.9684977429591932),
    (-0.40548048860163144, 0.8928609403540844, 0.43945794587101306, -0.8037995611915099, 0.5087799884089677),
    (0.6356459773622063, -0.4348195748336037, -0.8323420891272051, -0.7788386072361289, 0.17857871151479476),
)
WAVE = (
    (-0.8293750991442563, 0.11428219640984527, 0.5864437428634874, -0.9370950282229811, 0.4247310664350792),
    (0.47791742194445397, -0.3690794062414746, 0.33962814440203126, 0.3241248028455903, 0.2652650222705293),
    (0.6630159896177754, -0.07972028704590484, -0.7603944602751065, 0.10513150314588171, -0.05864701654304283),
    (0.07613801587080071, -0.18601996978475244, 0.04905802665994141, -0.41341084017007623, 0.22480583646046326),
    (-0.7825124246306441, -0.6358456144333433, 0.8846090061418594, 0.6774740623099118, -0.9848308394349559),
)


def many_areas() -> dict[str, Any]:
    """a Δu + f = 0 on [−10, 10]², ∂u/∂n = −u: divided by a, of which the flux knows nothing, with f/a in cells as coefficients.

    The waves of neighbouring cells have opposite signs in one wave over all of the square.
    """
    centres = [-HALF + WIDTH * (place + 0.5) for place in range(COUNT)]
    steady, waving = _sources()
    signs = np.outer(*[(-1.0) ** np.arange(COUNT)] * 2)

    def by_cell(values: Floats) -> dict[str, Any]:
        rows = [[x, y, float(values[i, j])] for i, x in enumerate(centres) for j, y in enumerate(centres)]
        return {"inputs": ["x", "y"], "rows": rows, "interpolation": "nearest"}

    wave = "sin(pi*(x + 10)/4)*sin(pi*(y + 10)/4)"
    return {
        "title": "Poisson on a square of many materials",
        "inputs": {"x": (-HALF, HALF), "y": (-HALF, HALF)},
        "coefficients": {"c": by_cell(steady), "d": by_cell(waving * signs)},
        "equations": [{"equation": f"laplace(u) + c + d*{wave} = 0", "points": 8000}],
        "conditions": [{"where": "boundary", "equation": "dn(u) + u = 0", "points": 1200}],
    }


def many_areas_solution(degree: int = 16, points: int = 81) -> Split:
    """Its solution on an even grid, by spectral elements that end where the cells do, and the modes of one direction.

    With a degree of 24 the relative difference is 4e-8.
    """
    nodes, slope = chebyshev(degree)
    inner, weights = np.polynomial.legendre.leggauss(degree + 4)
    inner, weights = (inner + 1) / 2, weights / 2
    at, along = barycentric(nodes, inner), barycentric(nodes, inner) @ slope
    size = COUNT * degree + 1
    mass, stiff, rest = np.zeros((size, size)), np.zeros((size, size)), np.zeros((COUNT, 2, size))
    for cell in range(COUNT):
        part = slice(cell * degree, (cell + 1) * degree + 1)
        mass[part, part] += WIDTH * at.T @ (weights[:, None] * at)
        stiff[part, part] += along.T @ (weights[:, None] * along) / WIDTH
        rest[cell, 0, part] = WIDTH * weights @ at
        rest[cell, 1, part] = WIDTH * (weights * np.sin(np.pi * inner)) @ at
    stiff[0, 0] += 1.0  # ∂u/∂n = −u at both ends
    stiff[-1, -1] += 1.0
    values, modes = eigh(stiff, mass)
    loads = np.zeros((size, size))
    for kind, source in enumerate(_sources()):
        loads += np.einsum("ij,ia,jb->ab", source, rest[:, kind], rest[:, kind])
    found = modes @ ((modes.T @ loads @ modes) / (values[:, None] + values[None, :])) @ modes.T
    axis = np.linspace(-HALF, HALF, points)
    to = _read(axis, nodes, degree, size)
    grid = np.stack([part.ravel() for part in np.meshgrid(axis, axis, indexing="ij")], axis=1)
    return Split(torch.from_numpy(grid), torch.from_numpy((to @ found @ to.T).reshape(-1, 1)))


def _sources() -> tuple[Floats, Floats]:
    """f/a by cell, of the constant and of the wave."""
    a = np.array(CONDUCTIVITY)
    return np.array(CONSTANT) / a, np.array(WAVE) / a


def _read(axis: Floats, nodes: Floats, degree: int, size: int) -> Floats:
    """The matrix that reads values of the elements at places of an axis."""
    cell = np.minimum(((axis + HALF) / WIDTH).astype(int), COUNT - 1)
    to = np.zeros((len(axis), size))
    for row, (x, place) in enumerate(zip(axis, cell, strict=True)):
        local = np.array([(x + HALF) / WIDTH - place])
        to[row, place * degree : (place + 1) * degree + 1] = barycentric(nodes, local)[0]
    return to
