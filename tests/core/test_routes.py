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
from lsr_core.networks import proof
from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.factored import FactoredJacobian
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import RowJacobian
from lsr_core.networks.pushes import WAYS
from lsr_core.networks.routes import in_order
from lsr_core.networks.strategies import Strategy
from lsr_core.networks.uses import rules, search
from lsr_core.networks.uses.factors import Factors
from lsr_core.networks.uses.network import UsedNetwork
from tests.core import oddities, twins

INPUTS = twins.data(9, 3).inputs
# The way that serves a network at the latest; newer versions of PyTorch have rules for more.
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
    network = UsedNetwork(function, INPUTS[:2])
    right = []
    for way in WAYS:
        here = function.by(way)
        start = (
            Strategy("factored", "", here, n_outputs, network)
            if network.names
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
                drawn = FactoredDirections.random(
                    function.shapes, 5, twins.generator(), function.theta0, form=network.form
                )
                torch.testing.assert_close(operator.times(drawn), wanted @ drawn.written())
    assert right
    assert WAYS.index(right[0][0]) <= WAYS.index(SERVED.get(name, "forward"))


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
    network = UsedNetwork(function, INPUTS[:2])
    assert network.share == 1
    wanted = dense(oddities.network(name), INPUTS)
    operator = FactoredJacobian(function, INPUTS, len(wanted) // len(INPUTS), network=network)
    torch.testing.assert_close(operator.rows_at(INPUTS), wanted)


@pytest.mark.parametrize("name", ["tied transpose", "tied parameter", "one layer twice", "one layer in a loop"])
def test_a_weight_with_several_uses_has_the_sum_of_them(name: str) -> None:
    function = ParametricFunction.from_module(oddities.network(name), dtype=torch.float64)
    network = UsedNetwork(function, INPUTS[:2])
    assert network.why_not == {}
    wanted = dense(oddities.network(name), INPUTS)
    operator = FactoredJacobian(function, INPUTS, len(wanted) // len(INPUTS), network=network)
    torch.testing.assert_close(operator.rows_at(INPUTS), wanted)


@pytest.mark.parametrize("name", ["zeros filled", "gru"])
def test_uses_have_rows_where_many_samples_at_a_time_have_none(name: str) -> None:
    summary = refine(problem(name), max_rank=4).summary
    assert summary.strategy == "row-blocks"
    assert not summary.routes_left


def test_what_is_calculated_with_a_weight_before_samples_come_in_is_said() -> None:
    function = ParametricFunction.from_module(oddities.network("weight in the output"), dtype=torch.float64)
    network = UsedNetwork(function, INPUTS[:2])
    assert network.rest == ["b.weight"]
    assert "VectorNorm" in network.why_not["b.weight"]


def test_a_rule_that_is_wrong_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(site: rules.Site) -> rules.Use:
        return rules.product(site, 2 * site.saved("mat1"), right=True)

    monkeypatch.setitem(rules.RULES["AddmmBackward0"], 2, doubled)
    result = refine(problem("tied transpose"), max_rank=6)
    assert [item.route for item in result.summary.routes_left] == ["rows from the uses of parameters"]
    assert "differ from those of plain reverse mode" in result.summary.routes_left[0].reason


def test_uses_that_are_wrong_later_are_left_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a rule serves the samples that were looked at and not those of the proof."""
    right = Factors.add_images, Factors.write_rows

    def images(self: Factors, directions: FactoredDirections, out: Tensor) -> None:
        right[0](self, directions, out.mul_(2))
        out.mul_(2)

    def rows(self: Factors, function: ParametricFunction, out: Tensor) -> None:
        right[1](self, function, out)
        out.mul_(2)

    monkeypatch.setattr(Factors, "add_images", images)
    monkeypatch.setattr(Factors, "write_rows", rows)
    result = refine(problem("tied transpose"), max_rank=6)
    assert [item.route for item in result.summary.routes_left] == ["rows from the uses of parameters"]
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
def test_what_was_left_is_said_in_the_words_of_the_user(
    monkeypatch: pytest.MonkeyPatch, name: str, strategy: str, reason: str
) -> None:
    if strategy == "matrix-free":  # uses have rows without asking for many samples at a time
        monkeypatch.setattr(search, "RULES", {})
    summary = refine(problem(name), max_rank=4).summary
    assert summary.strategy == strategy
    assert any(reason in item.reason for item in summary.routes_left)
    assert not any("vmap" in item.reason or "functorch" in item.reason for item in summary.routes_left)


def test_a_strategy_asked_for_by_name_is_refused_with_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "RULES", {})
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
