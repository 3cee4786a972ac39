"""Gauss-Newton in the response space: laws, a dense twin, and what it refuses."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import jacrev, jvp

from lsr_core.errors import Cancelled, InputError
from lsr_core.jobs.queue import create
from lsr_core.jobs.rebuild import delta_at
from lsr_core.jobs.worker import execute
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.linalg.damped import damped_step, truncated_solutions
from lsr_core.networks import architectures
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.blocks import ResidualBlock, dirichlet
from lsr_core.problems.physics.fields import Field
from lsr_core.problems.physics.problem import PhysicsProblem, draw_points, make_problem
from lsr_core.problems.physics.residuals import block_rows, residual_vector
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.problems.splits import Architecture, Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.descent import Advance
from lsr_core.refinement.gauss_newton import DAMPINGS, PATIENCE, GaussNewton, _best, _ending, _Steps, gauss_newton
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.response import FieldRows
from lsr_core.refinement.response_model import ResponseModel, State
from lsr_core.refinement.summary import Summary
from lsr_core.storage.bundles import save_problem
from lsr_core.storage.runs import RunStore
from lsr_core.validation import checked

from .twins import generator, network

DOMAIN = {"x": (0.0, 1.0)}
RATE = 2.0


def interval(count: int, draw: torch.Generator) -> Tensor:
    return torch.rand(count, 1, generator=draw, dtype=torch.float64)


def left(count: int, draw: torch.Generator) -> Tensor:
    return torch.zeros(count, 1, dtype=torch.float64)


def logistic(field: Field) -> Tensor:
    """u' = 2 u (1 − u), solved by 1/(1 + e^{−2x})."""
    return field["u_x"] - RATE * field["u"] * (1 - field["u"])


def mild(field: Field) -> Tensor:
    """Slow growth: Gauss-Newton needs no damping from any start."""
    return field["u_x"] - 0.3 * field["u"] * (1 - field["u"])


def decay(field: Field) -> Tensor:
    """The linear u' + 2 u = 2, with the solution 1 − e^{−2x}/2."""
    return field["u_x"] + RATE * field["u"] - RATE


SOLUTIONS: dict[Callable[[Field], Tensor], Callable[[Tensor], Tensor]] = {
    logistic: lambda x: 1 / (1 + torch.exp(-RATE * x)),
    decay: lambda x: 1 - 0.5 * torch.exp(-RATE * x),
}


def make(residual: Callable[[Field], Tensor], width: int = 5, *, count: int = 60, scale: float = 1.0) -> PhysicsProblem:
    """u(0) = 1/2 and an equation for u' on [0, 1]; an untrained network, its weights multiplied by `scale`."""
    model = network(1, width, 1, seed=1)
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(scale)
    blocks = (
        ResidualBlock("interior", ("u_x",), residual, interval, count),
        dirichlet("start", lambda points: torch.full_like(points[:, 0], 0.5), left, 3, weight=3.0),
    )
    points, fresh = draw_points(blocks, 0)
    inputs = torch.linspace(0, 1, 33, dtype=torch.float64)[:, None]
    exact = SOLUTIONS.get(residual, SOLUTIONS[logistic])
    return PhysicsProblem(
        "tiny", model, "none", {}, DOMAIN, ("u",), blocks, points=points, fresh=fresh, test=Split(inputs, exact(inputs))
    )


@lru_cache(maxsize=1)
def refined() -> Refinement:
    return refine(make(logistic))


@lru_cache(maxsize=1)
def stepped() -> GaussNewton:
    return gauss_newton(refined(), 12)


