"""What the subspace corrects: shares add up, slowness follows the singular values, frequencies and layers are right."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from lsr_core.diagnosis.directions import directions
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.functions import PureFunction
from lsr_core.problems.grids import find_grid, regular_grid
from lsr_core.problems.splits import Split
from lsr_core.refinement.refine import refine
from lsr_core.refinement.results import Directions
from tests.core.test_verdict import sine_data, tanh_network

CASES = [
    np.linspace(0, 1, 7)[:, None],
    np.stack(np.meshgrid(np.linspace(0, 1, 5), np.linspace(-1, 1, 6)), -1).reshape(-1, 2),
]


@pytest.mark.parametrize("points", CASES)
def test_a_grid_is_found_in_any_order(points: np.ndarray) -> None:
    shuffled = points[np.random.default_rng(0).permutation(len(points))]
    grid = regular_grid(shuffled)
    assert grid is not None
    for axis, column in enumerate(shuffled.T):
        along = grid(column)
        assert np.ptp(np.moveaxis(along, axis, 0).reshape(grid.shape[axis], -1), axis=1).max() == 0
    assert regular_grid(shuffled[1:]) is None
    uneven = shuffled**3 + shuffled
    assert regular_grid(uneven) is None
    found = find_grid(uneven)
    assert found is not None
    assert found.shape == grid.shape
    assert np.array_equal(found(np.stack([column, -column], axis=1))[..., 1], -grid(column))


def cosines(count: int, weights: list[float]) -> SupervisedProblem:
    """A model linear in its parameters, whose directions are cosines of known frequency and strength."""
    x = torch.linspace(0, 1, count, dtype=torch.float64)[:, None]
    strength = torch.tensor(weights, dtype=torch.float64)

    def call(at: dict[str, torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
        waves = torch.cos(math.pi * torch.arange(1, len(weights) + 1, dtype=inputs.dtype) * inputs)
        return (waves * strength * at["amplitude"]).sum(dim=1, keepdim=True)

    model = PureFunction(call, {"amplitude": torch.zeros(len(weights), dtype=torch.float64)})
    target = torch.cos(math.pi * 2 * x) + 0.1 * torch.cos(math.pi * 5 * x)
    return SupervisedProblem("cosines", model, Split(x, target), Split(x, target), grid=Split(x, target))


def test_small_singular_values_high_frequencies_and_slow_training_go_together_where_they_do() -> None:
    found = directions(refine(cosines(201, [10.0, 5.0, 2.0, 1.0, 0.5, 0.2])))
    np.testing.assert_allclose(found.frequency, [1, 2, 3, 4, 5, 6], rtol=0.05)
    np.testing.assert_allclose(found.steps[:3], [1, 4, 25], rtol=0.05)
    assert found.correlation == pytest.approx(1.0)
    assert found.share.sum() == pytest.approx(1.0, abs=1e-10)
    assert found.share[1] == pytest.approx(1 / 1.01, abs=0.02)


def test_the_correlation_has_a_sign() -> None:
    found = directions(refine(cosines(201, [0.2, 0.5, 1.0, 2.0, 5.0, 10.0])))
    assert found.correlation == pytest.approx(-1.0)


def test_shares_and_layers_add_up() -> None:
    problem = SupervisedProblem("net", tanh_network(10, 0), sine_data(80, 3, 0), sine_data(40, 3, 1))
    refinement = refine(problem, max_rank=20)
    found = directions(refinement)
    sweep = refinement.sweep
    assert found.share.sum() == pytest.approx(1 - sweep.train_mse.min() / sweep.train_mse[0], abs=1e-9)
    assert (found.share >= 0).all()
    np.testing.assert_allclose(found.layers.sum(axis=1), 1, rtol=1e-9)
    assert found.layer_names.tolist() == ["0", "2"]
    assert np.isnan(found.frequency).all()  # scattered points have no transform
    assert math.isnan(found.correlation)


def test_only_free_layers_take_part() -> None:
    problem = SupervisedProblem("net", tanh_network(10, 0), sine_data(80, 3, 0), sine_data(40, 3, 1))
    found = directions(refine(problem, max_rank=5, layers="2.*"))
    np.testing.assert_allclose(found.layers[:, found.layer_names.tolist().index("2")], 1, rtol=1e-9)


def test_rank_zero_has_no_directions() -> None:
    problem = SupervisedProblem("net", nn.Sequential(nn.Linear(1, 1, dtype=torch.float64)).eval(), sine_data(20, 3, 0))
    found = directions(refine(problem, max_rank=0))
    assert isinstance(found, Directions)
    assert len(found.index) == 0
