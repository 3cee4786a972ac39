"""What a network has taken up of the noise of its own samples, as its residual shows it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.linalg.smoothing import RidgeFamily
from lsr_core.linalg.taken_up import taken_up
from lsr_core.problems.splits import Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.smoothing import smoothed
from lsr_core.refinement.solve import planned, solved_in_basis
from tests.core import twins

ROWS, COLUMNS, SIGMA = 400, 200, 0.3


def noise_and_modes() -> tuple[Tensor, Tensor]:
    """Pure noise, and rows in which directions differ by four decades."""
    draw = torch.Generator().manual_seed(5)
    left, _, right = torch.linalg.svd(
        torch.randn(ROWS, COLUMNS, generator=draw, dtype=torch.float64), full_matrices=False
    )
    sizes = torch.logspace(0, -4, COLUMNS, dtype=torch.float64)
    return SIGMA * torch.randn(ROWS, generator=draw, dtype=torch.float64), left * sizes @ right


def family_of(rows: Tensor, errors: Tensor, apart: Tensor | None = None) -> RidgeFamily:
    factor = torch.linalg.qr(torch.cat([rows, errors[:, None] / math.sqrt(ROWS)], dim=1), mode="r").R
    return RidgeFamily(factor, ROWS, apart=apart)


def shares(family: RidgeFamily, penalties: Tensor) -> Tensor:
    squares = family.values.square()
    return squares / (squares + penalties.square())


@pytest.mark.parametrize("moved", [False, True])
def test_what_a_ridge_solution_has_fitted_of_noise_is_found_again(moved: bool) -> None:
    noise, rows = noise_and_modes()
    strength = 1e-2
    fitted = rows @ family_of(rows, noise).coefficients(strength) * math.sqrt(ROWS)
    apart = torch.full((COLUMNS,), 0.5, dtype=torch.float64) if moved else None
    family = family_of(rows, noise + fitted, apart)
    found = shares(family, taken_up(family, SIGMA**2))
    true = shares(family, torch.full_like(family.values, strength))
    assert float((found - true).abs().mean()) < 0.1
    assert float(found[:40].min()) > 0.7


def test_nothing_is_taken_up_of_noise_that_nobody_fitted_nor_of_what_is_left_to_learn() -> None:
    noise, rows = noise_and_modes()
    alone = family_of(rows, noise)
    assert float(shares(alone, taken_up(alone, SIGMA**2)).mean()) < 0.1
    signal = math.sqrt(ROWS) * rows[:, :3].sum(dim=1)
    learnable = family_of(rows, noise + 5 * signal)
    assert float(shares(learnable, taken_up(learnable, SIGMA**2))[:20].max()) < 0.1


def test_without_noise_nothing_is_taken_up() -> None:
    noise, rows = noise_and_modes()
    assert bool(taken_up(family_of(rows, noise), 0.0).isinf().all())
    assert bool(taken_up(family_of(rows, 0 * noise), 0.0).isinf().all())


def trained_on_noise() -> tuple[SupervisedProblem, Split]:
    """A network that knows its hundred noisy samples, and the function at other points."""

    def truth(inputs: Tensor) -> Tensor:
        return torch.sin(3 * inputs[:, :1]) * torch.cos(2 * inputs[:, 1:])

    draw, network = torch.Generator().manual_seed(1), twins.network(2, 16, 16, 1, seed=1)
    inputs = 2 * torch.rand(100, 2, generator=draw, dtype=torch.float64) - 1
    targets = truth(inputs) + 0.05 * torch.randn(100, 1, generator=draw, dtype=torch.float64)
    others = 2 * torch.rand(400, 2, generator=draw, dtype=torch.float64) - 1
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(300):
        optimiser.zero_grad()
        (network(inputs) - targets).square().mean().backward()
        optimiser.step()
    return SupervisedProblem("noisy", network.eval(), Split(inputs, targets)), Split(others, truth(others))


def test_a_network_that_knows_its_samples_is_not_kept_for_its_small_errors_there() -> None:
    problem, others = trained_on_noise()
    solve = solved_in_basis(planned(problem, RefineConfig(regularise="auto")), lambda fraction: None)
    found = smoothed(solve)
    assert found is not None
    assert found.held_out is not None
    assert found.held_out.gains(found.rank, found.left_out_at, math.inf).errors(found.rank) < 1
    assert found.refines
    assert "its residual tells" in found.why
    with torch.no_grad():
        before = problem.model(others.inputs) - others.targets
    step = (solve.subspace.modes(others.inputs) @ found.family.coefficients(found.penalty)).reshape(-1, 1)
    assert float((before + step).norm()) < 0.6 * float(before.norm())
