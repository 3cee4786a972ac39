"""Every way of taking derivatives, on networks of every kind, against rows of plain reverse mode; and the choice among them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from lsr_core import (
    InputError,
    RefinedPredictor,
    SupervisedProblem,
    refine,
)
from lsr_core.networks import proof, recording
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import FactoredJacobian, RowJacobian
from lsr_core.networks.layers import FactoredNetwork
from lsr_core.networks.pushes import WAYS
from lsr_core.networks.routes import in_order
from lsr_core.networks.strategies import Strategy
from tests.core import oddities, twins

INPUTS = twins.data(9, 3).inputs
SERVED = {"once differentiable": "rows", "cdist": "rows", "classic function": "reverse", "weight norm": "reverse"}


def dense(model: nn.Module, inputs: Tensor) -> Tensor:
    """J by one plain backward pass for each output of the network itself."""
    parameters = [value for value in model.parameters() if value.requires_grad]
    rows = []
    outputs = copy.deepcopy(model)(inputs.clone()).numel()
    for place in range(outputs):
        row = torch.autograd.grad(
            model(inputs.clone()).reshape(-1)[place], parameters, materialize_grads=True, allow_unused=True
        )
        rows.append(
            torch.cat([torch.view_as_real(part).reshape(-1) if part.is_complex() else part.reshape(-1) for part in row])
        )
    return torch.stack(rows)


def problem(name: str) -> SupervisedProblem:
    model = oddities.network(name)
    with torch.no_grad():
        width = model(INPUTS.clone()).shape[1]
    return SupervisedProblem(name, model, *[twins.data(24, 3, width, seed=seed) for seed in (1, 2, 3)])


@pytest.mark.parametrize("name", oddities.NETWORKS)
def test_every_way_gives_the_jacobian_or_is_refused(name: str) -> None:
    model = oddities.network(name)
    wanted = dense(model, INPUTS)
    n_outputs = len(wanted) // len(INPUTS)
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    reference = proof.Reference.of(function, INPUTS, n_outputs, twins.generator())
    torch.testing.assert_close(reference.pulled, wanted.T @ reference.weights)
    assert reference.slope_defect(function) < 1e-3
    network = FactoredNetwork(function, INPUTS[:2])
    right = []
    for way in WAYS:
        here = function.by(way)
        start = (
            Strategy("factored", "", here, n_outputs, network)
            if network.layers
            else Strategy("row-blocks", "", here, n_outputs)
        )
        for strategy in in_order(start, "auto", sample_wise=True):
            try:
                operator = strategy.at(INPUTS)
                defect = max(proof.operator_defect(operator, reference), proof.push_defect(here, reference))
            except Exception:
                continue
            if defect > 2e-11:
                continue
            right.append((way, strategy.name))
            v, u = torch.randn(wanted.shape[1], 20).double(), torch.randn(len(wanted), 20).double()
            torch.testing.assert_close(operator.matmat(v), wanted @ v)
            torch.testing.assert_close(operator.rmatmat(u), wanted.T @ u)
            torch.testing.assert_close(here.along(INPUTS, v[:, :2]), wanted @ v[:, :2])
            if isinstance(operator, RowJacobian):
                torch.testing.assert_close(torch.cat([rows for _, rows in operator.row_blocks()]), wanted)
            if isinstance(operator, FactoredJacobian):
                factors = network.capture(INPUTS)
                torch.testing.assert_close(operator.images(v), wanted @ v)
                torch.testing.assert_close(operator.gram(factors), wanted @ wanted.T)
    assert right
    assert right[0][0] == SERVED.get(name, "forward")


@pytest.mark.parametrize("name", oddities.NETWORKS)
def test_a_refinement_is_that_of_the_dense_jacobian(name: str) -> None:
    data = problem(name)
    before = {key: value.clone() for key, value in data.model.state_dict().items()}
    inputs = data.train.inputs.clone()
    result = refine(data, max_rank=6, seed=1)
    step = result.setting.function.tangent(result.delta) if not result.setting.function.is_partial else {}
    flat = torch.cat(
        [torch.view_as_real(part).reshape(-1) if part.is_complex() else part.reshape(-1) for part in step.values()]
    )
    with torch.no_grad():
        base = copy.deepcopy(data.model)(data.test.inputs.clone())
    moved = (dense(data.model, data.test.inputs) @ flat).view_as(base)
    error = float((base + moved - data.test.targets).square().mean())
    assert result.sweep.test_mse[result.rank] == pytest.approx(error, rel=1e-8)
    assert result.summary.refined.test_mse == pytest.approx(error, rel=1e-8)
    torch.testing.assert_close(RefinedPredictor(data.model, step)(data.test.inputs).detach(), base + moved)
    torch.testing.assert_close(data.train.inputs, inputs)
    for key, value in data.model.state_dict().items():
        torch.testing.assert_close(value, before[key])


@pytest.mark.parametrize("name", ["in-place relu", "in-place silu", "in-place scale", "hook", "in-place hook"])
def test_layers_are_factored_whatever_happens_to_their_outputs(name: str) -> None:
    function = ParametricFunction.from_module(oddities.network(name), dtype=torch.float64)
    network = FactoredNetwork(function, INPUTS[:2])
    assert network.factored_share == 1
    torch.testing.assert_close(network.capture(INPUTS).rows(network), dense(oddities.network(name), INPUTS))


@pytest.mark.parametrize(
    ("name", "layer"),
    [("tied transpose", "a"), ("tied parameter", "0"), ("weight in the output", "b"), ("one layer twice", "1")],
)
def test_a_weight_with_two_uses_is_found_and_said(name: str, layer: str) -> None:
    function = ParametricFunction.from_module(oddities.network(name), dtype=torch.float64)
    network = FactoredNetwork(function, INPUTS[:2])
    assert layer not in network.layers
    assert network.why_not[layer] in (recording.TWICE, recording.AGAIN)
    left = refine(problem(name), max_rank=3).summary.routes_left
    assert any(layer in item.reason for item in left)


def test_factors_that_are_wrong_are_left_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_uses", lambda outputs, module: {})
    result = refine(problem("tied transpose"), max_rank=6)
    assert [item.route for item in result.summary.routes_left] == ["rows from layer factors"]
    assert "differ from those of plain reverse mode" in result.summary.routes_left[0].reason
    with pytest.raises(InputError, match=r"factored cannot serve this network: .*use row-blocks"):
        refine(problem("tied transpose"), max_rank=6, strategy="factored")


@pytest.mark.parametrize(
    ("name", "strategy", "reason"),
    [
        ("zeros filled", "matrix-free", "filled in place"),
        ("gru", "matrix-free", "does not go for many samples at a time"),
        ("weight norm", "row-blocks", "forward mode is not defined for weight_norm"),
        ("classic function", "row-blocks", "no setup_context"),
        ("cdist", "row-blocks", "forward mode is not defined for cdist"),
    ],
)
def test_what_was_left_is_said_in_the_words_of_the_user(name: str, strategy: str, reason: str) -> None:
    summary = refine(problem(name), max_rank=4).summary
    assert summary.strategy == strategy
    assert any(reason in item.reason for item in summary.routes_left)
    assert not any("vmap" in item.reason or "functorch" in item.reason for item in summary.routes_left)


def test_a_strategy_asked_for_by_name_is_refused_with_one_that_works() -> None:
    with pytest.raises(
        InputError,
        match=r"strategy: row-blocks cannot serve this network: .*filled in place.*; use matrix-free or auto",
    ):
        refine(problem("zeros filled"), max_rank=4, strategy="row-blocks")


def test_other_samples_are_looked_at_for_another_seed() -> None:
    inputs = twins.data(100).inputs
    drawn = [proof.few(inputs, twins.generator(seed)) for seed in (0, 0, 1)]
    torch.testing.assert_close(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