class TestLaws:
    def test_the_true_residual_never_rises(self) -> None:
        records = stepped().records
        assert len(records) > 2
        for before, after in itertools.pairwise(records):
            assert after.fitted_residual <= before.fitted_residual
            assert after.fresh_residual <= before.fresh_residual

    def test_it_gains_what_one_solve_cannot(self) -> None:
        norms, last = refined().summary.residual_norm, stepped().records[-1]
        assert norms.nonlinear is not None
        assert last.fitted_residual < 1e-3 * norms.nonlinear
        assert last.relative_l2 is not None
        assert last.relative_l2 < 1e-2 * (refined().summary.refined.relative_l2 or 0.0)

    def test_the_records_are_about_the_predictor(self) -> None:
        result, problem = gauss_newton(refined(), 3), refined().problem
        assert isinstance(problem, PhysicsProblem)
        error = result.predictor.predict(problem.test.inputs) - problem.test.targets  # type: ignore[union-attr]
        relative = float(error.norm() / problem.test.targets.norm())  # type: ignore[union-attr]
        assert result.records[-1].relative_l2 == pytest.approx(relative, rel=1e-6)

    def test_linear_problem_stops_after_one_step_with_the_one_shot_result(self) -> None:
        refinement = refine(make(decay), max_rank=5)
        assert (refinement.summary.condition_number or math.inf) <= 1e4
        result = gauss_newton(refinement, 9)
        assert "not converged" not in result.sentence
        assert len(result.records) == 2
        assert result.rank == refinement.rank
        gap = (result.delta - refinement.delta).norm() / refinement.delta.norm()
        assert float(gap) <= 1e-10

    @pytest.mark.parametrize("scale", [5.0, 30.0])
    def test_never_worse_than_a_hopeless_base(self, scale: float) -> None:
        refinement = refine(make(logistic, scale=scale))
        norms = refinement.summary.residual_norm
        result = gauss_newton(refinement, 6)
        first, last = result.records[0], result.records[-1]
        assert norms.base is not None
        assert norms.fresh_base is not None
        assert first.fitted_residual <= norms.base * (1 + 1e-12)
        assert last.fitted_residual < 0.1 * first.fitted_residual
        assert last.fresh_residual <= norms.fresh_base * (1 + 1e-12)

    def test_modes_made_again_at_each_pass_give_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from lsr_core.refinement import response_model as module

        monkeypatch.setattr(module, "budget_of", lambda config: 0)
        again = gauss_newton(refined(), 3)
        for one, other in zip(stepped().records, again.records, strict=False):
            assert one.fitted_residual == pytest.approx(other.fitted_residual, rel=1e-6)


def hunters() -> PhysicsProblem:
    """Lotka-Volterra in its own units, over more periods than the network can follow: the linear model asks for steps of length 1e16."""
    equation = {"points": 200}
    arguments = {
        "inputs": {"t": [0, 10]},
        "outputs": ["r", "p"],
        "equations": [
            equation | {"equation": "r_t = 2*r - 0.04*r*p"},
            equation | {"equation": "p_t = 0.02*r*p - 1.06*p"},
        ],
        "conditions": [
            {"where": "t = 0", "equation": "r = 100", "points": 1},
            {"where": "t = 0", "equation": "p = 15", "points": 1},
        ],
    }
    return problem_of(checked(TypedArguments, arguments), checked(StartingNetwork, {"widths": [20, 20]}))


class TestFewPoints:
    def test_a_step_that_raises_the_residual_at_fresh_points_is_no_step(self) -> None:
        """Three points in the interior can be met by fields that are worse between them."""
        problem = make(logistic, count=3, scale=3.0)
        dense = torch.linspace(0, 1, 40, dtype=torch.float64)[:, None]
        refinement = refine(replace(problem, fresh={**problem.fresh, "interior": dense}))
        setting = refinement.setting
        assert isinstance(setting, PhysicsSetting)
        model, size = ResponseModel(setting, refinement.subspace), refinement.subspace.rank
        start = model.states(torch.zeros(size, 1, dtype=torch.float64), [0])[0]
        ranks = list(range(1, size + 1))
        tried = model.states(truncated_solutions(model.factor(start.alpha), start.alpha, ranks), ranks)
        worse = [state for state in tried if state.fitted < start.fitted and state.fresh > start.fresh]
        assert worse
        assert _best(model, worse, start) is None
        result = gauss_newton(refinement, 6)
        for before, after in itertools.pairwise(result.records):
            assert after.fresh_residual <= before.fresh_residual


class TestDelivery:
    @pytest.mark.parametrize("max_rank", [pytest.param(None, marks=pytest.mark.slow), 120])
    def test_the_predictor_has_the_residual_that_the_table_says(self, max_rank: int | None) -> None:
        problem = hunters()
        refinement = refine(problem, gauss_newton=6, max_rank=max_rank)
        summary, last = refinement.summary, refinement.summary.gauss_newton[-1]
        assert summary.residual_norm.nonlinear == pytest.approx(last.fitted_residual, rel=1e-3)
        assert summary.residual_norm.fresh_nonlinear == pytest.approx(last.fresh_residual, rel=1e-3)
        assert last.fitted_residual < 10
        times = problem.fresh["interior"]
        field, slope = jvp(refinement.predictor, (times,), (torch.ones_like(times),))
        prey, hunter = field.unbind(1)
        residual = slope[:, 0] - 2 * prey + 0.04 * prey * hunter
        assert float(residual.square().mean().sqrt()) <= 1.2 * last.fresh_residual
        assert "rounding would have spoilt" in " ".join(summary.notes)


