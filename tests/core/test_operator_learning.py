"""Operators learnt from data: rows of any supervised problem, measured function by function."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.kinds.operators import OperatorProblem, with_distribution
from lsr_core.networks import architectures
from lsr_core.problems.splits import Architecture, Split
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.summary import Errors
from lsr_core.storage.bundles import load_problem, save_problem
from tests.core import twins

SENSORS, GRID = 8, 9
ARCHITECTURES = {
    "multionet": {"sensors": SENSORS, "width": 6, "depth": 2, "activation": "tanh-sin", "grid": {"points": GRID}},
    "deeponet": {"branch": [SENSORS, 8, 6], "trunk": [1, 8, 6], "grid": {"points": GRID}},
    "fno-1d": {"points": SENSORS, "modes": 3, "width": 3, "depth": 2},
}


def pairs(count: int, seed: int, points: int) -> Split:
    """Smooth periodic functions and their squares shifted by a quarter."""
    draw = torch.randn(count, 2, 2, generator=twins.generator(seed), dtype=torch.float64)

    def values(x: Tensor) -> Tensor:
        angles = 2 * torch.pi * x
        waves = torch.stack([torch.stack([torch.cos(k * angles), torch.sin(k * angles)]) for k in (1, 2)])
        return torch.einsum("nkc,kcx->nx", draw, waves)

    at = torch.arange(SENSORS, dtype=torch.float64) / SENSORS
    out = torch.linspace(0, 1, points, dtype=torch.float64) if points == GRID else at
    return Split(values(at), 1 + values(out - 0.25) + 0.1 * values(out - 0.25) ** 2)


def problem(name: str) -> OperatorProblem:
    arguments = ARCHITECTURES[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        model = architectures.build(name, arguments).double()
    points = SENSORS if name.startswith("fno") else GRID
    splits = [pairs(rows, seed, points) for rows, seed in ((60, 1), (30, 2), (40, 3))]
    return OperatorProblem(name, model, *splits, architecture=Architecture(name, arguments))


@pytest.fixture(scope="module", params=ARCHITECTURES)
def result(request: pytest.FixtureRequest) -> Refinement:
    return refine(problem(request.param), max_rank=60)


def test_refinement_lowers_the_error_of_unseen_functions(result: Refinement) -> None:
    base, refined = result.summary.base, result.summary.refined
    assert refined.val_mse is not None
    assert base.val_mse is not None
    assert refined.val_mse < 0.7 * base.val_mse
    assert (refined.mean or 1.0) < 0.8 * (base.mean or 0.0)


def test_the_distribution_is_of_single_functions(result: Refinement) -> None:
    test = result.problem.test
    assert test is not None
    model = result.problem.model
    with torch.no_grad():
        found = model(test.inputs) + (twins.jacobian(model, test.inputs) @ result.delta).view_as(test.targets)
    relative = ((found - test.targets).norm(dim=1) / test.targets.norm(dim=1)).numpy()
    refined = result.summary.refined
    assert refined.mean == pytest.approx(relative.mean(), rel=1e-6)
    assert refined.median == pytest.approx(np.median(relative), rel=1e-6)
    assert refined.p90 == pytest.approx(np.quantile(relative, 0.9), rel=1e-6)
    assert refined.max == pytest.approx(relative.max(), rel=1e-6)


def test_rows_are_those_of_the_same_data_without_functions() -> None:
    operator = problem("multionet")
    plain = SupervisedProblem("plain", operator.model, operator.train, operator.validation, operator.test)
    first, second = refine(operator, max_rank=30), refine(plain, max_rank=30)
    np.testing.assert_allclose(first.sweep.train_mse, second.sweep.train_mse)
    assert second.summary.refined.mean is None


def test_a_bundle_keeps_the_kind_and_its_complex_weights(tmp_path: Path) -> None:
    operator = problem("fno-1d")
    loaded = load_problem(save_problem(tmp_path / "bundle", operator))
    assert isinstance(loaded, OperatorProblem)
    inputs = operator.train.inputs
    assert loaded.model(inputs).equal(operator.model(inputs))


def test_a_trained_fourier_operator_is_refined_in_double_precision() -> None:
    operator = problem("fno-1d")
    model = operator.model.float()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    inputs, targets = (part.float() for part in operator.train)
    start = float((model(inputs) - targets).detach().square().mean())
    for _ in range(200):
        optimiser.zero_grad()
        loss = (model(inputs) - targets).square().mean()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.1 * start
    summary = refine(replace(operator, model=model), max_rank=60).summary
    assert summary.dtype == "float64"
    assert (summary.refined.val_mse or 1.0) < 0.9 * (summary.base.val_mse or 0.0)
    assert (summary.refined.mean or 1.0) < (summary.base.mean or 0.0)


def test_functions_that_are_zero_have_no_relative_error() -> None:
    found = with_distribution(Errors(), np.array([np.inf, 0.5, np.nan, 1.5]))
    assert found.mean == 1.0
    assert with_distribution(Errors(), np.array([np.nan])).mean is None


def test_a_transformer_is_refined_in_double_precision() -> None:
    """Mean of the running maximum of a random walk, from the steps."""
    arguments = {"length": 6, "features": 1, "width": 8, "heads": 2, "depth": 1, "feedforward": 8}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = architectures.build("transformer-regressor", arguments).double()
    splits = []
    for rows, seed in ((80, 1), (40, 2), (40, 3)):
        steps = torch.randn(rows, 6, 1, generator=twins.generator(seed), dtype=torch.float64)
        splits.append(Split(steps, steps.cumsum(1).cummax(1).values.mean(1)))
    summary = refine(SupervisedProblem("walk", model, *splits), max_rank=60).summary
    assert (summary.refined.val_mse or 1.0) < 0.5 * (summary.base.val_mse or 0.0)
