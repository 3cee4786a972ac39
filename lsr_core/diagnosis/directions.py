"""What the subspace corrects, direction by direction: share of the residual, slowness under gradient descent, frequency, layers.

For a loss ‖f + G δ‖², gradient descent at the rate 1/σ₁² shrinks the error along a singular direction by 1 − (σᵢ/σ₁)² a step, so that
(σ₁/σᵢ)² is its time constant in steps. If small singular values belong to high frequencies, training learns those last: spectral bias
(Rahaman et al. 2019), here measured on the network itself.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lsr_core.diagnosis.frequencies import Axis, error_spectrum
from lsr_core.problems.grids import Grid, regular_grid
from lsr_core.refinement.fields import thinned
from lsr_core.refinement.refine import Refinement
from lsr_core.refinement.results import Directions, Floats

SHOWN = 24  # directions, close together at the leading end
POINTS = 1_600  # of the grid on which responses are looked at


def directions(refinement: Refinement, shown: int = SHOWN) -> Directions:
    """Measure the directions of a refinement's subspace.

    Args:
        shown: at most how many.
    """
    rank, sweep = refinement.sweep.max_rank, refinement.sweep
    index = np.unique(np.geomspace(1, max(rank, 1), shown).round().astype(int)) if rank else np.array([], dtype=int)
    values = refinement.spectrum.singular_values
    squares = np.minimum.accumulate(sweep.train_mse / sweep.train_mse[0]) if sweep.train_mse[0] > 0 else sweep.train_mse
    before = np.concatenate([[0], index[:-1]]).astype(int)
    vectors = _vectors(refinement, index)
    with np.errstate(divide="ignore"):
        steps = (values[0] / values[index - 1]) ** 2 if rank else np.array([])
    names, layers = _layers(refinement, vectors)
    return Directions(
        index=index.astype(np.int64),
        singular_value=values[index - 1] if rank else np.array([]),
        share=squares[before] - squares[index],
        steps=steps,
        frequency=_frequencies(refinement, vectors),
        layers=layers,
        layer_names=names,
    )


def _vectors(refinement: Refinement, index: NDArray[np.int64]) -> Tensor:
    """Unit vectors of parameters (m, k)."""
    subspace = refinement.subspace
    chosen = subspace.scale.new_zeros(int(index[-1]) if len(index) else 0, len(index))
    for column, place in enumerate(index):
        chosen[int(place) - 1, column] = 1
    found = subspace.delta(chosen)
    return found / found.norm(dim=0).clamp_min(torch.finfo(found.dtype).tiny)


def _layers(refinement: Refinement, vectors: Tensor) -> tuple[NDArray[np.str_], Floats]:
    """Squared lengths by layer: the part of a parameter's name before its last dot."""
    function = refinement.setting.function
    squares = (
        torch.stack([function.expand(vector) for vector in vectors.unbind(1)]).square() if vectors.shape[1] else None
    )
    sizes: dict[str, list[int]] = {}
    start = 0
    for name, value in function.named(function.theta0).items():
        size = value.numel() * (2 if value.is_complex() else 1)
        sizes.setdefault(name.rpartition(".")[0] or name, []).extend(range(start, start + size))
        start += size
    names = np.array(list(sizes))
    if squares is None:
        return names, np.zeros((0, len(names)))
    shares = torch.stack([squares[:, places].sum(dim=1) for places in sizes.values()], dim=1)
    return names, shares.cpu().double().numpy()


def _frequencies(refinement: Refinement, vectors: Tensor) -> Floats:
    """Mean radial frequency of the first output's response J v on the display points."""
    nothing = np.full(vectors.shape[1], np.nan)
    setting = refinement.setting
    shown = setting.splits[refinement.fields.split].inputs
    points = shown[torch.as_tensor(refinement.display_points, device=shown.device)]
    points = points[thinned(len(points), POINTS).to(points.device)]
    grid = regular_grid(points.flatten(1).cpu().double().numpy())
    if grid is None or vectors.shape[1] == 0:
        return nothing
    moved = setting.strategy.at(points).matmat(vectors).reshape(len(points), -1, vectors.shape[1])[:, 0]
    return np.array([_mean_frequency(grid, column) for column in moved.T.cpu().double().numpy()])


def _mean_frequency(grid: Grid, response: Floats) -> float:
    axes = [Axis(f"x{number + 1}", "cosine") for number in range(len(grid.shape))]
    spectrum = error_spectrum(grid(response), axes)
    total = float(spectrum.energies.sum())
    return float(spectrum.frequencies @ spectrum.energies) / total if total > 0 else math.nan
