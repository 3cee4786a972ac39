"""What is on view of a diagonal is what the decompositions of any matrix find."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lsr_core.linalg.diagonal import is_diagonal, svd
from lsr_core.linalg.ridge import with_penalty
from tests.core.twins import generator

SHAPES = [(4, 4), (3, 5), (5, 3), (1, 1), (0, 0), (0, 3)]
ENTRIES = torch.tensor([0.5, -3.0, 0.0, 1e-9, 0.5], dtype=torch.float64)


def diagonal(shape: tuple[int, int]) -> Tensor:
    matrix = torch.zeros(shape, dtype=torch.float64)
    matrix.diagonal().copy_(ENTRIES[: min(shape)])
    return matrix


@pytest.mark.parametrize("shape", SHAPES)
def test_the_svd_of_a_diagonal_is_an_svd(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = diagonal(shape)
    expected = torch.linalg.svd(matrix, full_matrices=False)
    monkeypatch.setattr(torch.linalg, "svd", None)  # it is not asked for
    left, values, right_t = svd(matrix)
    assert values.tolist() == pytest.approx(expected.S.tolist(), abs=1e-16)
    assert [part.shape for part in (left, right_t)] == [expected.U.shape, expected.Vh.shape]
    assert torch.equal((left * values) @ right_t, matrix)
    eye = torch.eye(len(values), dtype=torch.float64)
    assert torch.equal(left.T @ left, eye)
    assert torch.equal(right_t @ right_t.T, eye)


def test_any_other_matrix_is_decomposed() -> None:
    matrix = torch.randn(5, 4, generator=generator(), dtype=torch.float64)
    left, values, right_t = svd(matrix)
    torch.testing.assert_close((left * values) @ right_t, matrix)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("weights", [[0.1, 2.0, 0.3, 0.0, 0.7], [0.1, 2.0, 0.0, 1e3, 0.7]])
def test_a_diagonal_with_a_diagonal_below_is_rotated_into_its_factor(weights: list[float], apart: bool) -> None:
    factor = torch.zeros(6, 6, dtype=torch.float64)
    factor[:5, :5], factor[:, 5] = torch.diag(ENTRIES), torch.linspace(-1, 2, 6, dtype=torch.float64)
    penalty = torch.tensor(weights, dtype=torch.float64)
    given = torch.linspace(3, 1, 5, dtype=torch.float64) if apart else None
    rows = torch.cat([torch.diag(penalty), (penalty * (torch.zeros(5) if given is None else given))[:, None]], dim=1)
    whole = torch.cat([factor, rows])
    for form in (penalty, torch.diag(penalty)):
        found = with_penalty(factor, form, given)
        assert is_diagonal(found[:5, :5])
        torch.testing.assert_close(found.T @ found, whole.T @ whole, rtol=1e-13, atol=1e-13)


def test_fewer_rows_than_columns_have_no_such_factor() -> None:
    factor = torch.cat([torch.diag(ENTRIES[:3]), torch.ones(3, 3, dtype=torch.float64)], dim=1)
    penalty = torch.ones(5, dtype=torch.float64)
    rows = torch.cat([torch.eye(5, dtype=torch.float64), torch.zeros(5, 1, dtype=torch.float64)], dim=1)
    found, whole = with_penalty(factor, penalty), torch.cat([factor, rows])
    torch.testing.assert_close(found.T @ found, whole.T @ whole, rtol=1e-13, atol=1e-13)
