"""What the subspace corrects, direction by direction: share of the residual, slowness under gradient descent, frequency, layers.

For a loss ‖f + G δ‖², gradient descent at the rate 1/σ₁² shrinks the error along a singular direction by 1 − (σᵢ/σ₁)² a step, so that
(σ₁/σᵢ)² is its time constant in steps. If small singular values belong to high frequencies, training learns those last: spectral bias
(Rahaman et al. 2019), here measured on the network itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lsr_core.diagnosis.frequencies import Axis, error_spectrum
from lsr_core.networks.footprints import samples_within
from lsr_core.networks.jacobians import FEW_COLUMNS
from lsr_core.problems.grids import Grid, regular_grid
from lsr_core.refinement.fields import thinned
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import Directions, Floats

SHOWN = 24  # directions, close together at the leading end
POINTS = 1_600  # of the grid on which responses are looked at
BLOCK_BYTES = 16 * 2**20  # of vectors held at a time, where one is no longer than that


def directions(refinement: Refinement, shown: int = SHOWN) -> Directions:
    """Measure the directions of a refinement's subspace.

    Args:
        shown: at most how many.
    """
    rank, sweep = refinement.sweep.max_rank, refinement.sweep
    index = np.unique(np.geomspace(1, max(rank, 1), shown).round().astype(int)) if rank else np.array([], dtype=int)
    values = refinement.spectrum.singular_values
    base = sweep.residual_norm[0]
    squares = np.minimum.accumulate((sweep.residual_norm / base) ** 2) if base > 0 else sweep.residual_norm
    before = np.concatenate([[0], index[:-1]]).astype(int)
    with np.errstate(divide="ignore"):
        steps = (values[0] / values[index - 1]) ** 2 if rank else np.array([])
    names = _layer_names(refinement)
    layers, frequency = np.zeros((len(index), len(names))), np.full(len(index), np.nan)
    grid = _grid_of(refinement)
    for block, vectors in _vectors(refinement, index):
        layers[block] = [_layers(refinement, vector, names) for vector in vectors.unbind(1)]
        if grid is not None:
            frequency[block] = _frequencies(refinement, *grid, vectors)
    return Directions(
        index=index.astype(np.int64),
        singular_value=values[index - 1] if rank else np.array([]),
        share=squares[before] - squares[index],
        steps=steps,
        frequency=frequency,
        layers=layers,
        layer_names=np.array(names),
    )


def _vectors(refinement: Refinement, index: NDArray[np.int64]) -> Iterator[tuple[slice, Tensor]]:
    """Unit vectors of parameters (m, k) of a few places of `index` at a time: all of them would outweigh the refinement."""
    subspace, theta = refinement.subspace, refinement.setting.function.theta0
    width = samples_within(BLOCK_BYTES, len(theta) * theta.dtype.itemsize, FEW_COLUMNS)  # few take forward mode
    for start in range(0, len(index), width):
        places = index[start : start + width]
        chosen = subspace.scale.new_zeros(int(places[-1]), len(places))
        for column, place in enumerate(places):
            chosen[int(place) - 1, column] = 1
        found = subspace.delta(chosen)
        found /= found.norm(dim=0).clamp_min(torch.finfo(found.dtype).tiny)
        yield slice(start, start + len(places)), found


def _layer_of(parameter: str) -> str:
    """The part of a parameter's name before its last dot."""
    return parameter.rpartition(".")[0] or parameter


def _layer_names(refinement: Refinement) -> list[str]:
    function = refinement.setting.function
    return list(dict.fromkeys(_layer_of(name) for name in function.named(function.theta0)))


def _layers(refinement: Refinement, vector: Tensor, names: list[str]) -> list[float]:
    """Squared lengths of one vector (m,) by layer."""
    shares = dict.fromkeys(names, 0.0)
    for name, part in refinement.setting.function.tangent(vector).items():
        shares[_layer_of(name)] += float(torch.linalg.vector_norm(part)) ** 2
    return list(shares.values())


def _grid_of(refinement: Refinement) -> tuple[Grid, Tensor] | None:
    """Display points that form a regular grid, and where they are; None where there is none."""
    setting = refinement.setting
    shown = setting.splits[refinement.fields.split].inputs
    points = shown[torch.as_tensor(refinement.display_points, device=shown.device)]
    points = points[thinned(len(points), POINTS).to(points.device)]
    grid = regular_grid(points.flatten(1).cpu().double().numpy())
    return None if grid is None else (grid, points)


def _frequencies(refinement: Refinement, grid: Grid, points: Tensor, vectors: Tensor) -> Floats:
    """Mean radial frequency of the first output's response J v at the points."""
    moved = refinement.setting.strategy.at(points).matmat(vectors).reshape(len(points), -1, vectors.shape[1])[:, 0]
    return np.array([_mean_frequency(grid, column) for column in moved.T.cpu().double().numpy()])


def _mean_frequency(grid: Grid, response: Floats) -> float:
    axes = [Axis(f"x{number + 1}", "cosine") for number in range(len(grid.shape))]
    spectrum = error_spectrum(grid(response), axes)
    total = float(spectrum.energies.sum())
    return float(spectrum.frequencies @ spectrum.energies) / total if total > 0 else math.nan
