"""Products from the uses of parameters against the dense Jacobian of plain reverse mode."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lsr_core import InputError, SupervisedProblem, refine
from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.factored import FactoredJacobian
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.uses import network as recording
from lsr_core.networks.uses.network import UsedNetwork
from lsr_core.problems.splits import Split
from tests.core import twins
from tests.core.operations import OPERATIONS, WITHOUT, Made, mixed, operation

EVERY_SEED = range(50)
QUICK = {"linear over steps", "time before batch", "convolution 2d in groups", "transposed convolution", "embedding"}
QUICK |= {
    "tied head",
    "batch norm",
    "cross attention",
    "encoder, time first",
    "einsum with a matrix for each step",
    "gru",
}


def dense(model: nn.Module, inputs: Tensor) -> Tensor:
    outputs = model(inputs.clone()).reshape(-1)
    parameters = list(model.parameters())
    rows = [
        torch.autograd.grad(value, parameters, retain_graph=True, materialize_grads=True, allow_unused=True)
        for value in outputs
    ]
    parts = [[torch.view_as_real(part) if part.is_complex() else part for part in row] for row in rows]
    return torch.stack([torch.cat([part.reshape(-1) for part in row]) for row in parts])


def compare(model: nn.Module, inputs: Tensor) -> UsedNetwork:
    """Images of both forms of directions, products and rows, to 1e-12."""
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    network = UsedNetwork(function, inputs[:2])
    twin = dense(model, inputs)
    operator = FactoredJacobian(function, inputs, len(twin) // len(inputs), network=network)
    sizes = {name: 0.5 + place for place, name in enumerate(function.shapes)}
    drawn = [
        FactoredDirections.random(function.shapes, 5, twins.generator(), function.theta0, form=network.form, sizes=some)
        for some in (None, sizes)
    ]
    written = torch.cat([some.written() for some in drawn], dim=1)
    scale = float((twin.abs() @ written.abs()).max())
    torch.testing.assert_close(operator.times(*drawn), twin @ written, rtol=1e-12, atol=1e-12 * scale)
    torch.testing.assert_close(operator.rows_at(inputs), twin, rtol=1e-12, atol=1e-12 * float(twin.abs().max()))
    weights = torch.randn(len(twin), 3, generator=twins.generator(1), dtype=torch.float64)
    torch.testing.assert_close(operator.rmatmat(weights), twin.T @ weights, rtol=1e-11, atol=1e-12 * scale)
    torch.testing.assert_close(drawn[1].gram(), drawn[1].written().T @ drawn[1].written(), rtol=1e-12, atol=1e-11)
    return network


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in OPERATIONS]
)
def test_products_of_an_operation_are_those_of_the_dense_jacobian(name: str) -> None:
    network = compare(*operation(name))
    assert set(network.why_not) == WITHOUT.get(name, set())


@pytest.mark.parametrize(
    "seed", [seed if seed < 3 else pytest.param(seed, marks=pytest.mark.slow) for seed in EVERY_SEED]
)
def test_products_of_mixed_networks_are_those_of_the_dense_jacobian(seed: int) -> None:
    compare(*mixed(seed))


@pytest.mark.parametrize("n_bytes", [1, 3000])
def test_outputs_and_samples_by_parts_do_not_matter(monkeypatch: pytest.MonkeyPatch, n_bytes: int) -> None:
    monkeypatch.setattr(recording, "SIGNAL_BYTES", n_bytes)
    monkeypatch.setattr("lsr_core.networks.factored.RECORD_BYTES", n_bytes)
    compare(*operation("convolution 2d in groups"))


def test_samples_that_a_network_turns_are_not_taken_for_others() -> None:
    """Where samples stand in the batch is read from gradients; a network that turns them is left alone."""
    model = Made(lambda x, a, b: b(torch.tanh(a(x)).flip(0)), a=nn.Linear(4, 3), b=nn.Linear(3, 2)).double()
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    network = UsedNetwork(function, torch.randn(2, 4, generator=twins.generator()).double())
    assert network.names == ["b.weight", "b.bias"]
    assert "out of order" in network.why_not["a.weight"]


def test_another_way_for_other_samples_is_refused() -> None:
    def forked(x: Tensor, a: nn.Module, b: nn.Module) -> Tensor:
        found: Tensor = a(x) if float(x.abs().max()) < 10 else b(x)
        return found

    model = Made(forked, a=nn.Linear(2, 1), b=nn.Sequential(nn.Linear(2, 1), nn.Tanh())).double()
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    inputs = torch.rand(5, 2, generator=twins.generator()).double()
    network = UsedNetwork(function, inputs[:2])
    with pytest.raises(InputError, match="go another way through the network"):
        list(network.capture(100 * inputs))


def refined_as_by_hand(model: nn.Module, inputs: Tensor) -> None:
    """Up to three outputs of a network, refined by its uses: modes are the dense products, errors those of the dense solve, to 1e-10."""
    few = Made(lambda x, m: m(x).reshape(len(x), -1)[:, :3], m=model)
    with torch.no_grad():
        targets = torch.sin(3 * few(inputs)) + torch.arange(len(inputs))[:, None] / len(inputs)
    parts = [Split(inputs[part], targets[part]) for part in (slice(12), slice(12, 18), slice(18, None))]
    most = min(12, ParametricFunction.from_module(few, dtype=torch.float64).n_params)
    result = refine(SupervisedProblem("made", few, *parts), max_rank=most, strategy="factored")
    assert result.setting.strategy.network is not None or result.setting.strategy.excluded
    ranks = len(result.sweep.train_mse) - 1
    base = (few(inputs[:12]).detach() - targets[:12]).reshape(-1, 1)
    modes = result.subspace.modes(inputs[:12])
    delta = result.subspace.delta(torch.eye(ranks, dtype=torch.float64))
    scale = float(modes.abs().max())
    torch.testing.assert_close(modes, dense(few, inputs[:12]) @ delta, rtol=1e-10, atol=1e-10 * scale)
    for rank in {1, min(5, ranks), ranks}:
        step = torch.linalg.lstsq(modes[:, :rank], -base, rcond=1e-12, driver="gelsd").solution
        error = (base + modes[:, :rank] @ step).square().mean()
        assert result.sweep.train_mse[rank] == pytest.approx(
            float(error), rel=1e-10, abs=1e-10 * float(base.square().mean())
        )


@pytest.mark.parametrize(
    "name",
    [
        name if name in {"gru", "spectral 2d", "layer norm of two axes"} else pytest.param(name, marks=pytest.mark.slow)
        for name in OPERATIONS
        if name not in {"stacked", "conjugate"}  # have no parameter with a rule
    ],
)
def test_a_refinement_within_the_subspace_is_the_dense_solve(name: str) -> None:
    model, few = operation(name)
    shape, draw = few.shape[1:], twins.generator()
    whole = not few.is_floating_point()
    inputs = torch.randint(0, 9, (24, *shape), generator=draw) if whole else torch.randn(24, *shape, generator=draw)
    refined_as_by_hand(model, inputs if whole else inputs.double())


@pytest.mark.slow
@pytest.mark.parametrize("seed", EVERY_SEED)
def test_refinements_of_mixed_networks_are_the_dense_solve(seed: int) -> None:
    model, _ = mixed(seed)
    refined_as_by_hand(model, torch.randn(24, 3, 4, generator=twins.generator(seed), dtype=torch.float64))


def test_a_look_takes_as_many_passes_whatever_the_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, grad = [], torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *given, **named: taken.append(1) or grad(*given, **named))
    for depth in (2, 9):
        taken.clear()
        function = ParametricFunction.from_module(twins.network(2, *[4] * depth, 1), dtype=torch.float64)
        assert UsedNetwork(function, torch.rand(3, 2, dtype=torch.float64)).share == 1
        assert len(taken) == 3, depth
