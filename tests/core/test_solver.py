"""Equations from scratch: Gauss-Newton that stops by slope and residual, windows of time, one predictor over all of them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from lsr_core.errors import Cancelled, InputError
from lsr_core.networks import architectures
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.equations.reaction import reaction_start
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.problems.splits import Architecture
from lsr_core.solver.config import SolveConfig
from lsr_core.solver.solution import JoinedSolution
from lsr_core.solver.solve import Solving, solve, with_second
from lsr_core.solver.windows import orders, time_of

FOUR = SolveConfig(windows=4, tolerance=1e-7)


def logistic(rate: float = 2.0, **more: object) -> PhysicsProblem:
    """u' = 2 u (3 − u), u(0) = 1: an equation with the wrong roots 0 and 3, which a constant field solves but for its start."""
    arguments = TypedArguments.model_validate(
        {
            "inputs": {"t": (0, 2)},
            "equations": [{"equation": f"u_t = {rate}*u*(3 - u)", "points": 80}],
            "conditions": [{"where": "t = 0", "equation": "u = 1", "points": 1}],
            "solution": {"u": f"3 / (1 + 2*exp(-{3 * rate}*t))"},
            **more,
        }
    )
    return problem_of(arguments, StartingNetwork(widths=[24]))


def oscillator() -> PhysicsProblem:
    """u'' + 9 u = 0: of second order, so that windows hand on values and slopes."""
    arguments = TypedArguments.model_validate(
        {
            "inputs": {"t": (0, 2)},
            "equations": [{"equation": "u_tt = -9*u", "points": 80}],
            "conditions": [
                {"where": "t = 0", "equation": "u = 1", "points": 1},
                {"where": "t = 0", "equation": "u_t = 0", "points": 1, "name": "speed"},
            ],
            "solution": {"u": "cos(3*t)"},
        }
    )
    return problem_of(arguments, StartingNetwork(widths=[24]))


@pytest.fixture(scope="module")
def found() -> JoinedSolution:
    return solve(logistic(), FOUR)


def test_a_nonlinear_equation_is_solved_by_windows(found: JoinedSolution) -> None:
    assert found.solved
    assert found.relative_l2 is not None
    assert found.relative_l2 < 1e-9
    assert 1 < found.windows == [step.kept for step in found.steps].count(True)


@pytest.mark.slow
def test_as_many_windows_as_the_residual_asks_for() -> None:
    found = solve(logistic(rate=15.0))
    assert found.solved
    assert found.relative_l2 is not None
    assert found.relative_l2 < 1e-7
    assert found.windows > 1
    assert [step.kept for step in found.steps].count(True) == found.windows


def test_the_delivered_predictor_is_what_the_records_promise(found: JoinedSolution) -> None:
    points = torch.linspace(0.01, 1.99, 50, dtype=torch.float64)[:, None].requires_grad_()
    values = found.predictor(points)[:, 0]
    [slope] = torch.autograd.grad(values.sum(), points)
    residual = (slope[:, 0] - 2 * values * (3 - values)).detach()
    assert float(residual.abs().max()) < 1e-6
    assert found.residuals.refined[1] < 1e-6 < found.residuals.base[1]


def test_windows_of_second_order_join_in_value_and_slope() -> None:
    problem = oscillator()
    assert orders(problem, "t") == {"u": 2}
    found = solve(problem, FOUR)
    assert found.windows > 1
    assert found.relative_l2 is not None
    assert found.relative_l2 < 1e-7


def running_out(problem: PhysicsProblem, config: SolveConfig, looks: int) -> Solving:
    """A solve whose time is up after it has looked so many times."""
    solving = Solving(problem, config, lambda step: None, lambda: None)
    seen = iter([False] * looks)
    solving.late = lambda: next(seen, True)  # type: ignore[method-assign]
    return solving


def test_one_network_has_the_steps_that_the_time_allows() -> None:
    whole = SolveConfig(windows="none", search=False)
    few = running_out(logistic(), whole, looks=3).run()
    assert (few.steps[-1].newton_steps, few.steps[-1].ending) == (2, "time")
    assert few.sentence.startswith("Not solved to the end: the time is up.")
    with pytest.raises(InputError, match="nothing was solved: the time is up"):
        running_out(logistic(), whole, looks=0).run()


def test_a_second_solve_has_what_is_left_of_the_time() -> None:
    solving = Solving(
        logistic(), FOUR.model_copy(update={"second": True, "seconds": 300.0}), lambda step: None, lambda: None
    )
    found = solving.run()
    solving._began -= 300.0
    single = with_second(solving, found)
    assert single.solved
    assert single.estimate is None
    assert "no estimate of the error" in single.sentence


