"""Factored random directions are ordinary vectors, whichever way their images are taken."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from lsr_core import refine
from lsr_core.kinds.data.preparing import prepare
from lsr_core.kinds.operators import OperatorProblem
from lsr_core.networks import architectures, strategies
from lsr_core.networks.directions import DirectionForm, FactoredDirections, sizes_of
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import JacobianOperator, MatrixFreeJacobian
from lsr_core.networks.spectral import FNO, FNO2dArguments
from lsr_core.networks.strategies import choose_strategy
from lsr_core.problems.splits import Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.factored import build_factored
from tests.core import twins
from tests.core.test_operator_networks import inputs, network

COUNT = 11
MULTIONET = {"sensors": 6, "width": 6, "depth": 2, "activation": "tanh", "grid": {"points": 40, "low": -1.0}}


def in_layers() -> tuple[FactoredDirections, JacobianOperator]:
    model, points = twins.network(2, 5, 3), twins.data(7).inputs
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    strategy = choose_strategy(function, points[:2], 21, 3, width=5, wanted="factored")
    assert strategy.network is not None
    form, sizes = strategy.network.form, sizes_of(function, strategy.at(points), twins.generator(2))
    drawn = FactoredDirections.random(
        function.shapes, COUNT, twins.generator(1), function.theta0, form=form, sizes=sizes
    )
    return drawn, strategy.at(points)


def in_tensors(name: str) -> tuple[FactoredDirections, JacobianOperator]:
    function, points = ParametricFunction.from_module(network(name), dtype=torch.float64), inputs(name)
    jacobian = MatrixFreeJacobian(function, points, function.outputs(points).shape[1])
    sizes = sizes_of(function, jacobian, twins.generator(2))
    drawn = FactoredDirections.random(
        function.shapes, COUNT, twins.generator(1), function.theta0, form=DirectionForm(), sizes=sizes
    )
    return drawn, jacobian


def combined(directions: FactoredDirections) -> Tensor:
    """Ω, (m, p)."""
    return torch.stack([directions.combination(unit) for unit in torch.eye(COUNT, dtype=torch.float64)], dim=1)


KINDS = {
    "layers": in_layers,
    **{
        name: lambda name=name: in_tensors(name)
        for name in ("multionet", "fno-1d", "cnn-classifier", "transformer-regressor")
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_images_gram_matrix_and_combinations_are_those_of_the_vectors(kind: str) -> None:
    directions, jacobian = KINDS[kind]()
    omega = combined(directions)
    assert omega.shape == (jacobian.shape[1], COUNT)
    assert torch.linalg.matrix_rank(omega) == COUNT
    torch.testing.assert_close(directions.written(), omega)
    torch.testing.assert_close(jacobian.times(directions), jacobian.to_dense() @ omega, rtol=1e-10, atol=1e-11)
    torch.testing.assert_close(directions.gram(), omega.T @ omega, rtol=1e-11, atol=1e-11)
    weights = torch.randn(COUNT, generator=twins.generator(4), dtype=torch.float64)
    torch.testing.assert_close(directions.combination(weights), omega @ weights, rtol=1e-11, atol=1e-11)


def test_entries_have_the_sizes_of_gradients() -> None:
    """A parameter that hardly matters gets small steps: otherwise its directions drown those of the others."""
    directions, jacobian = in_tensors("multionet")
    rows = jacobian.to_dense().square().mean(0).sqrt()
    omega = combined(directions).square().mean(1).sqrt()
    function = jacobian.function
    assert isinstance(function, ParametricFunction)
    for name, where in function.columns.items():
        ratio = float(omega[where].norm() / rows[where].norm())
        # both are estimates, of a few random combinations and of a few directions
        assert 0.1 * jacobian.shape[0] ** 0.5 < ratio < 10 * jacobian.shape[0] ** 0.5, name


def operator_problem(rows: int = 12) -> OperatorProblem:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = architectures.build("multionet", MULTIONET).double()
    given = torch.randn(rows + 4, 6, generator=twins.generator(2), dtype=torch.float64)
    targets = torch.sin(given.cumsum(1) @ torch.randn(6, 40, generator=twins.generator(3), dtype=torch.float64))
    parts = (slice(rows), slice(rows, rows + 2), slice(rows + 2, None))
    train, validation, test = (Split(given[part], targets[part]) for part in parts)
    return OperatorProblem("functions", model, train, validation=validation, test=test)


class TestManyOutputsOfOnePass:
    def test_forward_mode_is_chosen_where_rows_would_cost_more(self) -> None:
        problem = operator_problem()
        function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
        chosen = choose_strategy(function, problem.train.inputs[:2], 10**6, 40, width=500)
        assert chosen.name == "factored"
        assert chosen.network is None
        assert "forward mode" in chosen.reason
        # layers that samples pass one by one are cheaper by their factors
        plain = ParametricFunction.from_module(twins.network(2, 9, 40), dtype=torch.float64)
        assert choose_strategy(plain, twins.data(2).inputs, 10**6, 40, width=500).network is not None

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
    def test_of_very_many_no_uses_are_looked_for(self, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(strategies, "COARSE", 0.0)
        monkeypatch.setattr(strategies, "uses_of", lambda function, example: pytest.fail("looked"))
        model = FNO(FNO2dArguments(grid=[16, 16], modes=[8, 8], width=6, depth=2))
        function = ParametricFunction.from_module(model, dtype=dtype)
        inputs = torch.randn(2, 256, generator=twins.generator(2)).to(dtype)
        chosen = choose_strategy(function, inputs, 10**6, 256, width=20)
        assert (chosen.name, chosen.network) == ("factored", None)
        assert chosen.pass_flops > 0

    def test_a_reachable_target_is_reached(self) -> None:
        problem = operator_problem()
        function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
        jacobian = MatrixFreeJacobian(function, problem.train.inputs, 40)
        step = torch.randn(function.n_params, 1, generator=twins.generator(6), dtype=torch.float64)
        reachable = function.outputs(problem.train.inputs) + jacobian.matmat(step).view(-1, 40)
        problem = replace(problem, train=Split(problem.train.inputs, reachable))
        result = refine(problem, max_rank=function.n_params, rank=function.n_params, strategy="factored")
        assert result.setting.strategy.pass_flops > 0
        assert result.sweep.train_mse[-1] < 1e-16 * result.sweep.train_mse[0]
        assert result.summary.refined.train_mse is not None
        assert result.summary.refined.train_mse < 1e-16 * result.sweep.train_mse[0]

    def test_every_rank_is_its_separate_solve(self) -> None:
        problem = operator_problem()
        result = refine(problem, max_rank=20, strategy="factored")
        base = (problem.model(problem.train.inputs) - problem.train.targets).detach().reshape(-1, 1)
        modes = result.subspace.modes(problem.train.inputs)
        for rank in (1, 7, 20):
            step = torch.linalg.lstsq(modes[:, :rank], -base).solution
            error = (base + modes[:, :rank] @ step).square().mean()
            assert result.sweep.train_mse[rank] == pytest.approx(float(error), rel=1e-9)

    def test_blocks_do_not_matter(self) -> None:
        setting = prepare(operator_problem(rows=30), RefineConfig(max_rank=15, strategy="factored"))
        few = replace(setting, plan=replace(setting.plan, samples=7))
        whole, streamed = (build_factored(one, lambda fraction: None) for one in (setting, few))
        torch.testing.assert_close(streamed.train.factor.abs(), whole.train.factor.abs(), rtol=1e-8, atol=1e-10)


def test_a_weight_of_one_column_moves_apart_from_the_bias_that_shares_its_rows() -> None:
    shapes = {"weight": torch.Size([3, 1]), "bias": torch.Size([3])}
    form = DirectionForm(tied={"bias": "weight"})
    drawn = FactoredDirections.random(
        shapes, 6, twins.generator(), torch.zeros(1, dtype=torch.float64), form=form, sizes=dict.fromkeys(shapes, 1.0)
    )
    assert drawn.left["bias"] is drawn.left["weight"]
    assert torch.linalg.matrix_rank(drawn.written()) == 6
