"""The error that the course over ranks tells, held against the true one, which the run has not seen."""

from __future__ import annotations

import pytest

from benchmarks import _typed as typed
from lsr_core.diagnosis.solved import solved
from lsr_core.refinement.refine import refine


def heat() -> typed.Made:
    """With few points."""
    arguments = {
        "inputs": {"x": [0, 1], "t": [0, 1]},
        "equations": typed.one("u_t = 0.1*u_xx", 200),
        "conditions": [typed.at("t = 0", "u = sin(pi*x)", 40), typed.at("x = 0, x = 1", "u = 0", 60)],
    }
    return typed.typed(0, arguments, typed.heat(0, 0.1)[2])


CASES = {
    "heat": (heat, 60),
    "oscillator": (lambda: typed.oscillator(0, 20), 40),
    "convection that the rank is too small for": (lambda: typed.convection(0, 60), 40),
}


@pytest.mark.parametrize("name", CASES)
def test_the_estimate_is_no_less_than_the_error_and_of_its_size(name: str) -> None:
    make, rank = CASES[name]
    problem, settings, truth = make()
    assert problem.test is None
    refinement = refine(problem, **(settings | {"max_rank": rank}))
    error = typed.field_error(problem, refinement.predictor, truth)
    course = solved(refinement).course
    assert course is not None
    assert error <= course <= 100 * error


def test_of_an_equation_that_is_not_linear_nothing_is_estimated() -> None:
    problem, settings, _ = typed.reaction(0, 1)
    refinement = refine(problem, **(settings | {"max_rank": 10, "gauss_newton": 1}))
    assert solved(refinement).course is None
