"""What is refused before and after a basis is made, and by which factor is solved."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from lsr_core.errors import InputError, NumericalError
from lsr_core.refinement import solve
from lsr_core.refinement.basis import Basis
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.kinds import build_basis
from lsr_core.refinement.solve import LinearSolve, planned, solve_in
from tests.core import twins

RANK = 4
PROBLEM = twins.problem(twins.network(2, 8, 1), rows=20)


def solved(*spoiled: int) -> LinearSolve:
    """In a basis whose factor is infinite in some columns, of which the last is the network's errors."""
    setting = planned(PROBLEM, RefineConfig(max_rank=RANK, dtype="float64"))
    basis = build_basis(setting, lambda done: None)
    factor = basis.train.factor.clone()
    factor[0, list(spoiled)] = math.inf
    return solve_in(setting, replace(basis, train=replace(basis.train, factor=factor)))


def test_errors_that_are_too_large_are_told_from_modes_that_are_not_finite() -> None:
    with pytest.raises(NumericalError, match="errors are too large to be squared"):
        solved(RANK)
    for column in range(RANK):
        for spoiled in ((column,), (column, RANK)):
            with pytest.raises(NumericalError, match="response modes are not finite"):
                solved(*spoiled)
    assert torch.isfinite(solved().solver.solve(RANK)).all()


def test_what_is_solved_is_the_factor_for_it_where_there_is_one() -> None:
    found = solved()
    other = replace(found.train, factor=2 * found.train.factor.triu())
    other.factor[:, -1] *= 3
    both = solve_in(found.setting, Basis(found.subspace, found.train, solve=other))
    torch.testing.assert_close(both.solver.solve(RANK), 3 * found.solver.solve(RANK))
    assert both.train is found.train


def test_a_large_network_is_refused_before_its_route_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    config = RefineConfig(max_rank=RANK, memory_budget=10**6)
    n_parameters = sum(part.numel() for part in PROBLEM.model.parameters())
    monkeypatch.setattr(solve, "prepare", lambda problem, config: pytest.fail("the route was proved"))
    monkeypatch.setattr(solve, "LARGE", n_parameters - 1)
    with pytest.raises(InputError, match="only"):
        planned(PROBLEM, config)
    monkeypatch.setattr(solve, "LARGE", n_parameters)
    with pytest.raises(pytest.fail.Exception, match="proved"):
        planned(PROBLEM, config)
