"""Architectures by name: arguments are checked before anything is allocated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from lsr_core.errors import InputError
from lsr_core.networks import architectures

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu", "silu", "sin"])
@pytest.mark.parametrize("normalise", [False, True])
def test_mlp_maps_batches(activation: str, normalise: bool) -> None:
    arguments = {"layers": [3, 7, 5, 2], "activation": activation, "normalise_inputs": normalise}
    model = architectures.build("mlp", arguments)
    assert model(torch.rand(11, 3)).shape == (11, 2)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert architectures.validate("mlp", arguments).parameter_count() == count
    assert {name for name, _ in model.named_buffers()} == ({"input_mean", "input_std"} if normalise else set())
    assert not model.training


def test_a_shell_for_weights_from_a_file_does_not_wait_for_torch_s_compiler() -> None:
    """Whose import takes longer than reading the file."""
    code = (
        "import sys, torch; from benchmarks._networks import NETWORKS; from lsr_core.networks import architectures; torch.set_default_device('meta');"
        "[architectures.build(name, arguments) for name, arguments, _ in NETWORKS.values()];"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_mlp_is_what_it_says() -> None:
    model = architectures.build("mlp", {"layers": [2, 4, 1], "normalise_inputs": True}).double()
    model.get_buffer("input_mean").copy_(torch.tensor([1.0, -2.0]))
    model.get_buffer("input_std").copy_(torch.tensor([2.0, 0.5]))
    state = model.state_dict()
    x = torch.rand(6, 2, dtype=torch.float64)
    scaled = (x - state["input_mean"]) / state["input_std"]
    hidden = torch.tanh(scaled @ state["linears.0.weight"].T + state["linears.0.bias"])
    torch.testing.assert_close(model(x), hidden @ state["linears.1.weight"].T + state["linears.1.bias"])


def test_the_network_of_the_paper_has_its_number_of_parameters() -> None:
    layers = [2, *[128] * 6, 1]
    assert architectures.validate("mlp", {"layers": layers}).parameter_count() == 83_073


@pytest.mark.parametrize(
    ("name", "arguments", "match"),
    [
        ("resnet", {}, r"network\.architecture: unknown architecture 'resnet'; this version knows .*, mlp, "),
        ("mlp", {}, r"network\.arguments\.layers"),
        ("mlp", {"layers": [2]}, "at least 2"),
        ("mlp", {"layers": [2, 0, 1]}, r"layers\.1: .*greater than or equal to 1"),
        ("mlp", {"layers": [2, "8", 1]}, r"layers\.1"),
        ("mlp", {"layers": [2, True, 1]}, r"layers\.1"),
        ("mlp", {"layers": "2-8-1"}, "layers"),
        ("mlp", {"layers": [1] * 300}, "at most 256"),
        ("mlp", {"layers": [2, 8, 1], "activation": "swish"}, "activation"),
        ("mlp", {"layers": [2, 8, 1], "width": 3}, "width"),
        ("mlp", {"layers": [2, 10**9, 1]}, "4,000,000,001 parameters, more than the 200,000,000"),
        ("mlp", {"layers": [10**30, 10**30]}, "parameters, more than"),
    ],
)
def test_what_is_refused(name: str, arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        architectures.build(name, arguments)
