"""`pinn-mlp`: the options of its start, features and output, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lsr_core.errors import InputError
from lsr_core.networks import architectures
from lsr_core.problems.physics import equations  # noqa: F401  # registers the hard conditions

DOMAIN = {"x": [0.0, 6.0], "t": [0.0, 1.0]}


def build(**options: Any) -> Any:
    return architectures.build("pinn-mlp", {"layers": [2, 6, 6, 1], "domain": DOMAIN, **options}).double()


def points(n: int = 7) -> torch.Tensor:
    unit = torch.rand(n, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return unit * torch.tensor([6.0, 1.0])


def test_the_seed_alone_decides_the_start() -> None:
    state = torch.random.get_rng_state()
    first, same, other = build(seed=1), build(seed=1), build(seed=2)
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(first.linears[0].weight, same.linears[0].weight)
    assert not torch.equal(first.linears[0].weight, other.linears[0].weight)


def test_zero_lines_of_the_first_layer_cross_the_box() -> None:
    model = build(first_layer={"scale": {"x": 0.1, "t": 5.0}})
    weight, bias = model.linears[0].weight, model.linears[0].bias
    assert float(weight[:, 0].detach().abs().max()) <= 0.1
    assert 0.1 < float(weight[:, 1].detach().abs().max()) <= 5.0
    # On the box [−1, 1]² a line w·x + b = 0 passes where |b| ≤ Σ|w|.
    assert bool((bias.abs() <= weight.abs().sum(dim=1)).all())


def test_periodic_features() -> None:
    model = build(features=[{"kind": "periodic", "input": "x", "period": 6.0, "harmonics": 2}])
    assert model.linears[0].in_features == 5
    shifted = points() + torch.tensor([6.0, 0.0])
    torch.testing.assert_close(model(points()), model(shifted))


def test_fourier_features_are_kept_in_the_weights() -> None:
    model = build(features=[{"kind": "fourier", "count": 4, "scale": 3.0}])
    assert model.linears[0].in_features == 2 + 8
    assert model.state_dict()["frequencies"].shape == (4, 2)
    assert architectures.validate("pinn-mlp", model.arguments.model_dump()).parameter_count() == sum(
        value.numel() for value in model.parameters()
    )


def test_the_transform_is_applied() -> None:
    model = build(domain={"x": [0, 1], "y": [0, 1]}, output={"name": "poisson-dirichlet"})
    corners = torch.tensor([[0.0, 0.3], [1.0, 0.3], [0.3, 0.0], [0.3, 1.0]]).double()
    assert float(model(corners).detach().abs().max()) == 0.0


def test_it_can_be_built_without_memory() -> None:
    with torch.device("meta"):
        model = architectures.build(
            "pinn-mlp",
            {"layers": [2, 4, 1], "domain": DOMAIN, "features": [{"kind": "fourier", "count": 2}], "first_layer": {}},
        )
    assert all(value.is_meta for value in model.state_dict().values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": [3, 4, 1]}, "the domain names 2 inputs"),
        ({"domain": {"x": [1, 0], "t": [0, 1]}}, "must be smaller"),
        ({"features": [{"kind": "periodic", "input": "y", "period": 1}]}, "no input 'y'"),
        ({"first_layer": {"scale": {"z": 1.0}}}, "no input 'z'"),
        ({"first_layer": {"scale": 0}}, "greater than 0"),
        ({"output": {"name": "poisson"}}, "unknown output transform 'poisson'"),
        ({"output": {"name": "burgers", "arguments": {"nu": 1}}}, "nu"),
        ({"features": [{"kind": "wavelet"}]}, "features"),
    ],
)
def test_bad_input(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build(**options)
