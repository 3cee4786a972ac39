"""The shipped samples are what their scripts make, and show what they are there to show."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import lsr_samples
from lsr_core.refinement.refine import refine
from lsr_core.storage.bundles import load_problem, read_description
from lsr_samples import train_noisy1d, train_sine2d


def weights_agree(first: torch.nn.Module, second: torch.nn.Module, tolerance: float) -> None:
    expected = second.state_dict()
    for name, value in first.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=tolerance, atol=tolerance)


def test_sine2d_is_the_case_of_the_paper() -> None:
    problem = load_problem("sine2d")
    assert problem.test is not None
    assert problem.validation is not None
    assert sum(value.numel() for value in problem.model.parameters()) == 83_073
    assert (len(problem.train.inputs), len(problem.validation.inputs)) == (8_000, 2_000)
    axis = np.linspace(-1, 1, 100)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    np.testing.assert_allclose(problem.test.inputs.numpy(), grid, atol=1e-15)
    for split in problem.splits().values():
        x, y = split.inputs.numpy().T
        np.testing.assert_allclose(split.targets.numpy()[:, 0], np.sin(np.pi * x) * np.sin(np.pi * y), atol=1e-15)
    with torch.no_grad():
        error = problem.model.double()(problem.test.inputs) - problem.test.targets
    assert 1e-7 < float(error.square().mean()) < 1e-4
    folder = lsr_samples.folder("sine2d")
    assert (folder / "data.npz").stat().st_size < 400_000
    assert read_description(folder).training["epochs"] == 200


def test_sine2d_untrained_is_the_start_of_the_training() -> None:
    _, untrained = train_sine2d.problems(epochs=0)
    shipped = load_problem("sine2d-untrained")
    weights_agree(untrained.model, shipped.model, 1e-6)
    assert shipped.train.inputs.equal(load_problem("sine2d").train.inputs)
    torch.testing.assert_close(untrained.train.targets, shipped.train.targets, rtol=0, atol=1e-15)


def test_noisy1d_is_what_its_script_makes() -> None:
    made, shipped = train_noisy1d.problem(), load_problem("noisy1d")
    weights_agree(made.model, shipped.model, 1e-3)
    torch.testing.assert_close(made.train.targets, shipped.train.targets, rtol=0, atol=1e-15)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noisy1d_overfits_when_the_rank_is_too_large(seed: int) -> None:
    refinement = refine(load_problem("noisy1d"), seed=seed)
    test, validation = refinement.sweep.test_mse, refinement.sweep.val_mse
    rank = refinement.summary.rank
    assert 0 < rank < 40
    assert test[rank] < 0.5 * test[0]
    assert test[-1] > 5 * test[rank]
    assert validation[-1] > 2 * validation[rank]
