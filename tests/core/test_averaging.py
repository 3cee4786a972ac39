"""The average over strengths that `auto` takes: as one solution, at every rank, with samples left out, and made again from a run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lsr_core.jobs.queue import create
from lsr_core.jobs.rebuild import delta_at
from lsr_core.jobs.worker import execute
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.linalg.averaging import Average, penalty_rows
from lsr_core.linalg.left_out_rows import LeftOutRows
from lsr_core.linalg.smoothing import RidgeFamily
from lsr_core.linalg.triangular import TriangularSolver
from lsr_core.problems.splits import Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.neighbours import pairs_of
from lsr_core.refinement.refine import refine
from lsr_core.refinement.strengths import strength
from lsr_core.storage.bundles import load_problem
from lsr_core.storage.runs import Run, RunStore
from tests.core import twins

STRENGTHS = torch.tensor([1e-3, 1e-2, 0.1, 1.0], dtype=torch.float64)
SCORES = torch.tensor([-1.0, 0.0, 0.5, -2.0], dtype=torch.float64)
SHAPES = [(30, 8), (6, 10)]


def made(rows: int, columns: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A, its errors, lengths of its columns, from where the penalty counts."""
    draw = torch.Generator().manual_seed(3)
    matrix, errors, apart = (
        torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in ((rows, columns), (rows,), (columns,))
    )
    return matrix, errors, 0.5 + torch.rand(columns, generator=draw, dtype=torch.float64), apart


