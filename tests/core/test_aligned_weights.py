"""Aligned weights are a plain state dict that fits the refined field, and the errors said beside it are its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks import _networks as networks
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks import architectures
from lsr_core.portable.weights import aligned_weights
from lsr_core.problems.splits import Architecture, Split
from lsr_core.storage.weights import load_network, read_tensors

ARGUMENTS = {"layers": [1, 8, 1]}


def problem(dtype: torch.dtype = torch.float64) -> SupervisedProblem:
    torch.manual_seed(2)
    model = architectures.build("mlp", ARGUMENTS).to(dtype)
    x = torch.linspace(-1, 1, 64, dtype=torch.float64)[:, None]
    with torch.no_grad():
        moved = architectures.build("mlp", ARGUMENTS).double()
        moved.load_state_dict(model.state_dict())
        for value in moved.parameters():
            value.add_(0.05 * torch.randn_like(value))
        truth = moved(x)
    test = Split(x[1::2], truth[1::2])
    return SupervisedProblem(
        name="p", model=model, train=Split(x[::2], truth[::2]), test=test, architecture=Architecture("mlp", ARGUMENTS)
    )


def step(given: SupervisedProblem) -> torch.Tensor:
    """The one-shot Δθ, by least squares on the Jacobian."""
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.refinement.refine import refine

    return refine(given, RefineConfig(rank=12, max_rank=12)).delta


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_fitted_network_is_what_the_file_holds(dtype: torch.dtype, tmp_path: Path) -> None:
    given = problem(dtype)
    before = {name: value.clone() for name, value in given.model.state_dict().items()}
    result = aligned_weights(tmp_path / "w.safetensors", given, step(given), seconds=20)
    tensors, header = read_tensors(tmp_path / "w.safetensors")
    network = load_network("mlp", ARGUMENTS, tensors, dtype, "w.safetensors")
    assert given.test is not None
    with torch.no_grad():
        outputs = network(given.test.inputs.to(dtype)).double()
    error = float((outputs - given.test.targets).norm() / given.test.targets.norm())
    assert error == pytest.approx(result.aligned, rel=1e-6)
    assert result.refined < 0.1 * result.network
    assert result.aligned < 0.3 * result.network
    assert header["lsr_aligned_weights"] == result.sentence
    assert all(torch.equal(value, before[name]) for name, value in given.model.state_dict().items())


@pytest.mark.parametrize("name", ["cnn-classifier", "transformer-regressor", "fno-2d"])
def test_inputs_of_any_shape(name: str, tmp_path: Path) -> None:
    """Images, sequences and grids, where normal equations are formed."""
    given = networks.problem(name)
    result = aligned_weights(tmp_path / "w.safetensors", given, step(given), seconds=10)
    tensors, _ = read_tensors(tmp_path / "w.safetensors")
    assert {key: value.shape for key, value in tensors.items()} == {
        key: value.shape for key, value in given.model.state_dict().items()
    }
    assert result.aligned < result.network


def test_a_field_that_is_the_network_already_keeps_its_weights(tmp_path: Path) -> None:
    given = problem()
    count = sum(value.numel() for value in given.model.parameters())
    result = aligned_weights(tmp_path / "w.safetensors", given, torch.zeros(count, dtype=torch.float64), seconds=5)
    tensors, _ = read_tensors(tmp_path / "w.safetensors")
    assert all(torch.equal(tensors[name], value) for name, value in given.model.state_dict().items())
    assert result.survives is None
    assert result.note
