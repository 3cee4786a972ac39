"""How a solution stands: one word in its summary, and the sentence that is made of it."""

from __future__ import annotations

import pytest

from lsr_core.refinement.refine import refine
from lsr_core.refinement.status import WORSE_FIELD, SolutionStatus, sentence, status_of_data, status_of_equation
from lsr_core.refinement.summary import ResidualNorms
from tests.core import twins
from tests.core.test_gauss_newton import decay, logistic, make


@pytest.mark.parametrize(
    ("rank", "linear", "true", "data", "equation"),
    [
        (3, 0.1, 0.1, SolutionStatus.OK, SolutionStatus.OK),
        (3, 0.1, 0.9, SolutionStatus.OK, SolutionStatus.OK),
        (3, 0.01, 0.9, SolutionStatus.OK, SolutionStatus.NONLINEAR),
        (3, 0.01, 1.1, SolutionStatus.WORSE, SolutionStatus.WORSE),
        (0, 0.01, 1.1, SolutionStatus.OK, SolutionStatus.OK),
    ],
)
def test_the_gravest_that_applies(
    rank: int, linear: float, true: float, data: SolutionStatus, equation: SolutionStatus
) -> None:
    norms = ResidualNorms(base=1.0, linear=linear, nonlinear=true)
    assert (status_of_data(rank, norms), status_of_equation(rank, norms)) == (data, equation)


def test_a_summary_says_what_its_notes_say() -> None:
    data = twins.problem(twins.network(2, 8, 8, 1))
    assert refine(data, max_rank=6).summary.status == "ok"
    assert refine(data, max_rank=20, rank=20, rcond=0.4).summary.status == "cut off"
    assert refine(make(decay)).summary.status in ("ok", "cut off")
    for scale, rank, status in ((1.0, 4, SolutionStatus.WORSE), (30.0, 12, SolutionStatus.NONLINEAR)):
        far = refine(make(logistic, scale=scale), rank=rank).summary
        assert far.status == status
        [said] = sentence(status, far.residual_norm, WORSE_FIELD)
        assert said in far.notes
    stepped = refine(make(logistic), gauss_newton=8).summary
    assert stepped.status == "ok"
