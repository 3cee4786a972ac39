"""Steps of a linear model from its triangular factor, against the same written out with the rows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lsr_core.linalg.damped import damped_step, held_solution, leading, promised, truncated_solutions
from lsr_core.linalg.ridge import with_penalty

DAMPING = 0.3


def rows(spread: float = -8) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """G (30, 6) whose columns differ in size, r (30,), the coefficients where the model is, and the factor of [G, r]."""
    draw = torch.Generator().manual_seed(3)
    slopes, values = (torch.randn(30, columns, generator=draw, dtype=torch.float64) for columns in (6, 1))
    slopes *= torch.logspace(0, spread, 6, dtype=torch.float64)
    at = torch.randn(6, generator=draw, dtype=torch.float64)
    return slopes, values[:, 0], at, torch.linalg.qr(torch.cat([slopes, values], dim=1), mode="r").R


def lstsq(slopes: Tensor, values: Tensor) -> Tensor:
    return torch.linalg.lstsq(slopes, values[:, None], driver="gelsd").solution[:, 0]


@pytest.mark.parametrize("rank", [1, 2, 6])
def test_a_truncated_solution_moves_the_first_coefficients_and_lets_go_of_the_others(rank: int) -> None:
    slopes, values, at, factor = rows()
    found = truncated_solutions(factor, at, (2, rank))[:, 1]
    assert bool((found[rank:] == 0).all())
    wanted = lstsq(slopes[:, :rank], slopes @ at - values)
    torch.testing.assert_close(slopes[:, :rank] @ found[:rank], slopes[:, :rank] @ wanted, rtol=0, atol=1e-12)


def test_a_truncated_solution_is_right_where_columns_are_as_dependent_as_rounding_tells() -> None:
    """Nothing is cut: what is hardly seen is solved for as well."""
    slopes, values, at, _ = rows(0)
    slopes[:, 5] = slopes[:, 4] + 1e-9 * slopes[:, 5]
    factor = torch.linalg.qr(torch.cat([slopes, values[:, None]], dim=1), mode="r").R
    found = truncated_solutions(factor, at, (6,))[:, 0]
    assert float(found.abs().max()) > 1e6
    left = float((slopes @ (found - at) + values).norm())
    assert left == pytest.approx(promised(factor) ** 0.5, rel=1e-6)


@pytest.mark.parametrize("rank", [2, 6])
def test_what_a_model_promises_is_what_its_best_step_leaves(rank: int) -> None:
    slopes, values, _, factor = rows()
    kept = slopes[:, :rank]
    left = kept @ lstsq(kept, -values) + values
    assert promised(leading(factor, rank)) == pytest.approx(float(left.square().sum()), rel=1e-10)


def test_nothing_is_left_of_fewer_rows_than_coefficients() -> None:
    slopes, values, *_ = rows()
    few = torch.cat([slopes, values[:, None]], dim=1)[:4]
    assert promised(torch.linalg.qr(few, mode="r").R) == 0


@pytest.mark.parametrize("rank", [0, 2, 6])
def test_the_leading_factor_is_that_of_the_first_columns(rank: int) -> None:
    slopes, values, _, factor = rows()
    found = leading(factor, rank)
    kept = torch.cat([slopes[:, :rank], values[:, None]], dim=1)
    assert found.shape == (rank + 1, rank + 1)
    torch.testing.assert_close(found.T @ found, kept.T @ kept, rtol=1e-10, atol=1e-14)


def test_a_damped_step_is_the_minimum_with_the_penalty() -> None:
    slopes, values, _, factor = rows()
    norms = slopes.norm(dim=0)
    step, norm = damped_step(factor, DAMPING)
    tall = torch.cat([slopes / norms, DAMPING * torch.eye(6, dtype=torch.float64)])
    torch.testing.assert_close(
        step * norms, lstsq(tall, torch.cat([-values, torch.zeros(6).double()])), rtol=0, atol=1e-12
    )
    assert norm == pytest.approx(float((slopes @ step + values).norm()), rel=1e-12)


def test_a_step_that_is_hardly_damped_cuts_nothing() -> None:
    slopes, values, _, factor = rows()
    step, norm = damped_step(factor, 1e-13)
    assert norm == pytest.approx(promised(factor) ** 0.5, rel=1e-10)
    torch.testing.assert_close(
        slopes @ step, slopes @ lstsq(slopes / slopes.norm(dim=0), -values).div(slopes.norm(dim=0))
    )


def test_held_coefficients_are_the_minimum_of_the_penalised_model() -> None:
    slopes, values, at, factor = rows(-1)
    found, left = held_solution(factor, at, DAMPING)
    weights = DAMPING * slopes.norm(dim=0)
    slope = slopes.T @ (slopes @ (found - at) + values) + weights**2 * found
    assert float(slope.abs().max()) < 1e-12
    assert left == pytest.approx(float((slopes @ (found - at) + values).square().sum()), rel=1e-12)


def test_a_coefficient_that_nothing_depends_on_goes_to_zero() -> None:
    slopes, values, at, _ = rows(-1)
    slopes[:, 2] = 0
    factor = torch.linalg.qr(torch.cat([slopes, values[:, None]], dim=1), mode="r").R
    found, left = held_solution(factor, at, DAMPING)
    others = [0, 1, 3, 4, 5]
    alone, also = held_solution(torch.linalg.qr(torch.cat([slopes[:, others], values[:, None]], dim=1), mode="r").R, at[others], DAMPING)  # fmt: skip
    torch.testing.assert_close(found[others], alone)
    assert left == pytest.approx(also)
    assert abs(float(found[2])) < 1e-12


def test_a_penalty_keeps_coefficients_near_where_they_are_wanted() -> None:
    """min ‖G c + r‖² + ‖W (c + z)‖² at every number of columns, W of several sizes."""
    slopes, values, wanted, factor = rows(-1)
    weights = torch.logspace(-1, 1, 6, dtype=torch.float64)
    found = with_penalty(factor, weights, wanted)
    for columns in (2, 6):
        tall = torch.cat([slopes[:, :columns], torch.diag(weights)[:columns, :columns]])
        right = torch.cat([values, (weights * wanted)[:columns]])
        solved = torch.linalg.solve_triangular(found[:columns, :columns], -found[:columns, 6:], upper=True)[:, 0]
        torch.testing.assert_close(solved, lstsq(tall, -right))
