"""Every registered architecture is differentiated rightly, by every strategy that can serve it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks import architectures
from lsr_core.networks.activations import ACTIVATIONS
from lsr_core.networks.checks import check_outputs
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.strategies import choose_strategy
from lsr_core.refinement.predictor import RefinedPredictor
from tests.core import twins

GRID = {"points": 7}
NETWORKS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "mlp": ({"layers": [3, 6, 2]}, (3,)),
    "modified-mlp": ({"layers": [3, 5, 5, 2]}, (3,)),
    "deeponet": ({"branch": [5, 6, 4], "trunk": [1, 6, 4], "grid": GRID}, (5,)),
    "multionet": ({"sensors": 5, "width": 4, "depth": 2, "grid": GRID}, (5,)),
    "deeponet-field": ({"branch": [5, 6, 4], "trunk": [2, 6, 4], "net": "modified-mlp"}, (2,)),
    "fno-1d": ({"points": 8, "modes": 3, "width": 2, "depth": 2}, (8,)),
    "fno-2d": ({"grid": [6, 5], "modes": [2, 2], "width": 2, "depth": 2}, (6, 5)),
    "neuraloperator-fno": (
        {"grid": [6, 5], "modes": [3, 2], "width": 2, "depth": 2, "lifting": 4, "projection": 3, "channel_mlp": 1},
        (6, 5),
    ),
    "cnn-classifier": ({"image": [1, 8, 8], "channels": [2, 3], "hidden": 4, "classes": 3}, (1, 8, 8)),
    "transformer-regressor": (
        {"length": 5, "features": 2, "width": 4, "heads": 2, "depth": 1, "feedforward": 6},
        (5, 2),
    ),
}
each = pytest.mark.parametrize("name", NETWORKS)


def network(name: str, **more: Any) -> nn.Module:
    """Random weights and buffers, all of them away from zero."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = architectures.build(name, NETWORKS[name][0] | more)
        if name == "deeponet-field":
            model.get_buffer("sensors").copy_(torch.randn(1, 5))
        with torch.no_grad():
            for value in model.parameters():
                value.add_(0.1 * torch.randn(value.shape, dtype=value.dtype))
    return model


def inputs(name: str, rows: int = 4) -> Tensor:
    return torch.randn(rows, *NETWORKS[name][1], generator=twins.generator(5), dtype=torch.float64)


@each
def test_the_count_of_parameters_is_known_beforehand(name: str) -> None:
    counted = architectures.validate(name, NETWORKS[name][0]).parameter_count()
    assert counted == ParametricFunction.from_module(network(name), dtype=torch.float64).n_params


@pytest.mark.parametrize(
    ("name", "arguments", "count"),
    [
        ("multionet", {"sensors": 128, "width": 128, "grid": {"points": 128}}, 115_844),
        ("deeponet", {"branch": [128] * 5, "trunk": [1] + [128] * 4, "grid": {"points": 128}}, 115_841),
        ("deeponet-field", {"branch": [100] + [50] * 5, "trunk": [1] + [50] * 5}, 25_550),
        ("deeponet-field", {"branch": [101] + [100] * 7, "trunk": [2] + [100] * 7, "net": "modified-mlp"}, 152_700),
        ("cnn-classifier", {"image": [1, 28, 28]}, 119_530),
    ],
)
def test_the_published_networks_have_their_numbers_of_parameters(
    name: str, arguments: dict[str, Any], count: int
) -> None:
    assert architectures.validate(name, arguments).parameter_count() == count


@each
def test_samples_stand_alone_and_outputs_are_flat(name: str) -> None:
    function = ParametricFunction.from_module(network(name), dtype=torch.float64)
    points = inputs(name)
    answer = network(name)(points.float())
    assert answer.ndim == 2
    assert check_outputs(function, points, answer.shape[1])


@each
@pytest.mark.parametrize("wanted", ["matrix-free", "row-blocks", "factored"])
def test_products_are_those_of_differences(name: str, wanted: str) -> None:
    """Against central differences of the network itself, which know nothing of any derivative rule."""
    function = ParametricFunction.from_module(network(name), dtype=torch.float64)
    points = inputs(name)
    n_outputs = function.outputs(points).shape[1]
    try:
        strategy = choose_strategy(
            function, points[:2], len(points) * n_outputs, n_outputs, width=5, wanted=wanted, sample_wise=True
        )
    except InputError as error:
        if wanted != "factored" or "no linear layer" not in str(error):
            raise
        return
    jacobian = strategy.at(points)
    assert twins.dot_test(jacobian, twins.generator(2)) <= 1e-12
    directions = torch.randn(function.n_params, 20, generator=twins.generator(1), dtype=torch.float64)
    step = 1e-5
    differences = torch.stack(
        [
            (
                function.outputs(points, function.theta0 + step * d)
                - function.outputs(points, function.theta0 - step * d)
            )
            / (2 * step)
            for d in directions.unbind(1)
        ],
        dim=-1,
    ).flatten(0, 1)
    images = jacobian.matmat(directions)
    assert (images - differences).abs().max() <= 1e-7 * images.abs().max()
    torch.testing.assert_close(jacobian.matmat(directions[:, :2]), images[:, :2], rtol=1e-11, atol=1e-12)


