"""Optimisers: laws on a quadratic and on a tiny equation; deadlines, divergence, new points."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from lsr_core.errors import Cancelled, InputError
from lsr_core.networks import architectures
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.physics.residuals import block_rows, residual_vector
from lsr_core.problems.residual import NormalEquations
from lsr_core.training.adam import adam
from lsr_core.training.driven import follow_residual
from lsr_core.training.lbfgs import lbfgs
from lsr_core.training.levenberg_marquardt import levenberg_marquardt
from lsr_core.training.objective import Draw, PhysicsObjective
from lsr_core.training.records import Step, Training

from .twins import generator, prescribed

Optimiser = Callable[..., Training]
ALL: list[Optimiser] = [adam, lbfgs, levenberg_marquardt]


class Rows:
    """‖Aθ − b + c (θ∘θ)‖² with the minimum 0 at θ = 1; counts what it is asked."""

    def __init__(self, curved: float = 0.0, condition: float = 10.0) -> None:
        values = torch.logspace(0, -float(torch.log10(torch.tensor(condition))), 5, dtype=torch.float64)
        self.matrix, self.curved = prescribed(12, 5, values), curved
        self.mix = prescribed(12, 5, torch.ones(5, dtype=torch.float64), seed=1)
        self.draws = self.calls = 0

    @property
    def theta0(self) -> Tensor:
        return torch.linspace(-1, 2, 5, dtype=torch.float64)

    def rows(self, theta: Tensor) -> Tensor:
        return self.matrix @ (theta - 1) + self.curved * self.mix @ (theta.square() - 1)

    def loss(self, theta: Tensor) -> Tensor:
        self.calls += 1
        return self.rows(theta).square().sum()

    def redraw(self, theta: Tensor, generator: torch.Generator) -> None:
        self.draws += 1

    def normal_equations(self, theta: Tensor) -> NormalEquations:
        jacobian = self.matrix + 2 * self.curved * self.mix * theta
        rows = self.rows(theta)
        return NormalEquations(jacobian.T @ jacobian, jacobian.T @ rows, float(rows.square().sum()))


class Cliff(Rows):
    """Infinite a little away from where it begins."""

    def loss(self, theta: Tensor) -> Tensor:
        far = (theta - self.theta0).norm() > 1e-2
        return super().loss(theta) * (torch.inf if bool(far) else 1.0)


def tiny(name: str = "poisson", constraints: str = "hard", n: int = 60, width: int = 6) -> PhysicsProblem:
    options = {"constraints": constraints, "n_interior": n, "n_initial": 20, "n_boundary": 20}
    equation = equations.build(name, options)
    transform = equation.transform
    output = None if transform is None else {"name": transform[0], "arguments": dict(transform[1])}
    domain = {key: list(bounds) for key, bounds in equation.domain.items()}
    model = architectures.build("pinn-mlp", {"layers": [2, width, width, 1], "domain": domain, "output": output})
    return make_problem(equation, model.double().eval())


@pytest.mark.parametrize("optimiser", ALL)
def test_the_minimum_is_found(optimiser: Optimiser) -> None:
    objective = Rows(curved=0.05)
    settings: dict[str, Any] = {"steps": 2000, "lr": 2e-2} if optimiser is adam else {"steps": 60, "redraw_every": None}
    found = optimiser(objective, **settings)
    assert float((found.theta - 1).abs().max()) < (1e-3 if optimiser is adam else 1e-6)
    assert len(found.sentence) > 20
    assert not found.theta.requires_grad


@pytest.mark.parametrize("optimiser", ALL)
def test_the_best_weights_are_kept_and_the_records_count_up(optimiser: Optimiser) -> None:
    objective = Rows(curved=0.5)
    seen: list[Step] = []
    found = optimiser(objective, steps=30, redraw_every=None, on_step=seen.append, **rate(optimiser, 0.3))
    losses = [float(objective.loss(objective.theta0)), *(step.loss for step in found.steps)]
    assert float(objective.loss(found.theta)) <= min(losses) * (1 + 1e-12)
    assert seen == found.steps
    assert [step.index for step in seen] == list(range(1, len(seen) + 1))
    assert all(before.seconds <= after.seconds for before, after in itertools.pairwise(seen))


@pytest.mark.parametrize("optimiser", [lbfgs, levenberg_marquardt])
def test_losses_never_rise_on_the_same_points(optimiser: Optimiser) -> None:
    found = optimiser(Rows(curved=0.3, condition=1e4), steps=40, redraw_every=None)
    losses = [step.loss for step in found.steps if step.accepted]
    assert len(losses) > 3
    assert all(after < before for before, after in itertools.pairwise(losses))


def test_a_linear_problem_takes_lm_one_undamped_step() -> None:
    objective = Rows()
    found = levenberg_marquardt(objective, steps=1, redraw_every=None, damping=1e-14)
    torch.testing.assert_close(found.theta, torch.ones(5, dtype=torch.float64), rtol=0, atol=1e-9)


def test_lm_stops_where_nothing_is_left() -> None:
    found = levenberg_marquardt(Rows(), steps=100, redraw_every=None)
    assert found.reason in ("converged", "stalled")
    assert len(found.steps) < 60


def test_lbfgs_evaluates_a_place_once() -> None:
    """torch's own would evaluate anew at the beginning of every step."""
    objective = Rows(curved=0.05)
    found = lbfgs(objective, steps=8)
    assert objective.calls < 2 * len(found.steps) + 4