class TestEndings:
    def test_a_step_that_gains_little_is_no_end_while_a_slope_is_left(self) -> None:
        for still in (0, 1, PATIENCE - 1):
            assert _ending(advance(0.999, promised=0.01), still) is None

    def test_no_slope_or_no_movement_of_any_length_is_an_end(self) -> None:
        assert "promises no more" in (_ending(advance(0.999, promised=0.999), 0) or "")
        assert "hardly moved" in (_ending(advance(1 - 1e-9, promised=0.01), PATIENCE) or "")

    def test_it_goes_on_through_a_plain_to_the_valley_behind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        refinement, plain = refined(), _Steps.__call__
        calls = []

        def slow(steps: _Steps, state: State) -> tuple[State | None, float]:
            """The first six steps gain half a percent each and promise much."""
            calls.append(state)
            if len(calls) > 6:
                return plain(steps, state)
            return replace(state, fitted=0.99 * state.fitted, fresh=0.99 * state.fresh), 0.0

        monkeypatch.setattr(_Steps, "__call__", slow)
        records = gauss_newton(refinement, 15).records
        assert records[6].fresh_residual > 0.9 * records[0].fresh_residual
        assert records[-1].fresh_residual < 1e-2 * records[0].fresh_residual

    def test_of_all_lengths_of_a_step_the_best_is_taken(self) -> None:
        """The least damped step that gains anything may gain next to nothing."""
        refinement = refine(make(logistic, scale=20.0))
        setting = refinement.setting
        assert isinstance(setting, PhysicsSetting)
        model, size = ResponseModel(setting, refinement.subspace), refinement.subspace.rank
        start = model.states(torch.zeros(size, 1, dtype=torch.float64), [0])[0]
        found, _ = _Steps(model, [size])(start)
        factor = model.factor(start.alpha)
        steps = torch.stack([damped_step(factor, damping)[0] for damping in DAMPINGS], dim=1)
        tried = [state for state in model.states(steps, [size] * len(DAMPINGS)) if state.improves(start)]
        assert found is not None
        assert max(state.fresh for state in tried) > 4 * found.fresh
        assert found.fresh <= 1.03 * min(state.fresh for state in tried)

    def test_a_field_that_does_not_solve_the_equation_is_called_so(self) -> None:
        def steep(field: Field) -> Tensor:
            return field["u_x"] - 20 * field["u"] * (1 - field["u"]) * (2 - field["u"])

        assert "The residual is large: at fresh points" in gauss_newton(refine(make(steep)), 3).sentence
        assert "not solved" not in stepped().sentence

    def test_zero_is_not_called_large_beside_terms_that_are_zero_too(self) -> None:
        """What is left of u''/100 + u - u³ = 0 between zeros is rounding, and so are its terms."""
        arguments = {
            "inputs": {"x": [0, 1]},
            "equations": [{"equation": "0.01*u_xx + u - u^3 = 0", "points": 150}],
            "conditions": [{"where": "x = 0, x = 1", "equation": "u = 0", "points": 4}],
        }
        zero = problem_of(checked(TypedArguments, arguments), StartingNetwork(widths=[32, 32]))
        found = gauss_newton(refine(zero), 20)
        assert found.records[-1].fresh_residual < 1e-12
        assert "residual is large" not in found.sentence


def advance(left: float, *, promised: float) -> Advance[State]:
    """A step that leaves so much of a residual of one, beside what the linear model promises; both are of residuals."""
    alpha = torch.zeros(2, dtype=torch.float64)
    return Advance(State(alpha, 1, 1.0, 1.0), State(alpha, 1, left**2, left**2), promised**2)


class TestTwin:
    def test_equals_a_dense_gauss_newton(self) -> None:
        """At a fixed rank without damping each step is the least-squares solution of the dense linearisation."""
        refinement = refine(make(mild), rank=4, max_rank=4)
        records = gauss_newton(refinement, 3).records
        problem, function = refinement.problem, refinement.setting.function
        assert isinstance(problem, PhysicsProblem)
        directions = refinement.subspace.delta(torch.eye(4, dtype=torch.float64))
        read = [(part, part.residual.components()) for part in block_rows(problem, function)]
        fields = [(part, value.outputs(part.points), value) for part, value in read]
        modes = [
            value.at(part.points, start.shape[1], "matrix-free").matmat(directions) for part, start, value in fields
        ]

        def rows(alpha: Tensor) -> Tensor:
            parts = [
                part.residual.of_components(part.points, start + (phi @ alpha).view_as(start)).reshape(-1)
                for (part, start, _), phi in zip(fields, modes, strict=True)
            ]
            return torch.cat(parts)

        alpha = torch.zeros(4, dtype=torch.float64)
        assert torch.allclose(rows(alpha), residual_vector([part for part, _ in read]), atol=1e-13)
        norms = []
        for _ in range(4):
            alpha = (
                alpha + torch.linalg.lstsq(jacrev(rows)(alpha), -rows(alpha)[:, None], driver="gelsd").solution[:, 0]
            )
            norms.append(float(rows(alpha).norm()))
        assert all(record.damping == 0 for record in records)
        assert [record.fitted_residual for record in records] == pytest.approx(norms[: len(records)], rel=1e-8)


