"""What is read off one factor at every rank, against the same from the rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from lsr_core.linalg.triangular import TriangularSolver
from lsr_core.refinement.ranks import SOLVED_LADDER
from lsr_core.refinement.sweep import (
    RankErrors,
    RankSolutions,
    SplitFactor,
    coefficient_norms,
    condition_numbers,
    errors_by_rank,
    interpolate_logarithmically,
)
from tests.core.twins import generator

RCOND = 1e-6
KEPT, WIDTH = 9, 14  # columns that differ, and those with copies of them


def rows() -> tuple[Tensor, Tensor]:
    """A (40, 14), whose last columns are nearly those before them, and b (40, 1)."""
    draw = generator(5)
    own = torch.randn(40, KEPT, generator=draw, dtype=torch.float64)
    copies = own[:, : WIDTH - KEPT] + 1e-9 * torch.randn(40, WIDTH - KEPT, generator=draw, dtype=torch.float64)
    return torch.cat([own, copies], dim=1), torch.randn(40, 1, generator=draw, dtype=torch.float64)


def factor_of(matrix: Tensor, values: Tensor) -> Tensor:
    return torch.linalg.qr(torch.cat([matrix, values], dim=1), mode="r").R


def solutions(ladder: range | tuple[int, ...] = range(1, WIDTH + 1), required: tuple[int, ...] = ()) -> RankSolutions:
    return RankSolutions(TriangularSolver(factor_of(*rows()), rcond=RCOND), ladder, required)


def test_ranks_up_to_the_first_that_is_cut_come_from_one_inverse_and_others_from_the_ladder() -> None:
    found = solutions((3, 11, 13), required=(14, 2, KEPT))
    assert found.exact_rank == KEPT
    assert found.separate == [11, 13, 14]
    assert found.ranks == [*range(KEPT + 1), 11, 13, 14]
    assert [rank for rank in range(WIDTH + 1) if found.is_solved(rank)] == found.ranks
    matrix, values = rows()
    for rank in range(1, KEPT + 1):
        wanted = torch.linalg.lstsq(matrix[:, :rank], -values).solution[:, 0]
        torch.testing.assert_close(found.at(rank), wanted, rtol=1e-9, atol=1e-12)
    assert [len(found.at(rank)) for rank in found.ranks] == found.ranks


def test_the_increments_add_up_to_the_solutions() -> None:
    found = solutions()
    assert found.increments.shape == (KEPT, KEPT)
    torch.testing.assert_close(found.increments.cumsum(dim=1)[:, 4], found.columns([5, KEPT])[:, 0], rtol=1e-12, atol=0)


def test_columns_are_filled_up_with_zeros() -> None:
    found = solutions()
    block = found.columns([2, 12, 5])
    assert block.shape == (12, 3)
    for column, rank in enumerate((2, 12, 5)):
        assert torch.equal(block[:rank, column], found.at(rank))
        assert bool((block[rank:, column] == 0).all())
    assert found.columns([]).shape == (0, 0)


def test_all_ranks_come_in_blocks_once() -> None:
    found = solutions()
    seen = {rank: part[:rank, place] for ranks, part in found.blocks() for place, rank in enumerate(ranks)}
    assert sorted(seen) == found.ranks
    assert all(torch.equal(seen[rank], found.at(rank)) for rank in found.ranks)


@pytest.mark.parametrize("rank", [4, KEPT, 12])
def test_another_solution_takes_the_place_of_one(rank: int) -> None:
    found = solutions()
    before = {one: found.at(one).clone() for one in found.ranks}
    other = found.with_solution(rank, torch.full((rank,), 7.0, dtype=torch.float64))
    assert torch.equal(other.at(rank), torch.full((rank,), 7.0, dtype=torch.float64))
    assert all(torch.equal(found.at(one), before[one]) for one in found.ranks)
    assert all(torch.equal(other.at(one), before[one]) for one in found.ranks if one != rank)


def test_of_a_long_ladder_so_many_ranks_are_solved_from_its_first_to_its_last() -> None:
    size = SOLVED_LADDER + 40
    matrix = torch.ones(size + 5, size, dtype=torch.float64)
    values = torch.randn(size + 5, 1, generator=generator(1), dtype=torch.float64)
    found = RankSolutions(TriangularSolver(factor_of(matrix, values), rcond=RCOND), range(1, size + 1), (7,))
    assert found.exact_rank == 1
    assert (found.separate[0], found.separate[-1]) == (2, size)
    assert len(set(found.separate) - {7}) in (SOLVED_LADDER - 1, SOLVED_LADDER)
    assert 7 in found.separate
    whole = RankSolutions(TriangularSolver(factor_of(*rows()), rcond=RCOND), range(1, WIDTH + 1))
    assert whole.separate == list(range(KEPT + 1, WIDTH + 1))


@pytest.mark.parametrize("kept", range(WIDTH + 1))
def test_the_largest_rank_without_a_cut_is_found_wherever_it_is(kept: int) -> None:
    sizes = torch.tensor([1.0] * kept + [0.0] * (WIDTH - kept), dtype=torch.float64)
    triangle = torch.cat([torch.diag(sizes), torch.ones(WIDTH, 1, dtype=torch.float64)], dim=1)
    assert RankSolutions(TriangularSolver(triangle, rcond=RCOND), ()).exact_rank == kept


def test_a_single_column_may_be_cut() -> None:
    nothing = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    assert RankSolutions(TriangularSolver(nothing, rcond=RCOND), ()).exact_rank == 0


def test_errors_of_every_rank_are_those_of_the_rows() -> None:
    matrix, values = rows()
    found = solutions((10, 12))
    split = RankErrors.of(SplitFactor(factor_of(matrix, values), 0.25), found)
    assert split.mse.shape == (13,)
    for rank in found.ranks:
        assert split.mse[rank] == pytest.approx(
            float((matrix[:, :rank] @ found.at(rank)[:, None] + values).square().sum())
        )
    assert np.flatnonzero(np.isnan(split.mse)).tolist() == [11]
    mse, relative = errors_by_rank(split, 12)
    assert relative[3] == pytest.approx((split.mse[3] * 4) ** 0.5)
    assert mse[11] == pytest.approx((split.mse[10] * split.mse[12]) ** 0.5)


def test_without_a_split_or_without_targets_there_are_no_relative_errors() -> None:
    mse, relative = errors_by_rank(None, 5)
    assert mse.shape == relative.shape == (6,)
    assert np.isnan(mse).all()
    assert np.isnan(relative).all()
    mse, relative = errors_by_rank(RankErrors(np.array([1.0, 0.5]), 0.0), 1)
    assert mse.tolist() == [1.0, 0.5]
    assert np.isnan(relative).all()


def test_gaps_are_filled_in_the_logarithm_and_nothing_is_told_beyond_the_last() -> None:
    gaps = np.array([1e-2, np.nan, 1e-6, 3.0, np.nan, np.nan])
    filled = interpolate_logarithmically(gaps)
    assert filled[:4] == pytest.approx([1e-2, 1e-4, 1e-6, 3.0], rel=1e-12)
    assert np.isnan(filled[4:]).all()
    assert interpolate_logarithmically(np.array([1.0, np.nan, 0.0]))[2] == 0
    assert np.isnan(interpolate_logarithmically(np.full(3, np.nan))).all()


@pytest.mark.parametrize("diagonal", [False, True])
def test_condition_numbers_are_those_of_the_leading_triangles(diagonal: bool) -> None:
    triangle = torch.randn(6, 6, generator=generator(2), dtype=torch.float64).triu()
    triangle = torch.diag(triangle.diagonal()) if diagonal else triangle
    kappa, exact = condition_numbers(triangle, (0, 1, 3, 6), 6)
    wanted = [np.linalg.cond(triangle[:rank, :rank].numpy()) for rank in range(1, 7)]
    known = range(1, 7) if diagonal else (1, 3, 6)
    assert np.isnan(kappa[0])
    assert [kappa[rank] for rank in known] == pytest.approx([wanted[rank - 1] for rank in known], rel=1e-9)
    assert np.flatnonzero(exact).tolist() == list(known)
    assert kappa[2] == pytest.approx(wanted[1] if diagonal else (kappa[1] * kappa[3]) ** 0.5, rel=1e-9)
    asked = condition_numbers(triangle, (2,), 3, lambda rank: torch.tensor([9.0, 3.0, float(rank)]))
    assert diagonal or asked[0][2] == 9 / 2
    assert condition_numbers(triangle, (), 0)[0].shape == (1,)


@pytest.mark.parametrize("diagonal", [False, True])
def test_a_direction_of_no_length_has_no_finite_condition_number(diagonal: bool) -> None:
    triangle = torch.diag(torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64))
    if not diagonal:
        triangle[0, 1] = 1
    kappa, exact = condition_numbers(triangle, (1, 2, 3), 3)
    assert kappa[3] == np.inf
    assert exact.tolist() == [0, 1, 1, 0]
    assert kappa[1] == 1


def test_nothing_is_made_up_between_a_finite_condition_number_and_an_infinite_one() -> None:
    """A pendulum's κ had been given as 6e304, halfway in the logarithm to the largest number there is."""
    triangle = torch.diag(torch.tensor([2.0, 1.0, 0.5, 0.0, 0.25], dtype=torch.float64))
    triangle[0, 1] = 1
    kappa, exact = condition_numbers(triangle, (1, 2, 4), 5)
    assert np.isfinite(kappa[1:3]).all()
    assert np.isnan(kappa[[0, 3]]).all()
    assert kappa[4:].tolist() == [np.inf, np.inf]
    assert exact.tolist() == [0, 1, 1, 0, 0, 0]


def test_lengths_of_steps_count_each_direction_s_own() -> None:
    found = solutions((10, 12))
    scale = torch.arange(1.0, WIDTH + 1, dtype=torch.float64)
    norms = coefficient_norms(found, scale, 12)
    for rank in found.ranks:
        assert norms[rank] == pytest.approx(float((found.at(rank) * scale[:rank]).norm()))
    assert norms.shape == (13,)
    assert norms[11] == pytest.approx((norms[10] * norms[12]) ** 0.5)
