"""Damping on every way to a solution: ridge regression on Δθ, and a smaller error where data are noisy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import jacrev

from lsr_core.iteration.solve import solve
from lsr_core.kinds.classes.problem import ClassificationProblem, one_hot
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.linalg.ridge import weights_of
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Split
from lsr_core.refinement import cases
from lsr_core.refinement.case_batch import CaseBatch
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from tests.core import twins
from tests.core.test_cases import operator  # noqa: F401
from tests.core.test_physics import dense as dense_physics
from tests.core.test_physics import make

DAMPING = 0.03


def data() -> SupervisedProblem:
    return twins.problem(twins.network(2, 12, 12, 2), n_outputs=2)


def classes() -> ClassificationProblem:
    splits = []
    for seed in (1, 2, 3):
        inputs = twins.data(50, seed=seed).inputs
        splits.append(Split(inputs, one_hot((3 * (inputs[:, 0] + 1) / 2).long().clamp(max=2), 3)))
    return ClassificationProblem("bands", twins.network(2, 9, 3), *splits)


def physics() -> PhysicsProblem:
    return make(twins.network(2, 6, 5, 2))


def dense(found: Refinement) -> tuple[Tensor, Tensor, Tensor]:
    """f, G and an orthonormal V written out."""
    setting = found.setting
    eye = torch.eye(found.subspace.rank, dtype=torch.float64)
    basis = found.subspace.delta(eye) / found.subspace.scale
    if isinstance(found.problem, PhysicsProblem):
        f, g, _ = dense_physics(found)
        return f, g, basis
    inputs = setting.train.inputs
    jacobian = jacrev(lambda theta: setting.function(theta, inputs).reshape(-1))(setting.function.theta0)
    return setting.errors() * setting.weight, jacobian * setting.weight, basis


def ridge(matrix: Tensor, rhs: Tensor, parameter: float) -> Tensor:
    """argmin ‖A c + b‖² + λ²‖c‖² by an SVD."""
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    solution: Tensor = -right.T @ (values / (values**2 + parameter**2) * (left.T @ rhs))
    return solution


@pytest.mark.parametrize(
    ("make_problem", "settings"),
    [
        (data, {"strategy": "row-blocks"}),
        (data, {"strategy": "matrix-free"}),
        (data, {"strategy": "factored"}),
        (data, {"strategy": "row-blocks", "scaling": "singular-values"}),
        (classes, {}),
        (classes, {"linearised": "probabilities"}),
        (physics, {}),
        (physics, {"strategy": "factored"}),
        (physics, {"scaling": "singular-values"}),
    ],
)
def test_every_rank_is_the_dense_ridge_solution(make_problem: Callable[[], Problem], settings: dict[str, Any]) -> None:
    found = refine(make_problem(), max_rank=14, damping=DAMPING, **settings)
    f, g, basis = dense(found)
    reduced = g @ basis
    torch.testing.assert_close(basis.T @ basis, torch.eye(14).double(), rtol=0, atol=1e-10)
    parameter = DAMPING * float(torch.linalg.svdvals(reduced)[0])
    assert found.sweep.solved.all()
    for rank in range(15):
        twin = ridge(reduced[:, :rank], f, parameter)
        torch.testing.assert_close(found.delta_at(rank), basis[:, :rank] @ twin, rtol=1e-6, atol=1e-9)
        assert found.sweep.delta_norm[rank] == pytest.approx(float(twin.norm()), rel=1e-6, abs=1e-12)
        if rank:
            loss = float((f + reduced[:, :rank] @ twin).norm()) ** 2
            assert found.sweep.train_mse[rank] == pytest.approx(loss, rel=1e-6)
    undamped = refine(found.problem, max_rank=14, **settings)
    assert found.sweep.delta_norm[14] < 0.9 * undamped.sweep.delta_norm[14]


def test_a_solve_of_an_iteration_is_the_same() -> None:
    config = RefineConfig(max_rank=14, rank=14, damping=DAMPING)
    torch.testing.assert_close(solve(physics(), config, lambda _: None).delta, refine(physics(), config).delta)


def test_cases_are_ridge_solutions(operator: PhysicsProblem) -> None:  # noqa: F811
    """A linear equation: one step from the network."""
    config = RefineConfig(rank=20, damping=DAMPING)
    problem, given = cases.input_of(operator)
    batch = CaseBatch(problem, given, config, lambda done: None)
    blocks = batch._rows(batch._case("test", 0), batch._fitted)
    parts = [block.linearised(block.network.new_zeros(20)) for block in blocks]
    slopes, rows = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])[:, 0]
    found, taken = batch._solve(blocks, 20, 3)
    assert taken == 1
    parameter = float(weights_of(slopes, DAMPING)[0])
    assert parameter == pytest.approx(DAMPING * float(torch.linalg.svdvals(slopes)[0]))
    torch.testing.assert_close(found, ridge(slopes[:, :20], rows, parameter), rtol=1e-6, atol=1e-9)


def noisy() -> SupervisedProblem:
    """Fewer noisy samples than directions: the plain solution meets the noise."""
    draw = twins.generator(5)
    inputs = 2 * torch.rand(60, 1, generator=draw, dtype=torch.float64) - 1
    targets = torch.sin(3 * inputs) + 0.5 * torch.randn(60, 1, generator=draw, dtype=torch.float64)
    clean = torch.linspace(-1, 1, 400, dtype=torch.float64)[:, None]
    model: nn.Module = twins.network(1, 20, 20, 1)
    return SupervisedProblem("noisy", model, Split(inputs, targets), None, Split(clean, torch.sin(3 * clean)))


@pytest.mark.parametrize("strategy", ["row-blocks", "factored"])
def test_it_regularises(strategy: str) -> None:
    """The more, the shorter Δθ; and far from the noise the error of the largest rank falls by orders of magnitude."""
    sweeps = [
        refine(noisy(), max_rank=50, rank=50, strategy=strategy, damping=damping).sweep for damping in (0.0, 1e-4, 1e-2)
    ]
    norms = [sweep.delta_norm[50] for sweep in sweeps]
    errors = [sweep.test_mse[50] for sweep in sweeps]
    assert norms[0] > 10 * norms[1] > 10 * norms[2]
    assert errors[0] > 10 * errors[2]
    assert sweeps[0].train_mse[50] < sweeps[1].train_mse[50] < sweeps[2].train_mse[50]


def test_no_split_of_the_targets_changes_the_scale_of_it() -> None:
    """λ is relative to the largest singular value: targets in other units give the same solution in other units."""
    problem = data()
    once = refine(problem, max_rank=14, rank=14, damping=DAMPING, strategy="row-blocks")
    doubled = replace(
        problem,
        train=Split(problem.train.inputs, 2 * problem.train.targets - problem.model(problem.train.inputs).detach()),
    )
    twice = refine(doubled, max_rank=14, rank=14, damping=DAMPING, strategy="row-blocks")
    torch.testing.assert_close(twice.delta, 2 * once.delta, rtol=1e-8, atol=1e-10)
