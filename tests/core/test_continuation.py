"""Continuation in a number of an equation: solved where it is easy, then step by step to where it is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from lsr_core.errors import InputError
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.solver.config import SolveConfig
from lsr_core.solver.records import SolveStep
from lsr_core.solver.solution import JoinedSolution
from lsr_core.solver.solve import Solving
from lsr_core.validation import checked
from tests.core.test_solver import logistic, running_out

FROM_ONE = SolveConfig(along="rho", begin=1.0)


def growth(rho: float = 10.0, **more: Any) -> PhysicsProblem:
    """u' = ρ u (1 − u), u(0) = 0.01: in one piece steps end at a field that is zero almost everywhere."""
    start = "0.01*exp(rho*t)"
    arguments = TypedArguments.model_validate(
        {
            "inputs": {"t": (0, 1)},
            "constants": {"rho": rho},
            "equations": [{"equation": "u_t = rho*u*(1 - u)", "points": 200}],
            "conditions": [{"where": "t = 0", "equation": "u = 0.01", "points": 1}],
            "solution": {"u": f"{start}/({start} + 0.99)"},
            **more,
        }
    )
    return problem_of(arguments, StartingNetwork(widths=[24]))


@pytest.fixture(scope="module")
def followed() -> JoinedSolution:
    return Solving(growth(), FROM_ONE, lambda step: None, lambda: None).run()


def test_a_field_that_is_not_found_at_once_is_found_by_way_of_easier_ones(followed: JoinedSolution) -> None:
    at_once = Solving(growth(), SolveConfig(windows="none"), lambda step: None, lambda: None).run()
    assert not at_once.solved
    assert followed.solved
    assert followed.relative_l2 is not None
    assert followed.relative_l2 < 1e-6
    assert followed.problem.arguments["constants"] == {"rho": 10.0}


def test_each_value_is_a_record_and_the_last_one_is_delivered(followed: JoinedSolution) -> None:
    values = [step.value for step in followed.steps]
    assert {step.kind for step in followed.steps} == {"value"}
    assert (values[0], values[-1]) == (1.0, 10.0)
    kept = [step for step in followed.steps if step.kept]
    assert [step.value for step in kept] == sorted(step.value for step in kept if step.value is not None)
    assert len(kept) < len(followed.steps), "steps that lead too far are tried, and left"
    assert followed.relative_residual == pytest.approx(kept[-1].relative_residual)


def test_what_is_reached_when_the_time_is_up_is_kept_as_what_it_is() -> None:
    solving = running_out(growth(), FROM_ONE, looks=8)
    found = solving.run()
    reached = found.problem.arguments["constants"]["rho"]
    assert 1.0 <= reached < 10.0
    assert not found.solved
    assert f"the time is up at rho = {reached:.6g}, which the field belongs to" in found.sentence
    assert found.relative_l2 is not None
    assert found.relative_l2 < 1e-3, "measured against the solution for the number that it has"


def test_a_field_of_another_number_is_never_called_solved() -> None:
    """A network of two units holds the slow growth and not the fast one."""
    problem = problem_of(TypedArguments.model_validate(growth(60.0).arguments), StartingNetwork(widths=[3]))
    steps: list[SolveStep] = []
    found = Solving(problem, FROM_ONE, steps.append, lambda: None).run()
    assert not found.solved
    assert found.sentence.startswith("Not solved to the end: ")
    assert f"rho = {found.problem.arguments['constants']['rho']:.6g}" in found.sentence


@pytest.mark.parametrize(
    ("along", "begin", "says"),
    [
        ("nu", 1.0, "the numbers of this equation are rho"),
        ("rho", 10.0, "which is the value of rho in the problem"),
    ],
)
def test_a_number_that_cannot_be_followed_is_refused(along: str, begin: float, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Solving(growth(), SolveConfig(along=along, begin=begin), lambda step: None, lambda: None)


def test_settings_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(InputError, match="along and begin belong together"):
        checked(SolveConfig, {"along": "rho"})
    with pytest.raises(InputError, match="leave it at auto"):
        Solving(growth(), FROM_ONE.model_copy(update={"windows": 3}), lambda step: None, lambda: None)
    with pytest.raises(InputError, match="no numbers by name"):
        Solving(logistic(), FROM_ONE, lambda step: None, lambda: None)
