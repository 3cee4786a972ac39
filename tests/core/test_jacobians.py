"""Every way of applying the Jacobian is the dense Jacobian."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.checks import check_outputs, refuse_training_mode
from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.factored import FactoredJacobian
from lsr_core.networks.functions import ParametricFunction, PureFunction
from lsr_core.networks.jacobians import JacobianOperator, MatrixFreeJacobian, RowBlockJacobian
from lsr_core.networks.strategies import choose_strategy
from lsr_core.networks.uses.network import UsedNetwork
from tests.core import twins


class Gated(nn.Module):
    """Linear layers, one used twice, one without bias, a normalisation and a free scale: a mixed network."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 6)
        self.shared = nn.Linear(6, 6)
        self.norm = nn.LayerNorm(6)
        self.last = nn.Linear(6, 2, bias=False)
        self.scale = nn.Parameter(torch.tensor(1.3))

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = torch.tanh(self.first(inputs))
        hidden = torch.tanh(self.shared(self.norm(self.shared(hidden))))
        return self.last(hidden) * self.scale


def frozen() -> nn.Module:
    model = twins.network(2, 5, 5, 1)
    model[0].weight.requires_grad_(False)
    model[2].bias.requires_grad_(False)
    return model


MODELS = {
    "one output": lambda: twins.network(2, 6, 6, 1),
    "three outputs": lambda: twins.network(2, 5, 3),
    "one layer": lambda: twins.network(2, 1),
    "mixed": lambda: Gated().double().eval(),
    "frozen parts": frozen,
}
KINDS = ("matrix-free", "row-blocks", "factored")


def operator(kind: str, model: nn.Module, inputs: Tensor, **options: object) -> JacobianOperator:
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    n_outputs = function.outputs(inputs).shape[1]
    if kind == "matrix-free":
        return MatrixFreeJacobian(function, inputs, n_outputs, **options)  # type: ignore[arg-type]
    if kind == "row-blocks":
        return RowBlockJacobian(function, inputs, n_outputs, **options)  # type: ignore[arg-type]
    network = UsedNetwork(function, inputs[:2])
    return FactoredJacobian(function, inputs, n_outputs, network=network, **options)  # type: ignore[arg-type]