@each
def test_strategies_agree_and_say_why(name: str) -> None:
    function = ParametricFunction.from_module(network(name), dtype=torch.float64)
    points = inputs(name)
    n_outputs = function.outputs(points).shape[1]
    chosen = choose_strategy(function, points[:2], 10**6, n_outputs, width=500)
    assert chosen.name in ("factored", "row-blocks")
    assert chosen.reason
    free = choose_strategy(function, points[:2], 10**6, n_outputs, width=500, wanted="matrix-free")
    block = torch.randn(function.n_params, 20, generator=twins.generator(1), dtype=torch.float64)
    torch.testing.assert_close(chosen.at(points).matmat(block), free.at(points).matmat(block), rtol=1e-11, atol=1e-11)
    cotangents = torch.randn(len(points) * n_outputs, 20, generator=twins.generator(2), dtype=torch.float64)
    torch.testing.assert_close(
        chosen.at(points).rmatmat(cotangents), free.at(points).rmatmat(cotangents), rtol=1e-11, atol=1e-11
    )


def test_a_layer_of_a_grid_as_large_as_the_example_is_not_taken_for_one_of_samples() -> None:
    arguments = {"branch": [5, 6, 4], "trunk": [1, 6, 4], "grid": {"points": 2}}
    function = ParametricFunction.from_module(architectures.build("deeponet", arguments), dtype=torch.float64)
    strategy = choose_strategy(function, inputs("deeponet")[:2], 8, 2, width=5, wanted="factored")
    assert strategy.network is not None
    assert all(name.startswith(("branch", "bias")) for name in strategy.network.names)
    assert all(name.startswith("trunk") for name in strategy.network.rest)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_serves_every_architecture(activation: str) -> None:
    for name in NETWORKS:
        function = ParametricFunction.from_module(network(name, activation=activation), dtype=torch.float64)
        assert torch.isfinite(function.outputs(inputs(name))).all()


@pytest.mark.parametrize(
    ("name", "more", "match"),
    [
        ("modified-mlp", {"layers": [2, 5, 6, 1]}, "one width"),
        ("deeponet", {"branch": [5, 6, 3]}, "as many"),
        ("deeponet", {"trunk": [2, 6, 4]}, "one coordinate"),
        ("fno-1d", {"modes": 5}, "resolve 4 frequencies"),
        ("cnn-classifier", {"channels": [2, 2, 2, 2, 2]}, "too often"),
        ("transformer-regressor", {"heads": 3}, "cannot share"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(name: str, more: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        architectures.validate(name, NETWORKS[name][0] | more)


class Fused(nn.Module):
    """Attention by PyTorch's own function, which picks a fused kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.project, self.last = nn.Linear(4, 12), nn.Linear(4, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        query, key, value = self.project(inputs).chunk(3, -1)
        return self.last(nn.functional.scaled_dot_product_attention(query, key, value).mean(1))


class Encoder(nn.Module):
    """PyTorch's encoder layer, which has a fast path of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(4, 2, 6, batch_first=True)
        self.last = nn.Linear(4, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(self.encoder(inputs).mean(1))


@pytest.mark.parametrize("kind", [Fused, Encoder])
def test_attention_that_the_user_brings_is_differentiated_without_a_word(kind: type[nn.Module]) -> None:
    model = kind().double().eval()
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    sequences = torch.randn(3, 5, 4, generator=twins.generator(), dtype=torch.float64)
    strategy = choose_strategy(function, sequences[:2], 3, 1, width=3, wanted="matrix-free")
    assert twins.dot_test(strategy.at(sequences), twins.generator(2)) <= 1e-12
    delta = torch.randn(function.n_params, generator=twins.generator(4), dtype=torch.float64)
    predictor = RefinedPredictor(model, function.tangent(delta))
    expected = model(sequences) + strategy.at(sequences).matmat(delta[:, None])
    torch.testing.assert_close(predictor.predict(sequences), expected.detach())