def factor_of(matrix: Tensor, errors: Tensor) -> Tensor:
    return torch.linalg.qr(torch.cat([matrix, errors[:, None] / math.sqrt(len(matrix))], dim=1), mode="r").R


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("moved", [False, True])
def test_an_average_of_solutions_is_one_solution_with_a_penalty_for_each_direction(
    shape: tuple[int, int], moved: bool
) -> None:
    matrix, errors, lengths, apart = made(*shape)
    apart = apart if moved else None  # type: ignore[assignment]
    factor, average = factor_of(matrix, errors), Average.of(STRENGTHS, SCORES)
    family = RidgeFamily(factor, shape[0], lengths=lengths, apart=apart)
    single = torch.stack([family.coefficients(float(strength)) for strength in average.strengths], dim=1)
    penalties = average.penalties(family.values)
    assert torch.allclose(family.coefficients(penalties), single @ average.weights, rtol=1e-10, atol=1e-12)
    matching = average.matching(family)
    freedom = average.weights @ family.degrees_of_freedom(average.strengths)
    assert float(family.degrees_of_freedom(penalties[None])[0]) == pytest.approx(float(freedom), rel=1e-10)
    assert float(family.degrees_of_freedom(penalties.new_tensor([matching]))[0]) == pytest.approx(
        float(freedom), rel=1e-8
    )
    rows = penalty_rows(family, penalties, matching, lengths)
    solver = TriangularSolver(factor, rcond=0.0, lengths=lengths, penalty=rows, apart=apart)
    assert torch.allclose(solver.solve(shape[1]), single @ average.weights, rtol=1e-7, atol=1e-9)
    whole = torch.zeros(shape[1], dtype=torch.float64) if apart is None else apart
    for rank in (1, shape[1] // 2):
        at, away = matrix[:, :rank], rows[:, :rank]
        right = -at.T @ errors / math.sqrt(shape[0]) - away.T @ rows @ whole
        assert torch.allclose(
            solver.solve(rank), torch.linalg.solve(at.T @ at + away.T @ away, right), rtol=1e-7, atol=1e-9
        )


def test_a_density_weighs_strengths_by_its_root_of_the_freedom_that_is_spent() -> None:
    """So that an average is as broad with many degrees of freedom as with few."""
    draw = torch.Generator().manual_seed(4)
    left, _, right = torch.linalg.svd(torch.randn(200, 60, generator=draw, dtype=torch.float64), full_matrices=False)
    errors = torch.randn(60, generator=draw, dtype=torch.float64)
    breadths = []
    for columns in (15, 60):
        rows = left[:, :columns] * torch.logspace(0, -2, columns, dtype=torch.float64) @ right[:columns, :columns]
        noisy = 14 * rows @ errors[:columns] + 0.01 * torch.randn(200, generator=draw, dtype=torch.float64)
        family = RidgeFamily(factor_of(rows, noisy), 200)
        average = strength("auto", family, None, share=1.0, eps=1e-16).average
        assert average is not None
        scores = 2 * family.log_evidence(average.strengths)
        best = average.strengths[scores.argmax()]
        spent = float(family.degrees_of_freedom(best[None])[0])
        assert spent > 5
        assert torch.allclose(average.weights, torch.softmax(scores / spent, dim=0), rtol=1e-10)
        breadths.append(math.log(average.strengths[-1] / average.strengths[0]))
    assert breadths[1] > 0.7 * breadths[0]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_groups_left_out_of_an_average_are_those_of_fits_without_them(size: int) -> None:
    """With the penalty that the average of all samples has."""
    matrix, errors, lengths, _ = made(30, 8)
    weight = 1 / math.sqrt(30)
    family = RidgeFamily(factor_of(matrix, errors), 30, lengths=lengths)
    penalties = Average.of(STRENGTHS, SCORES).penalties(family.values)
    rows = penalty_rows(family, penalties, 0.1, lengths)
    block = LeftOutRows(family, matrix.view(-1, size, 8), errors.view(-1, size), weight)
    found, spreads = block.errors(penalties), block.spreads(penalties)
    for group in range(30 // size):
        out = torch.zeros(30, dtype=torch.bool)
        out[group * size : (group + 1) * size] = True
        kept = matrix[~out]
        normal = kept.T @ kept + rows.T @ rows
        step = -torch.linalg.solve(normal, kept.T @ errors[~out] * weight)
        assert torch.allclose(found[group], errors[out] + matrix[out] @ step / weight, rtol=1e-8, atol=1e-10)
        variance = torch.eye(size) + matrix[out] @ torch.linalg.solve(normal, matrix[out].T)
        assert torch.allclose(spreads[group], variance.diagonal().sqrt(), rtol=1e-8)
    one_by_one = [block.density(float(strength)) for strength in STRENGTHS]
    squares, logarithms = block.densities(STRENGTHS)
    assert squares.tolist() == pytest.approx([pair[0] for pair in one_by_one], rel=1e-9)
    assert logarithms.tolist() == pytest.approx([pair[1] for pair in one_by_one], rel=1e-9)
    sums = [float(block.errors(float(strength)).square().sum()) for strength in STRENGTHS]
    assert block.squares(STRENGTHS).tolist() == pytest.approx(sums, rel=1e-9)


def test_neighbours_are_those_that_are_each_others_nearest() -> None:
    """0 and 1 are; 2's nearest is 1, which has a nearer one; the scale of an input does not count."""
    places = torch.tensor([[0.0, 0.0], [0.1, 0.0], [0.3, 0.0], [5.0, 1e6], [5.2, 1e6]])
    assert pairs_of(places).tolist() == [0, 0, 1, 2, 2]
    assert pairs_of(places[:1]).tolist() == [0]
    assert pairs_of(torch.randn(10, 30)).max() < 10


def test_other_ranks_of_a_run_are_made_again_with_the_penalty_of_its_sweep(tmp_path: Path) -> None:
    config = RefineConfig(max_rank=9, regularise="auto")
    run = create(RunStore(tmp_path / "runs"), "noisy1d", config, owner="test")
    execute(run)
    run = Run(run.path)
    found = run.summary.regularisation
    assert found is not None
    assert len(found.averaged) > 1
    whole = refine(load_problem(run.refined_path), config)
    assert run.summary.rank == whole.rank == 9
    for rank in (2, 5):
        assert torch.allclose(delta_at(run, rank), whole.delta_at(rank), rtol=1e-8, atol=1e-12)


def test_noise_that_neighbours_share_is_not_taken_for_signal() -> None:
    """Pure noise, equal in pairs of near samples: left out one at a time it looks like a function."""
    network, refused = twins.network(2, 8, 8, 1), 0
    for seed in range(8):
        draw = torch.Generator().manual_seed(seed)
        places = 2 * torch.rand(25, 2, generator=draw, dtype=torch.float64) - 1
        inputs = torch.cat([places, places + 0.01 * torch.randn(25, 2, generator=draw, dtype=torch.float64)])
        noise = torch.randn(25, 1, generator=draw, dtype=torch.float64).repeat(2, 1)
        problem = SupervisedProblem("pairs", network, Split(inputs, network(inputs).detach() + noise))
        refused += refine(problem, regularise="auto").summary.rank == 0
    assert refused >= 6
