"""Many input functions in one subspace: each is refined as if it were alone."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lsr_core.errors import Cancelled, InputError
from lsr_core.iteration.config import IterateConfig
from lsr_core.iteration.loop import Iteration
from lsr_core.networks import architectures
from lsr_core.networks.deeponets import DeepONetField
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jets import JetFunction
from lsr_core.networks.pointjets import JetSpec
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.input_functions import InputArguments, SplineFunction, sensor_values
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.splits import Architecture
from lsr_core.refinement.case_batch import case_of
from lsr_core.refinement.case_records import CasesRecord, Distribution
from lsr_core.refinement.case_solve import solve_case
from lsr_core.refinement.cases import CasesSettings, refine_cases
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.refine import refine
from lsr_core.refinement.shared_modes import SharedModes
from lsr_core.storage.bundles import load_problem, save_problem
from tests.core import twins
from tests.core.test_iteration import Notes

ARGUMENTS = {"branch": [10, 8, 6], "trunk": [1, 12, 6]}


def field() -> DeepONetField:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = architectures.build("deeponet-field", ARGUMENTS)
    assert isinstance(model, DeepONetField)
    with torch.no_grad():
        model.trunk.linears[0].weight.mul_(4)  # type: ignore[operator, union-attr]
    return model.double()


@pytest.fixture(scope="module")
def operator() -> PhysicsProblem:
    equation = build("antiderivative", {"n_interior": 60, "input": {"length": 0.4}})
    model = field()
    assert equation.given is not None
    model.sensors.copy_(sensor_values(equation.given, 10)[None])
    return make_problem(equation, model, architecture=Architecture("deeponet-field", ARGUMENTS))


class TestInputFunctions:
    """The functions that operators act on."""

    x = torch.linspace(0, 1, 4001, dtype=torch.float64)

    @pytest.mark.parametrize("values", [None, [0.0, 1.0, -1.0, 0.5, 2.0]])
    def test_the_integral_is_that_of_the_values(self, values: list[float] | None) -> None:
        given = InputArguments(case=3, values=values).function()
        summed = torch.cumulative_trapezoid(given(self.x), self.x)
        torch.testing.assert_close(given.integral(self.x)[1:], summed, rtol=0, atol=1e-5)
        assert given.integral(self.x[:1]).item() == pytest.approx(0, abs=1e-12)

    def test_their_covariance_is_the_kernel(self) -> None:
        places = torch.tensor([0.1, 0.3, 0.8], dtype=torch.float64)
        drawn = torch.stack([InputArguments(stream="train", case=case).function()(places) for case in range(4000)])
        kernel = torch.exp(-((places[:, None] - places) ** 2) / (2 * 0.2**2))
        assert (torch.cov(drawn.T) - kernel).abs().max() < 5 * 4000**-0.5

    def test_streams_and_cases_are_different_functions_and_a_case_is_always_the_same(self) -> None:
        def values(**which: object) -> torch.Tensor:
            return sensor_values(InputArguments.model_validate(which).function(), 5)

        assert values(case=1).equal(values(case=1))
        others = [values(case=2), values(case=1, stream="train"), values(case=1, seed=1)]
        assert all((other - values(case=1)).abs().max() > 0.01 for other in others)

    def test_a_spline_meets_its_values_and_refuses_others(self) -> None:
        values = torch.tensor([0.0, 1.0, -1.0, 0.5], dtype=torch.float64)
        torch.testing.assert_close(sensor_values(SplineFunction(values), 4), values)
        with pytest.raises(InputError, match="NaN or infinite"):
            SplineFunction(values / 0)


@pytest.mark.parametrize("name", ["antiderivative", "diffusion-reaction"])
def test_operators_are_built_again_from_their_json(name: str) -> None:
    equation = build(name, {"input": {"case": 4, "length": 0.3}})
    again = build(name, json.loads(json.dumps(equation.arguments)))
    assert again.arguments == equation.arguments
    assert again.test((9, 5)[: len(equation.domain)]).targets.equal(
        equation.test((9, 5)[: len(equation.domain)]).targets
    )
    assert not equation.test().targets.equal(build(name).test().targets)


def test_shared_modes_are_the_jets_of_the_jacobian(operator: PhysicsProblem) -> None:
    """Against the network of one function alone, pushed along each direction of the subspace."""
    model = operator.model
    assert isinstance(model, DeepONetField)
    points = torch.rand(7, 1, generator=twins.generator(), dtype=torch.float64)
    pool = torch.randn(5, 10, generator=twins.generator(1), dtype=torch.float64)
    alone = JetFunction(ParametricFunction.from_module(model, dtype=torch.float64), JetSpec.of((0, 0)))
    shared = SharedModes(model, pool, points, alone.function, RefineConfig(oversampling=4), rank=9, pairs=40)
    spec = JetSpec.of((0, 0))
    jets, modes = shared.trunk_modes(points, spec, (0, 1, 2)).at(
        *(part[0] for part in shared.branch_modes(model.sensors))
    )
    theta = alone.function.theta0
    torch.testing.assert_close(jets, alone(theta, points)[..., 0])
    counts = (shared.branch.n_params, shared.trunk.n_params)
    basis = torch.block_diag(shared.along_branch, shared.along_trunk)[:, shared.order]
    assert basis.shape == (sum(counts), 9)
    torch.testing.assert_close(basis.T @ basis, torch.eye(9, dtype=torch.float64), atol=1e-10, rtol=0)
    for column in range(9):
        pushed = torch.func.jvp(lambda at: alone(at, points), (theta,), (basis[:, column],))[1]
        torch.testing.assert_close(modes[..., column], pushed[..., 0], rtol=1e-9, atol=1e-11)


def test_settings_of_one_refinement_are_those_of_many(operator: PhysicsProblem) -> None:
    """Precision, route and share of the parameters; the directions of half the scalars leave the others where they are."""
    usual, single, free = (
        refine_cases(operator, RefineConfig.model_validate({"rank": 20, **given}), CasesSettings(cases=2))
        for given in ({}, {"dtype": "float32"}, {"strategy": "matrix-free"})
    )
    assert [case.refined for case in free.cases] == pytest.approx([case.refined for case in usual.cases], rel=0.5)
    for one, other in zip(usual.cases, single.cases, strict=True):
        assert other.base == pytest.approx(one.base, rel=1e-5)
        assert one.residual < other.residual < 1e-3 * other.base_residual
    half = refine_cases(operator, RefineConfig(rank=20, parameter_fraction=0.5), CasesSettings(cases=2))
    assert half.n_params == usual.n_params // 2
    assert all(case.residual < 0.1 * case.base_residual for case in half.cases)
    with pytest.raises(InputError, match="not a chain of layers") as refused:
        refine_cases(operator, RefineConfig(strategy="factored"), CasesSettings(cases=1))
    assert refused.value.key == "strategy"


@dataclass(frozen=True)
class Bend:
    """The one row atan(α − 3), from whose tails a whole step leads further away."""

    network: torch.Tensor

    def linearised(self, alpha: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return (1 / (1 + (alpha - 3) ** 2))[None], torch.atan(alpha - 3)[None]

    def losses(self, alphas: torch.Tensor) -> np.ndarray:
        return torch.atan(alphas[0] - 3).square().numpy()


def test_a_step_that_raises_the_true_residual_is_halved() -> None:
    rows: Any = [Bend(torch.zeros(1, 1, dtype=torch.float64))]
    whole = 0 + 10 * math.atan(3)
    assert math.atan(whole - 3) > math.atan(3)
    found, taken = solve_case(rows, 1, 8, rcond=None, damping=0.0)
    assert 2 <= taken < 8
    assert float(found) == pytest.approx(3, abs=1e-6)


def test_every_case_improves_and_the_rank_is_chosen_without_looking_at_solutions(operator: PhysicsProblem) -> None:
    seen: list[str] = []
    record = refine_cases(
        operator,
        RefineConfig(max_rank=40),
        CasesSettings(cases=6),
        progress=lambda stage, fraction: seen.append(stage),
    )
    assert list(dict.fromkeys(seen)) == ["shared modes", "rank", "cases"]
    assert all(case.refined < 1e-2 * case.base and case.residual < 1e-2 * case.base_residual for case in record.cases)
    errors = np.array([case.refined for case in record.cases])
    assert record.refined.mean == pytest.approx(errors.mean())
    assert record.refined.max == errors.max()
    ranks, residuals = zip(*record.ranks_tried, strict=True)
    assert record.rank == ranks[int(np.argmin(residuals))]
    blind = refine_cases(
        operator.__class__(**{**vars(operator), "test": operator.redrawn(1).test}),
        RefineConfig(max_rank=40),
        CasesSettings(cases=1),
    )
    assert blind.rank == record.rank


def test_a_case_is_what_refining_it_alone_reaches(operator: PhysicsProblem) -> None:
    """All directions of both nets allow the same field; the shared subspace of full size must find it."""
    given = InputArguments(length=0.4, case=2)
    alone = refine(case_of(operator, given), rank=60, max_rank=60)
    record = refine_cases(operator, RefineConfig(rank=40), CasesSettings(cases=3))
    assert record.cases[2].base == pytest.approx(alone.summary.base.relative_l2, rel=1e-9)
    # Of the residual before, both leave what rounding leaves, which is not the same on every machine.
    assert max(record.cases[2].residual, alone.summary.residual_norm.nonlinear) < 1e-8 * record.cases[2].base_residual


def test_a_nonlinear_equation_takes_steps_that_lower_the_true_residual() -> None:
    options = {"n_interior": 80, "n_initial": 20, "n_boundary": 20, "input": {"length": 0.5}}
    equation = build("diffusion-reaction", options)
    arguments = {"branch": [10, 8, 6], "trunk": [2, 14, 6]}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = architectures.build("deeponet-field", arguments).double()
    problem = make_problem(equation, model, architecture=Architecture("deeponet-field", arguments))
    record = refine_cases(problem, RefineConfig(rank=50), CasesSettings(cases=2))
    assert all(case.refined < 0.5 * case.base for case in record.cases)
    assert all(case.residual < 0.2 * case.base_residual for case in record.cases)


def test_gauss_newton_takes_the_tail_that_one_linearisation_leaves() -> None:
    """The network solves the equation without its reaction, so that what is missing grows with the size of a function."""
    options = {"n_interior": 150, "n_initial": 20, "n_boundary": 30, "rate": 0.6, "input": {"length": 1.0}}
    equation = build("diffusion-reaction", options)
    arguments = {"branch": [8, 20], "trunk": [2, 20, 20]}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = architectures.build("deeponet-field", arguments).double()
    fit_linear_branch(model, length=1.0)
    problem = make_problem(equation, model, architecture=Architecture("deeponet-field", arguments))
    once, settled = (
        refine_cases(problem, RefineConfig(rank=60), CasesSettings(cases=24, steps=steps)) for steps in (1, 6)
    )
    assert all(after.residual <= before.residual for before, after in zip(once.cases, settled.cases, strict=True))
    gains = {name: getattr(once.refined, name) / getattr(settled.refined, name) for name in ("median", "mean", "max")}
    assert gains["median"] < gains["mean"] < gains["max"]
    assert gains["median"] < 1.2
    assert gains["max"] > 2


def fit_linear_branch(model: torch.nn.Module, length: float) -> None:
    """Weights of a branch of one layer, by least squares over a few solutions of the equation without reaction."""
    from lsr_core.problems.physics.equations import diffusion_reaction

    axes = [torch.linspace(0, 1, count, dtype=torch.float64) for count in (15, 11)]
    drawn = [InputArguments(length=length, stream="train", case=case).function() for case in range(12)]
    solutions = torch.stack([diffusion_reaction.reference(one, axes, 0.01, 0.0).flatten() for one in drawn])
    assert isinstance(model, DeepONetField)
    with torch.no_grad():
        modes = model.trunk(torch.cartesian_prod(*axes))
        wanted = torch.linalg.lstsq(modes, solutions.T, driver="gelsd").solution.T
        given = torch.stack([sensor_values(one, 8) for one in drawn])
        weights = torch.linalg.lstsq(given, wanted, driver="gelsd").solution
        model.branch.linears[0].weight.copy_(weights.T)  # type: ignore[operator, union-attr]
        model.branch.linears[0].bias.zero_()  # type: ignore[operator, union-attr]


def test_iterative_refinement_runs_on_an_operator(operator: PhysicsProblem) -> None:
    """Both nets are aligned for the one function that the network is given."""
    started = replace(operator, model=copy.deepcopy(operator.model))
    book = Notes()
    Iteration(started, IterateConfig(steps=2, align_steps=30, baselines=False), RefineConfig(max_rank=40), book).run()
    kinds = [step.kind for step in book.steps]
    assert kinds[:2] == ["start", "lsr"]
    assert "align" in kinds
    start, solved = book.steps[0].relative_l2.network, book.steps[1].relative_l2.refined
    aligned = next(step for step in book.steps if step.kind == "align").relative_l2.network
    assert start is not None
    assert solved is not None
    assert aligned is not None
    assert solved < 1e-2 * start
    assert aligned < 0.95 * start


def test_cancelling_keeps_what_is_there(operator: PhysicsProblem) -> None:
    def stop(stage: str, fraction: float) -> None:
        if stage == "cases":
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        refine_cases(operator, RefineConfig(max_rank=10), CasesSettings(cases=5), progress=stop)


def test_a_problem_without_an_input_function_is_refused() -> None:
    with pytest.raises(InputError, match="no input function"):
        refine_cases(twins.problem(twins.network(2, 3, 1)), RefineConfig())  # type: ignore[arg-type]


def test_the_operator_is_a_bundle_like_any_other(operator: PhysicsProblem, tmp_path: Path) -> None:
    loaded = load_problem(save_problem(tmp_path / "bundle", operator))
    assert isinstance(loaded, PhysicsProblem)
    first = refine_cases(operator, RefineConfig(rank=12), CasesSettings(cases=1))
    again = refine_cases(loaded, RefineConfig(rank=12), CasesSettings(cases=1))
    assert again.cases[0].refined == pytest.approx(first.cases[0].refined, rel=1e-6)
    assert CasesRecord.model_validate_json(again.model_dump_json()) == again


def test_a_distribution_of_nothing_has_no_numbers() -> None:
    assert Distribution.of([]).mean is None


def test_the_reference_of_diffusion_and_reaction_is_certified() -> None:
    """Against twice the nodes and four times the steps, and without reaction against the exact heat equation with a sine source."""
    from lsr_core.problems.physics.equations import diffusion_reaction

    given = InputArguments(case=1).function()
    axes = [torch.linspace(0, 1, 101, dtype=torch.float64)] * 2
    found = diffusion_reaction.reference(given, axes, 0.01, 0.01)
    finer = diffusion_reaction.reference(given, axes, 0.01, 0.01, nodes=128, steps=400)
    assert (found - finer).norm() / finer.norm() < 1e-8

    class Sine:
        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sin(torch.pi * x)

        def integral(self, x: torch.Tensor) -> torch.Tensor:
            raise NotImplementedError

    x, t = axes
    decay = 0.05 * torch.pi**2
    exact = torch.outer(torch.sin(torch.pi * x), -torch.expm1(-decay * t)) / decay
    torch.testing.assert_close(diffusion_reaction.reference(Sine(), axes, 0.05, 0.0)[..., 0], exact, rtol=0, atol=1e-10)
