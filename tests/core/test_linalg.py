"""Laws of the linear algebra: it knows no network."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lsr_core.linalg.diagonal import is_diagonal
from lsr_core.linalg.operators import DenseOperator, random_block
from lsr_core.linalg.randomized import probe_bound, randomized_svd
from lsr_core.linalg.streaming_qr import StreamingQR
from lsr_core.linalg.triangular import TriangularSolver, times_upper
from lsr_core.linalg.whitening import inverse_root
from lsr_core.refinement.sweep import condition_numbers
from tests.core.twins import dot_test, fitted, generator, prescribed

DOUBLE = {"dtype": torch.float64, "device": torch.device("cpu")}


def factor_of(matrix: torch.Tensor, rhs: torch.Tensor) -> torch.Tensor:
    return torch.linalg.qr(torch.cat([matrix, rhs[:, None]], dim=1), mode="r").R


def test_randomized_svd_of_a_full_sketch_is_the_svd() -> None:
    values = torch.logspace(0, -6, 12, dtype=torch.float64)
    matrix = prescribed(40, 25, values)
    svd = randomized_svd(DenseOperator(matrix), 12, oversampling=13, power_iterations=1, generator=generator()).factors
    torch.testing.assert_close(svd.singular_values, values, rtol=0, atol=1e-14)
    torch.testing.assert_close(svd.left * svd.singular_values @ svd.right.T, matrix, rtol=0, atol=1e-14)
    torch.testing.assert_close(svd.right.T @ svd.right, torch.eye(12, dtype=torch.float64), rtol=0, atol=1e-13)


def test_power_iterations_sharpen_a_slow_spectrum() -> None:
    values = 1 / torch.arange(1, 121, dtype=torch.float64)
    operator = DenseOperator(prescribed(200, 150, values))

    def worst(power: int) -> float:
        svd = randomized_svd(operator, 20, oversampling=10, power_iterations=power, generator=generator(4))
        return float((1 - svd.factors.singular_values / values[:20]).abs().max())

    assert worst(2) < 0.2 * worst(0)


@pytest.mark.parametrize(("power", "parts", "most"), [(1, 1, 0.1), (2, 1, 0.02), (1, 4, 0.03), (2, 4, 1e-5)])
def test_power_iterations_keep_the_blocks_on_the_way(power: int, parts: int, most: float) -> None:
    """The last block alone, as subspace iteration has it, is off by 0.13 after one iteration and by 0.07 after two."""
    values = 1 / torch.arange(1, 301, dtype=torch.float64) ** 0.5
    counted = Counted(prescribed(400, 300, values))
    svd = randomized_svd(
        counted, 40, oversampling=10, power_iterations=power, generator=generator(4), parts=parts
    ).factors
    assert float((1 - svd.singular_values / values[:40]).abs().max()) < most
    torch.testing.assert_close(svd.right.T @ svd.right, torch.eye(40, dtype=torch.float64), rtol=0, atol=1e-12)
    assert counted.columns <= 2 * (power + 1) * (50 + parts)  # as many products as subspace iteration


def test_power_iterations_end_where_the_spectrum_does() -> None:
    """Of a matrix of low rank no block is left, and its noise must not bend the values."""
    values = torch.logspace(0, -3, 9, dtype=torch.float64)
    operator = DenseOperator(prescribed(60, 50, values))
    svd = randomized_svd(operator, 12, oversampling=3, power_iterations=5, generator=generator(1), parts=4).factors
    torch.testing.assert_close(svd.singular_values[:9], values, rtol=0, atol=1e-14)
    torch.testing.assert_close(svd.right.T @ svd.right, torch.eye(12, dtype=torch.float64), rtol=0, atol=1e-12)


class Counted(DenseOperator):
    """A matrix that counts the columns it is multiplied by."""

    columns = 0

    def matmat(self, block: torch.Tensor) -> torch.Tensor:
        self.columns += block.shape[1]
        return super().matmat(block)

    def rmatmat(self, block: torch.Tensor) -> torch.Tensor:
        self.columns += block.shape[1]
        return super().rmatmat(block)


def test_same_seed_same_sketch_and_another_seed_another() -> None:
    operator = DenseOperator(prescribed(30, 30, torch.linspace(1, 0.1, 30, dtype=torch.float64)))

    def values(seed: int) -> torch.Tensor:
        return randomized_svd(operator, 5, oversampling=2, power_iterations=0, generator=generator(seed)).factors[1]

    assert torch.equal(values(1), values(1))
    assert not torch.equal(values(1), values(2))


def test_the_bound_of_probes_holds_the_truth_and_is_not_wild() -> None:
    matrix = prescribed(120, 90, torch.logspace(0, -4, 60, dtype=torch.float64))
    covered, ratios = 0, []
    for seed in range(200):
        svd = randomized_svd(DenseOperator(matrix), 15, oversampling=5, power_iterations=0, generator=generator(seed))
        true = float(torch.linalg.matrix_norm(matrix - svd.range @ (svd.range.T @ matrix), 2))
        image = matrix @ random_block((90, 5), DenseOperator(matrix), generator(10_000 + seed))
        estimate = probe_bound(image - svd.range @ (svd.range.T @ image))
        covered += estimate >= true
        ratios.append(estimate / true)
    assert covered == 200  # each misses with probability 1e-5
    assert max(ratios) < 100


def test_the_bound_of_probes_is_that_of_the_lemma() -> None:
    """10 √(2/π) times the longest image (Halko, Martinsson & Tropp 2011, Lemma 4.1)."""
    images = torch.tensor([[3.0, 0.0], [4.0, 1.0]], dtype=torch.float64)
    assert probe_bound(images) == pytest.approx(39.8942280401, rel=1e-10)


def test_dot_test_sees_a_wrong_adjoint() -> None:
    matrix = torch.randn(7, 5, generator=generator(), dtype=torch.float64)
    assert dot_test(DenseOperator(matrix), generator(1)) < 1e-14

    class Wrong(DenseOperator):
        def rmatmat(self, block: torch.Tensor) -> torch.Tensor:
            return super().rmatmat(block) * 1.001

    assert dot_test(Wrong(matrix), generator(1)) > 1e-5
    tall = torch.randn(3000, 5, generator=generator(), dtype=torch.float64)
    assert 1e-6 < dot_test(Wrong(tall), generator(1)) < 1e-3  # beside the lengths of both vectors


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 60), columns=st.integers(1, 12), block=st.integers(1, 60), seed=st.integers(0, 99))
def test_streamed_factor_is_the_whole_factor(rows: int, columns: int, block: int, seed: int) -> None:
    matrix = torch.randn(rows, columns, generator=generator(seed), dtype=torch.float64)
    qr = StreamingQR(columns, **DOUBLE, gather=columns)
    for part in matrix.split(block):
        qr.update(part)
    assert qr.n_rows == rows
    torch.testing.assert_close(qr.factor.T @ qr.factor, matrix.T @ matrix, rtol=0, atol=1e-12)
    assert torch.equal(qr.factor, qr.factor.triu())


def test_a_triangle_is_made_once_in_as_many_rows_as_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, geqrf = [], torch.geqrf
    monkeypatch.setattr(torch, "geqrf", lambda rows: seen.append(len(rows)) or geqrf(rows))
    qr = StreamingQR(5, **DOUBLE, gather=20)
    for _ in range(100):
        qr.update(torch.randn(1, 5, dtype=torch.float64))
    assert seen == [25] * 4
    assert qr.factor.shape == (5, 5)
    assert seen == [25, 25, 25, 25, 20]
    assert torch.equal(qr.factor, qr.factor)
    assert len(seen) == 5


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 30),
    columns=st.integers(1, 12),
    deficiency=st.integers(0, 4),
    stretch=st.floats(-6, 6),
    seed=st.integers(0, 99),
)
def test_every_leading_solution_is_its_separate_solve(
    rows: int, columns: int, deficiency: int, stretch: float, seed: int
) -> None:
    """Tall, wide, rank-deficient, badly scaled: fitted values agree with NumPy at every rank."""
    draw = generator(seed)
    inner = max(1, min(rows, columns) - deficiency)
    matrix = torch.randn(rows, inner, generator=draw, dtype=torch.float64) @ torch.randn(
        inner, columns, generator=draw, dtype=torch.float64
    )
    matrix = matrix * torch.logspace(0, stretch, columns, dtype=torch.float64)
    rhs = torch.randn(rows, generator=draw, dtype=torch.float64)
    solver = TriangularSolver(factor_of(matrix, rhs), rcond=1e-12)
    for rank in range(min(rows, columns) + 1):
        coefficients = solver.solve(rank)
        mine = matrix[:, :rank] @ coefficients
        scale = matrix[:, :rank].norm(dim=0).clamp_min(1e-300)
        twin = fitted(matrix[:, :rank] / scale, -rhs) if rank else torch.zeros_like(rhs)
        assert float((mine - twin).norm()) <= 1e-9 * float(rhs.norm())
        assert solver.residual_norm(coefficients) == pytest.approx(float((mine + rhs).norm()), rel=1e-7, abs=1e-11)


def test_all_solutions_at_once_are_the_single_ones() -> None:
    matrix = torch.randn(30, 10, generator=generator(), dtype=torch.float64)
    rhs = torch.randn(30, generator=generator(1), dtype=torch.float64)
    solver = TriangularSolver(factor_of(matrix, rhs), rcond=1e-14)
    together = solver.solve_leading(10)
    for rank in range(11):
        torch.testing.assert_close(together[:rank, rank], solver.solve(rank), rtol=1e-10, atol=1e-12)
        assert not together[rank:, rank].any()


def test_the_cut_off_acts_and_gives_the_minimum_norm() -> None:
    column = torch.randn(20, 1, generator=generator(), dtype=torch.float64)
    matrix = column.expand(20, 3).clone()
    rhs = torch.randn(20, generator=generator(1), dtype=torch.float64)
    solver = TriangularSolver(factor_of(matrix, rhs), rcond=1e-12)
    assert solver.cut_is_active(3)
    expected = torch.from_numpy(np.linalg.pinv(matrix.numpy()) @ -rhs.numpy())
    torch.testing.assert_close(solver.solve(3), expected, rtol=1e-10, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 25),
    columns=st.integers(1, 10),
    stretch=st.floats(-5, 5),
    damping=st.sampled_from([1e-6, 1e-3, 0.1, 3.0]),
    seed=st.integers(0, 99),
)
def test_damping_is_the_ridge_solution_of_every_rank(
    rows: int, columns: int, stretch: float, damping: float, seed: int
) -> None:
    """Tall, wide and badly scaled, a basis with columns of any length: one λ, and the penalty is on λ‖Δθ‖."""
    draw = generator(seed)
    orthonormal = torch.randn(rows, columns, generator=draw, dtype=torch.float64)
    orthonormal = orthonormal * torch.logspace(0, stretch, columns, dtype=torch.float64)
    lengths = torch.rand(columns, generator=draw, dtype=torch.float64) + 0.1
    rhs = torch.randn(rows, generator=draw, dtype=torch.float64)
    parameter = damping * float(torch.linalg.svdvals(orthonormal)[0])
    solver = TriangularSolver(factor_of(orthonormal * lengths, rhs), rcond=1e-15, damping=damping, lengths=lengths)
    together = solver.solve_leading(columns)
    for rank in range(columns + 1):
        stacked = torch.cat([orthonormal[:, :rank], parameter * torch.eye(rank, dtype=torch.float64)])
        twin = torch.linalg.lstsq(stacked, -torch.cat([rhs, rhs.new_zeros(rank)])[:, None], driver="gelsd").solution
        found = lengths[:rank] * solver.solve(rank)
        torch.testing.assert_close(found, twin[:, 0], rtol=1e-7, atol=1e-8 * float(twin.norm()))
        torch.testing.assert_close(together[:rank, rank], solver.solve(rank), rtol=1e-7, atol=1e-8)
        misfit = float((orthonormal[:, :rank] @ found + rhs).norm())
        assert solver.residual_norm(solver.solve(rank)) == pytest.approx(misfit, rel=1e-7)


def test_small_entries_of_a_diagonal_are_left_out_if_asked() -> None:
    """Whatever the lengths of the basis columns make of them; the others are solved as before."""
    sizes, lengths = torch.tensor([1.0, 1e-3, 1e-6, 2.0]).double(), torch.tensor([1.0, 1e3, 1e6, 0.5]).double()
    factor = torch.zeros(5, 5, dtype=torch.float64)
    factor[:4, :4], factor[:, 4] = torch.diag(sizes * lengths), 1
    found = TriangularSolver(factor, rcond=1e-15, lengths=lengths, least=1e-4).solve(4)
    torch.testing.assert_close(found * lengths, torch.tensor([-1.0, -1e3, 0, -0.5]).double())


@pytest.mark.parametrize("size", [3, 64, 300])
def test_a_damped_diagonal_stays_diagonal(size: int) -> None:
    """On which the costs of condition numbers and increments rest."""
    factor = torch.diag(torch.rand(size + 1, generator=generator(), dtype=torch.float64))
    factor[:, -1] = 1
    assert is_diagonal(TriangularSolver(factor, rcond=1e-15, damping=0.1).scaled)


def test_a_zero_matrix_moves_nothing() -> None:
    solver = TriangularSolver(factor_of(torch.zeros(5, 3, dtype=torch.float64), torch.ones(5).double()), rcond=1e-12)
    assert not solver.solve(3).any()
    assert solver.residual_norm(solver.solve(3)) == pytest.approx(5**0.5)


@pytest.mark.parametrize("size", [0, 1, 5, 64, 300])
def test_products_with_triangles_skip_only_zeros(size: int) -> None:
    block = torch.randn(7, size, generator=generator(1), dtype=torch.float64)
    triangle = torch.randn(size, size, generator=generator(2), dtype=torch.float64).triu()
    for factor in (triangle, torch.diag(triangle.diagonal())):
        torch.testing.assert_close(times_upper(block, factor), block @ factor, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("apart", [0.5, 0.999, 1.001, 2.0, 30.0, 1e5])
def test_bounds_decide_about_the_cut_as_singular_values_do(apart: float) -> None:
    """On both sides of the cut-off, near and far: two columns apart by about `apart` times what is cut."""
    rcond = 1e-7
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        rows = torch.randn(30, 8, generator=generator, dtype=torch.float64)
        rows[:, 7] = rows[:, 6] + apart * rcond * torch.randn(30, generator=generator, dtype=torch.float64)
        triangle = torch.linalg.qr(torch.cat([rows, rows[:, :1]], dim=1)).R
        solver = TriangularSolver(triangle, rcond=rcond)
        for rank in range(1, 9):
            values = torch.linalg.svdvals(solver.leading(rank))
            assert solver.cut_is_active(rank) == bool(values[-1] < rcond * values[0]), (seed, rank)


def test_a_dot_test_sees_one_wrong_pair() -> None:
    """The largest defect counts, also where the other pairs agree."""

    class WrongOnce(DenseOperator):
        def rmatmat(self, block: torch.Tensor) -> torch.Tensor:
            found = super().rmatmat(block)
            return torch.cat([found[:, :1] * 1.1, found[:, 1:]], dim=1)

    assert dot_test(WrongOnce(torch.randn(30, 20, generator=generator(), dtype=torch.float64)), generator(1)) > 1e-3


@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (5, 5)])
def test_an_operator_is_its_dense_matrix(shape: tuple[int, int]) -> None:
    matrix = torch.randn(*shape, generator=generator(), dtype=torch.float64)
    torch.testing.assert_close(DenseOperator(matrix).to_dense(), matrix)
    for side, apply in zip(shape, (DenseOperator(matrix).rmatvec, DenseOperator(matrix).matvec), strict=True):
        vector = torch.linspace(1, 2, side, dtype=torch.float64)
        torch.testing.assert_close(apply(vector), (matrix.T if apply.__name__ == "rmatvec" else matrix) @ vector)


@pytest.mark.parametrize("diagonal", [False, True])
def test_condition_numbers_of_leading_triangles(diagonal: bool) -> None:
    triangle = torch.linalg.qr(prescribed(30, 7, torch.logspace(0, -5, 7, dtype=torch.float64))).R
    triangle = torch.diag(triangle.diagonal()) if diagonal else triangle
    ladder = [1, 3, 4, 7]
    kappa, exact = condition_numbers(triangle, ladder, 7)
    assert kappa.shape == exact.shape == (8,)
    assert np.isnan(kappa[0])
    for rank in range(1, 8):
        true = np.linalg.cond(triangle[:rank, :rank].numpy())
        if diagonal or rank in ladder:
            assert exact[rank] == 1
            assert kappa[rank] == pytest.approx(true, rel=1e-8)
        else:
            assert exact[rank] == 0
            before, after = (
                kappa[one] for one in (max(r for r in ladder if r < rank), min(r for r in ladder if r > rank))
            )
            assert before <= kappa[rank] <= after


@pytest.mark.parametrize("entries", [torch.float32, torch.float64])
@pytest.mark.parametrize("kappa", [1e0, 1e2, 1e4, 1e6, 1e9])
def test_whitened_directions_have_unit_length_or_are_left_out(entries: torch.dtype, kappa: float) -> None:
    """Never a direction of length zero, which the Gram matrix in the precision of Ω made of two that are nearly parallel."""
    omega = prescribed(40, 6, torch.logspace(0, -math.log10(kappa), 6, dtype=torch.float64)).to(entries)
    root = inverse_root(omega.double().T @ omega.double(), entries)
    lengths = (omega @ root.to(entries)).double().norm(dim=0)
    slack = 0.01 if kappa <= 1e6 else 0.5  # a Gram matrix in float64 tells lengths to κ² rounding errors
    torch.testing.assert_close(lengths, torch.ones_like(lengths), rtol=0, atol=slack)
    assert root.shape[1] == 6 or kappa > (1e2 if entries == torch.float32 else 1e6)