def dense(model: nn.Module, inputs: Tensor) -> Tensor:
    free = [value.requires_grad for value in model.parameters() for _ in range(value.numel())]
    return twins.jacobian(model, inputs)[:, torch.tensor(free)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("columns", [1, 30], ids=["few columns", "many columns"])
@pytest.mark.parametrize("block_bytes", [2_000, 2**28], ids=["many blocks", "one block"])
def test_products_are_those_of_the_dense_jacobian(kind: str, make: object, columns: int, block_bytes: int) -> None:
    model = make()  # type: ignore[operator]
    inputs = twins.data(9).inputs
    twin = dense(model, inputs)
    jacobian = operator(kind, model, inputs, block_bytes=block_bytes)
    assert jacobian.shape == twin.shape
    right = torch.randn(twin.shape[1], columns, generator=twins.generator(), dtype=torch.float64)
    left = torch.randn(twin.shape[0], columns, generator=twins.generator(1), dtype=torch.float64)
    torch.testing.assert_close(jacobian.matmat(right), twin @ right, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(jacobian.rmatmat(left), twin.T @ left, rtol=1e-12, atol=1e-12)
    assert twins.dot_test(jacobian, twins.generator(2)) <= 1e-12


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_rows_from_uses_are_those_of_the_dense_jacobian(make: object) -> None:
    model = make()  # type: ignore[operator]
    inputs = twins.data(7, seed=1).inputs
    jacobian = operator("factored", model, inputs)
    assert isinstance(jacobian, FactoredJacobian)
    for count in (7, 2, 1):
        twin = dense(model, inputs[:count])
        torch.testing.assert_close(jacobian.rows_at(inputs[:count]), twin, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_random_directions_are_ordinary_vectors(make: object) -> None:
    """J times factored directions equals J times the same directions written out."""
    model = make()  # type: ignore[operator]
    inputs = twins.data(7).inputs
    jacobian = operator("factored", model, inputs)
    assert isinstance(jacobian, FactoredJacobian)
    function, form = jacobian.function, jacobian.network.form
    sizes = {name: 0.1 + place for place, name in enumerate(function.shapes)}
    directions = FactoredDirections.random(
        function.shapes, 11, twins.generator(3), function.theta0, form=form, sizes=sizes
    )
    plain = FactoredDirections.random(function.shapes, 4, twins.generator(4), function.theta0, form=form)
    written = directions.written()
    twin = dense(model, inputs)
    wanted = torch.cat([twin @ written, twin @ plain.written()], dim=1)
    torch.testing.assert_close(jacobian.times(directions, plain), wanted, rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(directions.gram(), written.T @ written, rtol=1e-11, atol=1e-12)
    assert torch.linalg.matrix_rank(written) == min(11, written.shape[0])


def test_kept_rows_give_the_same_products() -> None:
    model, inputs = twins.network(2, 6, 1), twins.data(9).inputs
    kept = operator("row-blocks", model, inputs, keep=True, block_bytes=2_000)
    block = torch.randn(kept.shape[1], 20, generator=twins.generator(), dtype=torch.float64)
    first = kept.matmat(block)
    torch.testing.assert_close(kept.matmat(block), first, rtol=0, atol=0)


def test_a_shared_layer_has_its_uses_too() -> None:
    function = ParametricFunction.from_module(Gated().double().eval(), dtype=torch.float64)
    network = UsedNetwork(function, twins.data(2).inputs)
    assert network.rest == []
    assert set(network.names) == set(function.shapes)


class TestRefusals:
    """What cannot be linearised once and for all."""

    inputs = twins.data(12).inputs

    def test_active_dropout(self) -> None:
        model = nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.1), nn.Linear(4, 1)).double()
        with pytest.raises(InputError, match=r"dropout is active.*model\.eval\(\)"):
            refuse_training_mode(model)
        refuse_training_mode(model.eval())

    def test_batch_norm_in_training(self) -> None:
        model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).double()
        with pytest.raises(InputError, match="batch normalisation"):
            refuse_training_mode(model)
        refuse_training_mode(model.eval())

    def test_random_outputs(self) -> None:
        function = ParametricFunction.from_module(
            PureFunction(lambda named, x: x @ named["w"] + torch.rand(len(x), 1), {"w": torch.ones(2, 1)}),
            dtype=torch.float64,
        )
        with pytest.raises(InputError, match="two evaluations at the same inputs differ"):
            check_outputs(function, self.inputs, 1)

    def test_outputs_that_are_not_finite(self) -> None:
        function = ParametricFunction.from_module(
            PureFunction(lambda named, x: torch.log(x[:, :1]) * named["w"], {"w": torch.ones(1)}), dtype=torch.float64
        )
        with pytest.raises(InputError, match=r"NaN or infinite at \d+ of 12 samples"):
            check_outputs(function, self.inputs, 1)

    def test_parameters_that_are_not_finite(self) -> None:
        model = twins.network(2, 3, 1)
        with torch.no_grad():
            model[0].weight[0, 0] = torch.nan
        with pytest.raises(InputError, match=r"0\.weight: holds NaN"):
            ParametricFunction.from_module(model, dtype=torch.float64)

    def test_nothing_to_refine(self) -> None:
        with pytest.raises(InputError, match="no parameters that require a gradient"):
            ParametricFunction.from_module(twins.network(2, 3, 1).requires_grad_(False), dtype=torch.float64)

    def test_wrong_number_of_outputs(self) -> None:
        function = ParametricFunction.from_module(twins.network(2, 3, 2), dtype=torch.float64)
        with pytest.raises(InputError, match="gives 2 values a sample, the targets have 1"):
            check_outputs(function, self.inputs, 1)


class TestChoice:
    """The automatic strategy and its refusals."""

    inputs = twins.data(50).inputs

    def choose(self, module: nn.Module, **options: object) -> str:
        function = ParametricFunction.from_module(module, dtype=torch.float64)
        n_outputs = function.outputs(self.inputs).shape[1]
        return choose_strategy(function, self.inputs, 50, n_outputs, **{"width": 10, **options}).name  # type: ignore[arg-type]

    def test_a_tiny_network_takes_its_rows(self) -> None:
        assert self.choose(twins.network(2, 5, 1)) == "row-blocks"

    def test_a_large_mlp_is_factored(self) -> None:
        assert self.choose(twins.network(2, 1500, 1500, 1), width=10_000) == "factored"

    def test_rows_at_several_places_are_taken_as_long_as_they_take_minutes(self) -> None:
        module = nn.Sequential(nn.Unflatten(1, (2, 1)), nn.Linear(1, 8), nn.Tanh(), nn.Flatten(), nn.Linear(16, 1))
        function = ParametricFunction.from_module(module, dtype=torch.float64)
        names = [choose_strategy(function, self.inputs[:2], rows, 1, width=1000).name for rows in (10**7, 10**8)]
        assert names == ["row-blocks", "factored"]

    def test_a_batch_that_talks_is_matrix_free(self) -> None:
        coupled = PureFunction(lambda named, x: (x - x.mean(0)) @ named["w"], {"w": torch.ones(2, 1)})
        function = ParametricFunction.from_module(coupled, dtype=torch.float64)
        assert not check_outputs(function, self.inputs, 1)
        assert self.choose(coupled, sample_wise=False) == "matrix-free"
        with pytest.raises(InputError, match="depend on the samples beside it"):
            self.choose(coupled, sample_wise=False, wanted="row-blocks")

    def test_nothing_to_factor(self) -> None:
        with pytest.raises(InputError, match="no parameter, wholly free"):
            self.choose(PureFunction(lambda named, x: x @ named["w"].exp(), {"w": torch.ones(2, 1)}), wanted="factored")
