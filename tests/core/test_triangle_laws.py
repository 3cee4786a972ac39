"""What is left out of a solve on a triangle, what is cut, and the parts that others take of it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lsr_core.linalg import triangular
from lsr_core.linalg.diagonal import is_diagonal
from lsr_core.linalg.triangular import (
    TriangularSolver,
    least_of,
    singular_values,
    times_upper,
)
from tests.core.twins import generator

LEAST = 1e-4


def solver(triangle: Tensor, rcond: float = 1e-15, **more: object) -> TriangularSolver:
    """On a square triangle, every entry on the right 1."""
    factor = torch.cat([triangle, torch.ones(len(triangle), 1, dtype=torch.float64)], dim=1)
    return TriangularSolver(factor, rcond=rcond, **more)  # type: ignore[arg-type]


def diagonal(*sizes: float) -> Tensor:
    return torch.diag(torch.tensor(sizes, dtype=torch.float64))


def test_directions_count_as_left_out_from_the_rank_that_has_them() -> None:
    found = solver(diagonal(1, 2, 1e-5, 1), least=LEAST)
    assert [found.leaves_out(rank) for rank in range(5)] == [False, False, False, True, True]
    assert found.solve(4).tolist() == [-1, -0.5, 0, -1]
    assert not solver(diagonal(1, 2, 1e-5, 1)).leaves_out(4)


def test_a_direction_is_small_beside_the_largest_and_of_it_itself_nothing_is_left_out() -> None:
    found = solver(diagonal(1e-9, 1e-9, 0.9e-13), least=LEAST)
    assert found.solve(3).tolist() == pytest.approx([-1e9, -1e9, 0])
    assert solver(diagonal(1, LEAST), least=LEAST).solve(2).tolist() == pytest.approx([-1, -1 / LEAST])


def test_of_lengths_the_share_is_that_of_an_orthonormal_basis() -> None:
    """Of one direction, too, and where no lengths are given they are one."""
    assert solver(diagonal(3), least=0.9).solve(1).tolist() == pytest.approx([-1 / 3])
    lengths = torch.tensor([1.0, 1e-6], dtype=torch.float64)
    assert solver(diagonal(1, 1e-6), lengths=lengths, least=LEAST).solve(2).tolist() == pytest.approx([-1, -1e6])


def test_small_entries_of_other_triangles_stay() -> None:
    """Where columns depend on each other an entry on the diagonal is no length."""
    triangle = diagonal(1, 1e-5)
    triangle[0, 1] = 1
    assert solver(triangle, least=LEAST).solve(2).tolist() == pytest.approx([-1 + 1e5, -1e5])


def test_a_triangle_without_columns_moves_nothing() -> None:
    found = TriangularSolver(torch.full((1, 1), 3.0, dtype=torch.float64), rcond=0.1, least=LEAST)
    assert (found.max_rank, found.base_norm) == (0, 3.0)
    assert found.solve(0).shape == (0,)
    assert not found.leaves_out(0)
    assert found.solve_leading(0).shape == (0, 1)


def test_fewer_rows_than_columns_are_cut_from_the_first_rank_beyond_them() -> None:
    factor = torch.randn(3, 6, generator=generator(), dtype=torch.float64).triu()
    found = TriangularSolver(factor, rcond=1e-15)
    assert [found.cut_is_active(rank) for rank in range(6)] == [False] * 4 + [True] * 2
    assert float((factor[:, :5] @ found.solve(5) + factor[:, 5]).norm()) < 1e-12


def test_singular_values_are_taken_once_a_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    found, asked = solver(torch.randn(4, 4, generator=generator(), dtype=torch.float64).triu()), []
    monkeypatch.setattr(triangular, "singular_values", lambda part: asked.append(len(part)) or singular_values(part))
    for _ in range(2):
        torch.testing.assert_close(found.singular_values(3), torch.linalg.svdvals(found.scaled[:3, :3]))
    assert asked == [3]


def test_far_from_the_cut_off_no_singular_values_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triangular, "singular_values", lambda part: pytest.fail("taken"))
    triangle = torch.eye(5, dtype=torch.float64) + 0.1 * torch.ones(5, 5, dtype=torch.float64).triu()
    assert not solver(triangle, rcond=0.05).cut_is_active(5)
    triangle[4, 4], triangle[0, 4] = 1e-3, 1
    assert solver(triangle, rcond=1e-2).cut_is_active(5)
    assert solver(triangle[:, :4].clone().new_zeros(4, 4), rcond=0.0).cut_is_active(2)


def test_a_small_singular_value_that_no_diagonal_shows_is_cut() -> None:
    triangle = torch.eye(30, dtype=torch.float64) - torch.ones(30, 30, dtype=torch.float64).triu(1)
    assert [solver(triangle, rcond=1e-6).cut_is_active(rank) for rank in (5, 30)] == [False, True]


@pytest.mark.parametrize(("apart", "cut"), [(1.7e-6, True), (2.2e-6, False)])
def test_two_columns_are_cut_by_their_singular_values_not_by_the_diagonal(apart: float, cut: bool) -> None:
    """σ₂ / σ₁ is half of what sets two columns of length 1 apart."""
    triangle = torch.tensor([[1.0, (1 - apart**2) ** 0.5], [0.0, apart]], dtype=torch.float64)
    assert solver(triangle, rcond=1e-6).cut_is_active(2) == cut


def test_what_lies_on_the_cut_off_is_kept_by_the_filter_and_what_is_zero_never() -> None:
    values = torch.tensor([2.0, 1.0, 0.5, 0.0], dtype=torch.float64)
    assert solver(diagonal(1), rcond=0.5)._filter(values).tolist() == [0.5, 1.0, 0.0, 0.0]
    assert solver(diagonal(1), rcond=0.0)._filter(values).tolist() == [0.5, 1.0, 2.0, 0.0]


def test_the_floor_grows_with_the_columns_and_gives_way_to_a_cut_off_that_is_asked_for() -> None:
    factor = torch.zeros(16, 16, dtype=torch.float32)
    assert least_of(None, factor) == pytest.approx(16 * 2**-23, rel=1e-12)
    assert least_of(None, factor[:, :4].double()) == pytest.approx(8 * 2**-52, rel=1e-12)
    assert least_of(0.25, factor) == 0.25


def test_rows_become_orthonormal() -> None:
    rows = torch.randn(20, 5, generator=generator(), dtype=torch.float64) * torch.logspace(0, -4, 5).double()
    factor = torch.linalg.qr(torch.cat([rows, rows[:, :1] + 1], dim=1), mode="r").R
    found = TriangularSolver(factor, rcond=1e-15).orthonormal(rows[:, :4])
    torch.testing.assert_close(found.T @ found, torch.eye(4, dtype=torch.float64), rtol=0, atol=1e-10)


def test_columns_of_no_length_are_divided_by_one() -> None:
    found = solver(diagonal(2, 0, 0.5))
    assert found.column_norms.tolist() == [2, 1, 0.5]
    assert found.solve(3).tolist() == pytest.approx([-0.5, 0, -2])


@pytest.mark.parametrize("place", [(0, 2), (1, 2)])
def test_one_entry_beside_the_diagonal_makes_another_triangle(place: tuple[int, int]) -> None:
    triangle = diagonal(1, 0, 3)
    assert is_diagonal(triangle)
    assert singular_values(triangle).tolist() == [3, 1, 0]
    triangle[place] = 1e-300
    assert not is_diagonal(triangle)


def test_signs_on_the_diagonal_are_no_part_of_singular_values() -> None:
    assert singular_values(diagonal(1, -4, 2)).tolist() == [4, 2, 1]


@pytest.mark.parametrize("columns", [63, 64, 65, 129, 700])
def test_products_with_a_staircase_take_few_operations(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    block = torch.randn(3, columns, generator=generator(), dtype=torch.float64)
    triangle = torch.randn(columns, columns, generator=generator(1), dtype=torch.float64).triu()
    entries, product = [], torch.mm
    monkeypatch.setattr(torch, "mm", lambda a, b, out: entries.append(b.numel()) or product(a, b, out=out))
    torch.testing.assert_close(times_upper(block, triangle), block @ triangle, rtol=1e-10, atol=1e-10)
    assert len(entries) == math.ceil(columns / max(64, math.ceil(columns / 8)))
    assert sum(entries) <= columns**2 * (0.6 if columns == 700 else 1)
