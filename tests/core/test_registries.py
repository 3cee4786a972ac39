"""Where something can be added, a toy is added in one place, goes all the way that the real ones go, and is gone again."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import Field
from torch import Tensor, nn

import lsr_core
from lsr_core.errors import InputError
from lsr_core.intake import readers, tables
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks import architectures, strategies, transforms
from lsr_core.networks.activations import ACTIVATIONS, Activation
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import JacobianOperator, PlainRowJacobian
from lsr_core.networks.jets import JetFunction
from lsr_core.networks.pointjets import JetSpec, jets_of
from lsr_core.networks.strategies import JacobianRoute, Strategy
from lsr_core.networks.uses import search
from lsr_core.portable.check import evaluate
from lsr_core.portable.deliver import deliver
from lsr_core.portable.measured import predictor_of
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.equations.definition import (
    EQUATIONS,
    PDE,
    EquationArguments,
    interior,
    registered,
)
from lsr_core.problems.physics.problem import make_problem
from lsr_core.problems.splits import Architecture
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.kinds import outline
from tests.core import oddities, twins


def test_an_activation_has_jets_goes_to_disk_and_is_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = {"layers": [2, 6, 5, 1], "activation": "toy"}
    with pytest.raises(InputError, match=r"'tanh', 'relu'.* or 'siren'"):
        architectures.build("mlp", arguments)
    monkeypatch.setitem(ACTIVATIONS, "toy", Activation(nn.functional.softsign, module=nn.Softsign))
    torch.manual_seed(0)
    model = architectures.build("mlp", arguments).double()
    function, spec = ParametricFunction.from_module(model, dtype=torch.float64), JetSpec.of((0, 0), (1, 1))
    points = twins.data(20).inputs
    jets = JetFunction(function, spec)
    assert jets.chain is not None
    wanted = jets_of(lambda x: function(function.theta0, x), points, spec)  # point by point, by autograd
    torch.testing.assert_close(jets(function.theta0, points), wanted)
    plain = nn.Sequential(nn.Linear(2, 3), nn.Softsign(), nn.Linear(3, 1)).double()
    assert JetFunction(ParametricFunction.from_module(plain, dtype=torch.float64), spec).chain is not None

    problem = replace(twins.problem(model), architecture=Architecture("mlp", arguments))
    read = lsr_core.load_problem(lsr_core.save_problem(tmp_path / "bundle", problem))
    result = lsr_core.refine(read, max_rank=8)
    checked = deliver(tmp_path / "file", read, result.delta, "pt2")
    found = evaluate(tmp_path / "file", "pt2", {"x": points})["x"]
    assert checked.difference <= 1e-12
    torch.testing.assert_close(found, predictor_of(read, result.delta, torch.float64).predict(points))


def test_an_architecture_goes_to_disk_and_is_refined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(architectures, "_REGISTRY", dict(architectures._REGISTRY))

    class ToyArguments(architectures.Arguments):
        widths: list[int] = Field(min_length=2)

        def parameter_count(self) -> int:
            return sum(before * after for before, after in pairwise(self.widths))

    @architectures.register("toy", ToyArguments)
    def toy(arguments: ToyArguments) -> nn.Module:
        layers = [nn.Linear(*widths, bias=False) for widths in pairwise(arguments.widths)]
        return nn.Sequential(layers[0], nn.Tanh(), *layers[1:])

    with pytest.raises(ValueError, match="registered already"):
        architectures.register("mlp", ToyArguments)
    arguments = {"widths": [2, 6, 1]}
    model = architectures.build("toy", arguments).double()
    problem = replace(twins.problem(model), architecture=Architecture("toy", arguments))
    read = lsr_core.load_problem(lsr_core.save_problem(tmp_path / "bundle", problem))
    result = lsr_core.refine(read, max_rank=10)
    assert result.summary.n_params == 18
    assert result.summary.refined.train_mse < result.summary.base.train_mse
    path = lsr_core.save_predictor(tmp_path / "predictor", read, result.delta, {"rank": result.rank})
    points = twins.data(9).inputs
    assert torch.equal(lsr_core.load_predictor(path)(points), predictor_of(read, result.delta, torch.float64)(points))


def test_an_equation_with_hard_conditions_goes_to_disk_and_is_refined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transforms, "_REGISTRY", dict(transforms._REGISTRY))
    monkeypatch.setitem(EQUATIONS, "toy", EQUATIONS["heat"])  # so that what is registered below goes again
    domain = {"x": (0.0, 1.0)}

    class ToyArguments(EquationArguments):
        speed: float = Field(3.0, gt=0)

    @transforms.register("toy-ends")
    class ToyEnds(transforms.HardConditions):
        def mask(self, points: Tensor) -> Tensor:
            return points * (1 - points)

    @registered("toy", ToyArguments)
    def equation(options: ToyArguments) -> PDE:
        def exact(points: Tensor) -> Tensor:
            return torch.sin(torch.pi * points)

        def residual(field: Any) -> Tensor:
            total: Tensor = options.speed * field["u_xx"] + options.speed * torch.pi**2 * torch.sin(
                torch.pi * field.x("x")
            )
            return total

        return PDE(
            name="toy", title="Toy", formula="u″ = −π² sin πx", arguments=options.model_dump(), domain=domain,
            blocks=(interior(domain, ("u_xx",), residual, options),), grid=(33,), exact=exact,
            transform=("toy-ends", {}),
        )  # fmt: skip

    pde = equations.build("toy", {"n_interior": 200, "speed": 2.0})
    arguments = {"layers": [1, 12, 1], "domain": {"x": [0, 1]}, "output": {"name": "toy-ends"}}
    model = architectures.build("pinn-mlp", arguments).double()
    assert float(model(torch.tensor([[0.0], [1.0]]).double()).detach().abs().max()) == 0.0
    problem = make_problem(pde, model, architecture=Architecture("pinn-mlp", arguments))
    read = lsr_core.load_problem(lsr_core.save_problem(tmp_path / "bundle", problem))
    summary = lsr_core.refine(read, max_rank=30).summary
    assert summary.base.test_relative_l2 > 0.1
    assert summary.refined.test_relative_l2 < 1e-4


@pytest.mark.own_process
def test_a_reader_in_a_module_of_its_own_serves_uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toy_reader.py").write_text(
        "import struct\nimport numpy as np\nfrom lsr_core.intake.arrays import ArrayInfo, checked\n\n\n"
        "def listing(path):\n    count = path.stat().st_size // 8\n"
        "    return checked([ArrayInfo('u', (count,), 'float64', 8)], path.name, path.stat().st_size)\n\n\n"
        "def read(path, names):\n    return {name: np.frombuffer(path.read_bytes(), dtype='>f8') for name in names}\n"
    )
    values = np.linspace(0, 1, 7)
    path = tmp_path / "data.toy"
    path.write_bytes(values.astype(">f8").tobytes())
    with pytest.raises(InputError, match=r"choose one of \.npz"):
        tables.listing(path)
    monkeypatch.setitem(readers.READERS, ".toy", "toy_reader")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")  # for the child
    assert [(info.name, info.shape) for info in tables.listing(path)] == [("u", (7,))]
    np.testing.assert_array_equal(tables.read(path, ["u"])["u"], values)


def test_a_route_is_tried_where_others_are_wrong_and_proves_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    model = oddities.network("zeros filled")
    problem = SupervisedProblem("p", model, *[twins.data(24, 3, 3, seed=seed) for seed in (1, 2, 3)])
    monkeypatch.setattr(search, "RULES", {})
    usual = lsr_core.refine(problem, max_rank=6)
    assert usual.summary.strategy == "matrix-free"

    def instead(first: Strategy, wanted: str) -> list[Strategy]:
        return [replace(first, name="toy", network=None, pass_flops=0.0)]

    def right(strategy: Strategy, inputs: Tensor, keep: bool) -> JacobianOperator:
        return PlainRowJacobian(strategy.function, inputs, strategy.n_outputs)

    class Twice(PlainRowJacobian):
        def rows_at(self, inputs: Tensor) -> Tensor:
            return 2 * super().rows_at(inputs)

    def wrong(strategy: Strategy, inputs: Tensor, keep: bool) -> JacobianOperator:
        return Twice(strategy.function, inputs, strategy.n_outputs)

    last = strategies.ROUTES["matrix-free"]
    monkeypatch.delitem(strategies.ROUTES, "matrix-free")
    for make, taken in ((wrong, "matrix-free"), (right, "toy")):
        with monkeypatch.context() as within:
            within.setitem(strategies.ROUTES, "toy", JacobianRoute(make, lambda _: "a toy", instead, rows=True))
            within.setitem(strategies.ROUTES, "matrix-free", last)
            result = lsr_core.refine(problem, max_rank=6)
        assert result.summary.strategy == taken
        assert any(left.route == "a toy" and "differ" in left.reason for left in result.summary.routes_left) == (
            make is wrong
        )
        assert result.summary.refined.test_mse == pytest.approx(usual.summary.refined.test_mse, rel=1e-6)


def test_an_equation_refuses_a_route_that_it_does_not_know() -> None:
    """Its rows are made through its own derivatives, and a route for data would be recorded without being taken."""
    problem = make_problem(equations.build("heat", {"n_interior": 20}), twins.network(2, 4, 1))
    config = RefineConfig(max_rank=5).model_copy(update={"strategy": "toy"})
    with pytest.raises(InputError, match="is toy, which equations do not know; use auto, row-blocks"):
        outline(problem, config)


def test_what_is_registered_here_is_gone() -> None:
    assert "toy" not in ACTIVATIONS.keys() | EQUATIONS.keys() | strategies.ROUTES.keys() | readers.READERS.keys()
    assert "toy" not in architectures.names()
    assert "toy-ends" not in transforms.names()
    assert list(strategies.ROUTES) == ["factored", "row-blocks", "matrix-free"]
