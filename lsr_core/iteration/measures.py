"""Errors of network and refined field after each half step: against the reference, by frequency, and on a grid to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lsr_core.diagnosis.frequencies import Axis, ErrorSpectrum, axes_for, error_spectrum, zero_ends
from lsr_core.errors import InputError
from lsr_core.iteration.records import Bands, Floats
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.grids import regular_grid
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import block_rows, residual_vector

MOST = 65  # points by axis that are kept of a field


@dataclass(frozen=True, eq=False)
class Seen:
    """Figures of one field.

    Attributes:
        relative_l2: against the reference.
        spectrum: by frequency; None without a grid, or where the error is not finite.
        error: of the first output on the thinned grid.
    """

    relative_l2: float | None
    spectrum: ErrorSpectrum | None
    error: Floats | None

    @property
    def bands(self) -> Bands | None:
        return None if self.spectrum is None else Bands(**self.spectrum.bands)

    @property
    def energies(self) -> list[float] | None:
        return None if self.spectrum is None else self.spectrum.energies.tolist()


NOTHING = Seen(None, None, None)


class Measures:
    """How far fields are from the reference of a problem; it is reported, never used to choose.

    Args:
        problem: its network decides which transform suits each axis: hard conditions make the error vanish at the ends.

    Attributes:
        grid: of the reference; None where it is not on a regular one.
        transform: how each axis is transformed, in words.
    """

    def __init__(self, problem: PhysicsProblem) -> None:
        self.test = problem.test
        self._outputs = len(problem.outputs)
        self._variables = problem.variables
        self.grid = None if problem.test is None else regular_grid(problem.test.inputs.cpu().double().numpy())
        self._transforms: list[Axis] = []
        if self.grid is not None and problem.test is not None:
            function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
            errors = self._on_grid(function.outputs(problem.test.inputs) - problem.test.targets)
            zero = zero_ends(errors[..., 0], problem.variables)
            self._transforms = axes_for(problem.domain, _periods(problem), zero)
        self.transform = "; ".join(axis.sentence for axis in self._transforms)

    @property
    def thinned(self) -> tuple[dict[str, Floats], Floats] | None:
        """Axes and truth of the first output on the grid that is kept."""
        if self.grid is None or self.test is None:
            return None
        axes = {name: axis[_every(len(axis))] for name, axis in zip(self._variables, self.grid.axes, strict=True)}
        return axes, self._thin(self._on_grid(self.test.targets)[..., 0])

    def of(self, field: Tensor | None) -> Seen:
        """Figures of a field at the test points, (n, o)."""
        if field is None or self.test is None:
            return NOTHING
        error = field - self.test.targets
        size = float(self.test.targets.norm())
        relative = float(error.norm()) / size if size > 0 else math.nan
        if not math.isfinite(relative):
            return NOTHING
        if self.grid is None:
            return Seen(relative, None, None)
        on_grid = self._on_grid(error)
        found = [error_spectrum(on_grid[..., output], self._transforms) for output in range(self._outputs)]
        return Seen(relative, _summed(found), self._thin(on_grid[..., 0]))

    def _on_grid(self, values: Tensor) -> Floats:
        assert self.grid is not None
        return self.grid(values.detach().cpu().double().numpy())

    def _thin(self, values: Floats) -> Floats:
        return values[np.ix_(*(_every(n) for n in values.shape))]


def fresh_residual(problem: PhysicsProblem, function: ParametricFunction) -> float:
    """√ of the loss at the fresh points, of the network as `function` has it; infinite where it is not finite."""
    return _residual(problem, function, problem.fresh)


def fitted_residual(problem: PhysicsProblem, function: ParametricFunction) -> float:
    """The same at the fitted points."""
    return _residual(problem, function, problem.points)


def _residual(problem: PhysicsProblem, function: ParametricFunction, points: Mapping[str, Tensor]) -> float:
    found = float(residual_vector(block_rows(problem, function, points, check=False)).norm())
    return found if math.isfinite(found) else math.inf


def _periods(problem: PhysicsProblem) -> Mapping[str, float]:
    """What the library says about its equation; others have none."""
    try:
        return equations.build(problem.equation, problem.arguments).periods
    except InputError:
        return {}


def _every(n: int) -> np.ndarray:
    """Indices of at most 65 equally spaced points; the last one is among them where 64 steps divide the axis."""
    return np.arange(0, n, -(-(n - 1) // (MOST - 1)))


def _summed(found: list[ErrorSpectrum]) -> ErrorSpectrum:
    """The energies of several outputs together."""
    first, *others = found
    energies, bands = first.energies.copy(), dict(first.bands)
    for other in others:
        energies += other.energies
        bands = {name: energy + other.bands[name] for name, energy in bands.items()}
    total = sum(part.total for part in found)
    return ErrorSpectrum(first.frequencies, energies, total, bands, first.edges, first.axes)
