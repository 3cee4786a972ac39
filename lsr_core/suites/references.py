"""Reference solutions of the suites where there is no formula: each is computed twice, and by how much the two differ is told."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from lsr_core.problems.physics.exponential import ExponentialRungeKutta
from lsr_core.problems.splits import Split
from lsr_core.suites.cavities import cavity
from lsr_core.suites.cells import many_areas_solution

Floats = NDArray[np.float64]
Amplitudes = NDArray[np.complex128]
SPACE, TIME = 128, 51  # points of the grids that errors are measured on


def kdv(mu: float = 0.022, modes: int = 512, tolerance: float = 1e-12) -> Split:
    """u_t + u u_x + μ² u_xxx = 0 on [−1, 1] × [0, 1], periodic, u(x, 0) = cos πx.

    Fourier modes in the frame that the third derivative turns, by DOP853; with 384 modes and a tolerance of 1e-11 the relative difference is 2e-9.
    """
    x = -1 + 2 * np.arange(modes) / modes
    k = math.pi * np.arange(modes // 2 + 1)
    turning = 1j * mu**2 * k**3
    kept = np.arange(len(k)) <= modes // 3

    def slope(t: float, flat: Floats) -> Floats:
        turned = np.exp(turning * t)
        values = np.fft.irfft(flat.view(np.complex128) * turned, modes)
        found: Amplitudes = -0.5j * k * np.fft.rfft(values**2) * kept / turned
        return found.view(np.float64)

    times = np.linspace(0, 1, TIME)
    start = np.fft.rfft(np.cos(math.pi * x)).view(np.float64)
    made = solve_ivp(slope, (0, 1), start, method="DOP853", rtol=tolerance, atol=1e-12 * modes, t_eval=times)
    states = [made.y[:, i].copy().view(np.complex128) * np.exp(turning * t) for i, t in enumerate(times)]
    return _periodic(np.array(states), modes, (-1.0, 1.0), times)


def kuramoto_sivashinsky(modes: int = 256, steps: int = 20000) -> Split:
    """u_t + (100/16) u u_x + (100/16²) u_xx + (100/16⁴) u_xxxx = 0 on [0, 2π] × [0, 1], periodic, u(x, 0) = cos x (1 + sin x).

    Exponential Runge-Kutta steps on Fourier modes; with half the steps the relative difference is 1e-7, with 384 modes
    3e-7: the equation amplifies what is rounded.
    """
    x = 2 * math.pi * np.arange(modes) / modes
    k = np.arange(modes // 2 + 1).astype(float)
    dt = 1.0 / steps
    scheme = ExponentialRungeKutta(dt * (100 / 256 * k**2 - 100 / 16**4 * k**4))
    kept = k <= modes // 3

    def push(v: Amplitudes) -> Amplitudes:
        values = np.fft.irfft(v, modes)
        found: Amplitudes = -dt * 50 / 16 * 1j * k * np.fft.rfft(values**2) * kept
        return found

    value: Amplitudes = np.fft.rfft(np.cos(x) * (1 + np.sin(x)))
    states, every = [value], steps // (TIME - 1)
    for step in range(every * (TIME - 1)):
        value = scheme.step(value, push)
        if (step + 1) % every == 0:
            states.append(value)
    return _periodic(np.array(states), modes, (0.0, 2 * math.pi), np.linspace(0, 1, TIME))


def table(name: str) -> Split:
    """What `python -m benchmarks.references NAME` has written: finite elements on two meshes, of which the finer one is kept.

    Points (n, d) of an even grid that lie in the domain, and values (n, outputs) there.
    """
    with (files("lsr_core.suites") / "tables" / f"{name}.npz").open("rb") as stored, np.load(stored) as found:
        values = found["values"]
        axes = [found[f"axis{place}"] for place in range(values.ndim - 1)]
    points = np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], axis=1)
    flat = values.reshape(len(points), -1)
    known = ~np.isnan(flat).any(axis=1)
    return Split(torch.from_numpy(points[known]), torch.from_numpy(flat[known]))


TABLES = (
    "balls",
    "lid",
    "pipes",
    "poisson-boltzmann",
    "step",
)


def _periodic(states: Amplitudes, modes: int, bounds: tuple[float, float], times: Floats) -> Split:
    """Values of Fourier amplitudes (T, k) on the grid that errors are measured on."""
    values = np.fft.irfft(states, modes)[:, :: modes // SPACE]
    x = bounds[0] + (bounds[1] - bounds[0]) * np.arange(SPACE) / SPACE
    points = np.stack([part.ravel() for part in np.meshgrid(x, times, indexing="ij")], axis=1)
    return Split(torch.from_numpy(points), torch.from_numpy(values.T.reshape(-1, 1).copy()))


def holes(order: int = 48) -> Split:
    """Δu = 0 on [−½, ½]² less four disks of radius 0.1 at (±0.3, ±0.3); u = 1 on the square, 0 on the disks.

    Least squares on the boundary by harmonic polynomials, logarithms and multipoles at the centres. By the maximum principle no error inside is
    larger than the largest at the boundary; with 44 orders the relative difference is 5e-12.
    """
    centres = [complex(a, b) for a in (-0.3, 0.3) for b in (-0.3, 0.3)]
    angle = 2 * math.pi * (np.arange(400) + 0.5) / 400
    side = 0.5 * np.cos(math.pi * (np.arange(400) + 0.5) / 400)
    square = np.concatenate([side - 0.5j, side + 0.5j, -0.5 + 1j * side, 0.5 + 1j * side])
    disks = np.concatenate([centre + 0.1 * np.exp(1j * angle) for centre in centres])
    edge = np.concatenate([square, disks])

    def basis(z: Amplitudes) -> Floats:
        columns = [np.ones(len(z))]
        powers = [(z / math.sqrt(0.5)) ** n for n in range(1, 2 * order + 1)]
        for centre in centres:
            away = z - centre
            columns.append(np.log(np.abs(away) / 0.1))
            powers += [(0.1 / away) ** n for n in range(1, order + 1)]
        columns += [part for power in powers for part in (power.real, power.imag)]
        return np.stack(columns, axis=1)

    asked = np.concatenate([np.ones(len(square)), np.zeros(len(disks))])
    weights = np.linalg.lstsq(basis(edge), asked, rcond=1e-14)[0]
    axis = np.linspace(-0.5, 0.5, 101)
    points = np.stack([part.ravel() for part in np.meshgrid(axis, axis, indexing="ij")], axis=1)
    z = points[:, 0] + 1j * points[:, 1]
    inside = np.all([np.abs(z - centre) >= 0.1 for centre in centres], axis=0)
    values = basis(z[inside]) @ weights
    return Split(torch.from_numpy(points[inside]), torch.from_numpy(values[:, None]))


REFERENCES: dict[str, Callable[..., Any]] = {
    "kdv": kdv,
    "kuramoto-sivashinsky": kuramoto_sivashinsky,
    "holes": holes,
    "cavity": cavity,
    "many-areas": many_areas_solution,
    **{name: partial(table, name) for name in TABLES},
}