def test_windows_are_kept_when_the_time_is_up() -> None:
    solving = running_out(logistic(), SolveConfig(windows=8, tolerance=1e-6), looks=12)
    found = solving.run()
    assert not found.solved
    assert found.sentence.startswith("Not solved to the end: the time is up at t = ")
    assert solving.steps[-1].ending == "time", "the steps of a window look at the time"
    assert not solving.steps[-1].kept
    reached = found.problem.domain["t"][1]
    assert 0 < reached < 2
    places = torch.tensor([[0.9 * reached], [1.9]], dtype=torch.float64)
    inside, outside = found.predictor(places)[:, 0].tolist()
    assert inside == pytest.approx(3 / (1 + 2 * math.exp(-6 * 0.9 * reached)), rel=1e-6)
    assert math.isnan(outside)


def test_a_solve_that_is_stopped_leaves_its_windows() -> None:
    calls = 0

    def tick() -> None:
        nonlocal calls
        calls += 1
        if calls > 12:
            raise Cancelled("asked")

    solving = Solving(logistic(), SolveConfig(windows=16, tolerance=1e-6), lambda step: None, tick)
    with pytest.raises(Cancelled):
        solving.run()
    assert solving.windows
    left = solving.solution("it was stopped")
    assert not left.solved
    resumed = Solving(logistic(), FOUR, lambda step: None, lambda: None, solving.windows).run()
    assert resumed.solved
    assert resumed.relative_l2 is not None
    assert resumed.relative_l2 < 1e-7


def test_an_equation_without_a_solution_is_not_called_solved() -> None:
    blowing_up = TypedArguments.model_validate(
        {
            "inputs": {"t": (0, 2)},
            "equations": [{"equation": "u_t = u^2", "points": 60}],
            "conditions": [{"where": "t = 0", "equation": "u = 1", "points": 1}],
        }
    )
    found = solve(problem_of(blowing_up, StartingNetwork(widths=[24])), SolveConfig(most_windows=3, tolerance=1e-6))
    assert not found.solved
    assert found.problem.domain["t"][1] <= 1.0


def test_a_condition_at_the_end_leaves_no_windows() -> None:
    tied = logistic().arguments | {"conditions": [{"where": "t = 2", "equation": "u = 1", "points": 1}], "solution": {}}
    problem = problem_of(TypedArguments.model_validate(tied), StartingNetwork(widths=[24]))
    assert time_of(problem) is None
    with pytest.raises(InputError, match="at whose start alone"):
        solve(problem, SolveConfig(windows=3))


def test_a_second_seed_gives_an_estimate() -> None:
    found = solve(oscillator(), SolveConfig(windows=2, second=True, tolerance=1e-7))
    assert found.estimate is not None
    assert found.relative_l2 is not None
    assert found.relative_l2 / 100 < found.estimate < 1e-6
    assert "an estimate of the error, not a bound" in found.sentence


@pytest.mark.parametrize(
    ("change", "match"),
    [({"edges": [0, 1]}, "one more edge"), ({"edges": [0, 2, 1]}, "do not rise"), ({"axis": 3}, "no input 3")],
)
def test_pieces_that_do_not_fit_are_refused(change: dict[str, object], match: str) -> None:
    part = {"layers": [1, 4, 1], "domain": {"t": [0, 1]}}
    with pytest.raises(InputError, match=match):
        architectures.build("pieces", {"axis": 0, "edges": [0, 1, 2], "parts": [part, part], **change})


def test_conditions_that_a_network_meets_by_its_form_stay_met() -> None:
    equation = equations.build("reaction", {"n_interior": 60})
    arguments = {
        "layers": [2, 6, 1],
        "domain": {name: list(bounds) for name, bounds in equation.domain.items()},
        "output": {"name": "reaction-initial", "arguments": {}},
    }
    model = architectures.build("pinn-mlp", arguments).double()
    problem = make_problem(equation, model, architecture=Architecture("pinn-mlp", arguments))
    assert time_of(problem) is None
    found = solve(problem, SolveConfig(search=False, steps=1))
    start = torch.tensor([[math.pi, 0.0], [1.0, 0.0]], dtype=torch.float64)
    assert torch.allclose(found.predictor(start).detach(), reaction_start(start[:, :1]))


def test_a_network_of_a_form_of_its_own_is_refused() -> None:
    class Lifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(1, 1).double()

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return 1 + inputs * self.inner(inputs)

    with pytest.raises(InputError, match="no plain chain of layers"):
        solve(replace(logistic(), model=Lifted(), architecture=None))
    with pytest.raises(InputError, match=r"comes from a Python file.*save_problem"):
        solve(replace(logistic(), architecture=Architecture("python-file", {})))