def test_lbfgs_is_torchs_own() -> None:
    objective = Rows(curved=0.05, condition=30.0)
    found = lbfgs(objective, steps=6)
    theta = objective.theta0.clone().requires_grad_()
    plain = torch.optim.LBFGS([theta], max_iter=6, max_eval=1000, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        plain.zero_grad()
        loss = objective.loss(theta)
        loss.backward()
        return loss

    plain.step(closure)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(found.theta, theta.detach(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimiser", ALL)
def test_points_are_drawn_first_and_then_every_few_steps(optimiser: Optimiser) -> None:
    objective = Rows(curved=0.05, condition=1e3)
    found = optimiser(objective, steps=7, redraw_every=3, generator=generator(), **rate(optimiser, 1e-3))
    assert objective.draws == 3
    assert [step.redrawn for step in found.steps] == [False, False, False, True, False, False, True]


@pytest.mark.parametrize("optimiser", ALL)
def test_the_deadline_is_honoured(optimiser: Optimiser) -> None:
    found = optimiser(Rows(), steps=10**6, seconds=1e-9, redraw_every=None)
    assert found.reason == "deadline"
    assert found.steps == []
    assert torch.equal(found.theta, Rows().theta0)
    with pytest.raises(InputError, match="positive"):
        optimiser(Rows(), seconds=0.0)


def test_divergence_keeps_the_best_weights() -> None:
    objective = Cliff()
    found = adam(objective, steps=200, lr=3e-3)
    assert found.reason == "diverged"
    assert "best weights" in found.sentence
    assert float(objective.loss(found.theta)) <= float(objective.loss(objective.theta0))


def test_lm_shortens_its_step_before_a_cliff() -> None:
    objective = Cliff()
    found = levenberg_marquardt(objective, steps=3, redraw_every=None)
    assert float(objective.loss(found.theta)) < float(objective.loss(objective.theta0))


def test_lbfgs_shortens_its_step_before_a_cliff() -> None:
    objective = Cliff()
    found = lbfgs(objective, steps=3)
    assert float(objective.loss(found.theta)) < float(objective.loss(objective.theta0))


@pytest.mark.parametrize("optimiser", ALL)
def test_the_caller_can_stop_it(optimiser: Optimiser) -> None:
    def stop(step: Step) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        optimiser(Rows(), steps=5, on_step=stop)


def test_a_loss_that_is_not_finite_is_refused() -> None:
    objective = Rows()
    for optimiser in ALL:
        with pytest.raises(InputError, match="NaN or infinite"):
            optimiser(objective, torch.full((5,), torch.nan, dtype=torch.float64))


class TestPhysics:
    @pytest.mark.parametrize(("name", "constraints"), [("poisson", "hard"), ("burgers", "soft")])
    def test_the_loss_is_that_of_the_rows_and_its_slope_the_gradient(self, name: str, constraints: str) -> None:
        problem = tiny(name, constraints)
        objective = PhysicsObjective(problem)
        theta = objective.theta0.clone().requires_grad_()
        loss = objective.loss(theta)
        rows = residual_vector(block_rows(problem, objective.function))
        torch.testing.assert_close(loss.detach(), rows.square().sum())
        loss.backward()
        system = objective.normal_equations(objective.theta0)
        assert theta.grad is not None
        torch.testing.assert_close(theta.grad, 2 * system.gradient, rtol=1e-9, atol=1e-9 * float(theta.grad.norm()))
        assert system.loss == pytest.approx(float(loss.detach()))

    def test_normal_equations_are_those_of_the_dense_jacobian(self) -> None:
        problem = tiny("burgers", "soft")
        objective = PhysicsObjective(problem)
        at = objective.theta0 + 0.1 * torch.randn(len(objective.theta0), generator=generator(), dtype=torch.float64)

        def rows(theta: Tensor) -> Tensor:
            parts = block_rows(problem, objective.function, check=False)
            return torch.cat([part.residual.fixed(part.points)(theta).reshape(-1) for part in parts])

        dense = torch.autograd.functional.jacobian(rows, at)
        system = objective.normal_equations(at)
        torch.testing.assert_close(system.matrix, dense.T @ dense, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(system.gradient, dense.T @ rows(at).detach(), rtol=1e-9, atol=1e-9)

    def test_lm_goes_further_than_the_gradient_methods(self) -> None:
        problem = tiny(n=150, width=8)
        start = float(PhysicsObjective(problem).loss(PhysicsObjective(problem).theta0))
        ends = {
            optimiser.__name__: optimiser(PhysicsObjective(problem), steps=steps, redraw_every=None).loss
            for optimiser, steps in ((adam, 40), (lbfgs, 20), (levenberg_marquardt, 30))
        }
        assert ends["levenberg_marquardt"] < 0.2 * ends["lbfgs"] < ends["adam"] < start

    def test_points_follow_the_residual_and_stay_in_the_window(self) -> None:
        problem = tiny("poisson", "soft", n=400)
        objective = PhysicsObjective(problem, Draw({"interior": 300}, driven=0.5, window={"x": (0.5, 0.75)}))
        objective.redraw(objective.theta0, generator())
        points = objective.points["interior"]
        assert points.shape == (300, 2)
        assert bool(((points[:, 0] >= 0.5) & (points[:, 0] <= 0.75)).all())
        assert len(objective.points["boundary"]) == 20
        size = block_rows(problem, objective.function)[0].residual.outputs(points).abs().mean(dim=1)
        assert float(size[150:].mean()) > 1.2 * float(size[:150].mean())

    def test_points_of_a_trained_network_follow_its_residual(self) -> None:
        problem = tiny("poisson", "soft", n=400)
        driven = follow_residual(problem)
        assert {name: points.shape for name, points in driven.points.items()} == {
            name: points.shape for name, points in problem.points.items()
        }
        function = PhysicsObjective(problem).function
        size = [
            float(block_rows(problem, function, where)[0].residual.outputs(where["interior"]).abs().mean())
            for where in (problem.points, driven.points, driven.fresh)
        ]
        assert min(size[1:]) > 1.1 * size[0]
        assert not bool((driven.points["interior"][:, None] == driven.fresh["interior"]).all(dim=2).any())
        again = follow_residual(problem)
        assert torch.equal(again.points["interior"], driven.points["interior"])
        assert not torch.equal(follow_residual(problem, seed=5).points["interior"], driven.points["interior"])

    def test_trained_weights_reach_the_problem(self) -> None:
        problem = tiny()
        objective = PhysicsObjective(problem)
        found = levenberg_marquardt(objective, steps=3, redraw_every=None)
        trained = objective.trained(found.theta)
        again = PhysicsObjective(trained)
        torch.testing.assert_close(again.theta0, found.theta)
        assert float(again.loss(again.theta0)) < float(objective.loss(objective.theta0))
        assert not torch.equal(PhysicsObjective(problem).theta0, found.theta)

    def test_bad_draws_are_refused(self) -> None:
        with pytest.raises(InputError, match=r"\[0, 1\]"):
            Draw(driven=1.5)


def rate(optimiser: Optimiser, lr: float) -> dict[str, float]:
    return {"lr": lr} if optimiser is adam else {}