class TestWiring:
    def test_the_steps_become_the_result_of_the_run(self, tmp_path: Path) -> None:
        """A small reaction network, from bundle to run."""
        pde = equations.build("reaction", {"n_interior": 400})
        arguments = {
            "layers": [2, 8, 1],
            "domain": {name: list(bounds) for name, bounds in pde.domain.items()},
            "first_layer": {"scale": 2.0},
            "output": {"name": "reaction-initial", "arguments": {}},
        }
        model = architectures.build("pinn-mlp", arguments).double().eval()
        problem = make_problem(pde, model, architecture=Architecture("pinn-mlp", arguments))
        bundle = save_problem(tmp_path / "reaction", problem)
        config = RefineConfig(gauss_newton=3)
        run = create(RunStore(tmp_path / "runs"), bundle, config, owner="test")
        execute(run)
        summary = RunStore(tmp_path / "runs").open(run.id).summary
        assert [record.step for record in summary.gauss_newton] == list(range(len(summary.gauss_newton)))
        assert summary.one_shot is not None
        last = summary.gauss_newton[-1]
        assert summary.rank == last.rank
        assert summary.rank in run.fields.ranks
        assert summary.residual_norm.nonlinear == pytest.approx(last.fitted_residual, rel=1e-6)
        assert summary.residual_norm.fresh_nonlinear == pytest.approx(last.fresh_residual, rel=1e-6)
        assert summary.refined.relative_l2 == pytest.approx(last.relative_l2, rel=1e-6)
        assert summary.one_shot.residual_norm.nonlinear is not None
        assert last.fitted_residual < 0.9 * summary.one_shot.residual_norm.nonlinear
        assert "Gauss-Newton" in summary.timings
        assert any(note.startswith("Gauss-Newton") for note in summary.notes)
        shown = run.fields.refined_error[run.fields.ranks.tolist().index(summary.rank)]
        relative = float(np.linalg.norm(shown) / np.linalg.norm(run.fields.targets))
        assert relative == pytest.approx(summary.refined.relative_l2, rel=0.2)  # the display points are fewer
        loss = run.paths.linearised[run.fields.ranks.tolist().index(summary.rank)]
        assert np.isfinite(loss).all()
        delta = delta_at(run, summary.rank)
        assert float(delta.norm()) == pytest.approx(summary.delta_norm, rel=1e-12)
        json.loads(summary.model_dump_json(), parse_constant=pytest.fail)

    def test_runs_without_steps_are_read_as_before(self) -> None:
        summary = refined().summary
        stored = summary.model_dump(exclude={"gauss_newton", "one_shot"})
        assert Summary.model_validate(stored) == summary
        assert summary.gauss_newton == []
        assert summary.one_shot is None

    def test_data_are_refused(self) -> None:
        draw = generator(0)
        x = torch.rand(20, 1, generator=draw, dtype=torch.float64)
        problem = SupervisedProblem("data", network(1, 4, 1), *(Split(x, x**2) for _ in range(3)))
        with pytest.raises(InputError, match="linear in the field"):
            refine(problem, gauss_newton=2)


class TestBadInput:
    def test_not_converged_is_said_and_the_result_kept(self) -> None:
        result = gauss_newton(refined(), 1)
        assert "not converged within 1 step:" in result.sentence
        assert len(result.records) == 2
        assert result.records[1].fitted_residual < result.records[0].fitted_residual

    def test_a_residual_that_is_nan_at_trial_points_is_refused_as_a_step(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fragile(field: Field) -> Tensor:
            """The root is NaN for fields that long steps reach."""
            return logistic(field) + 0.01 * torch.sqrt(1 - field["u"] ** 2)

        refinement, plain = refine(make(fragile)), FieldRows.losses
        seen: list[bool] = []

        def watched(rows: FieldRows, coefficients: Tensor) -> np.ndarray:
            losses = plain(rows, coefficients)
            seen.append(bool(np.isnan(losses).any()))
            return losses

        monkeypatch.setattr(FieldRows, "losses", watched)
        result = gauss_newton(refinement, 8)
        assert any(seen)
        assert all(math.isfinite(record.fitted_residual) for record in result.records)
        assert result.records[-1].fitted_residual <= result.records[0].fitted_residual

    def test_no_direction(self) -> None:
        result = gauss_newton(refine(make(logistic), max_rank=0), 3)
        assert "no directions" in result.sentence
        assert np.allclose(result.delta, 0)

    def test_fewer_than_one_step(self) -> None:
        with pytest.raises(InputError, match="at least one step"):
            gauss_newton(refined(), 0)

    def test_stopped(self) -> None:
        def stop(stage: str, fraction: float) -> None:
            if fraction > 0.2:
                raise Cancelled

        with pytest.raises(Cancelled):
            gauss_newton(refined(), 3, progress=stop)
